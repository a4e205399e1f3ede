"""What is refreshed until it is ended: registrations, subscriptions of either side, publications.

May use _engine, _text and the public modules below the endpoint (events, headers, uri ...); neither _call nor
_agent.
"""
