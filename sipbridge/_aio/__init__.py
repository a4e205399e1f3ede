"""What sipbridge.aio is made of: greenlets that wait in an event loop, the dispatcher that runs there, the facades.

May use _agent and what lies below it. aio alone uses it. Python 3 only.
"""
