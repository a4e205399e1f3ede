"""A call from its INVITE to its end: placing it, offers and answers, the session timer, transfers.

May use _engine, _text and the public modules below the endpoint (events, headers, uri, sdp ...); neither _kept nor
_agent: what a call needs of its endpoint is in `agent.py`, here.
"""
