"""The endpoint. It follows the events of its engine, hands them to handlers and iterators, and keeps accounts and
watches. It may use _call, _kept, _engine, _text and the public modules, but not aio. Only aio, the command line and
the package itself use it.
"""
