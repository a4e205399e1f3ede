"""The endpoint, and what it does for what it has: it follows the events of its engine, hands them to handlers and
streams, and keeps accounts and watches. May use _call, _kept, _engine, _text and the public modules, not aio;
only aio, the command line and the package itself use it.
"""
