"""A call from its INVITE to its end: placing it, offers and answers, the session timer, transfers.

It may use _engine, _text and the public modules below the endpoint (events, headers, uri, sdp ...), but neither _kept
nor _agent. `agent.py` in this folder declares what a call needs from its endpoint.
"""
