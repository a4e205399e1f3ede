"""What has to be refreshed until it is ended: registrations, subscriptions of either side, publications.

It may use _engine, _text and the public modules below the endpoint (events, headers, uri ...), but neither _call nor
_agent.
"""
