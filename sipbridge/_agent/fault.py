"""What went wrong in code that the event thread runs, for who reports errors."""

from __future__ import absolute_import, division, print_function

from collections import namedtuple


class Fault(namedtuple("Fault", "error traceback event handler call_id fatal")):
    """An exception that nobody else sees; what ``Endpoint(on_error=...)`` is called with. The log has it, too.

    Attributes:
        error: the exception.
        traceback: where it was raised; Python 2's exceptions do not know.
        event: the event that the handler was called with; None for a fault in sipbridge itself.
        handler: the handler that raised it, or None.
        call_id: the Call-ID of what the event is about, or "".
        fatal: True when the endpoint is being closed for it: SystemExit and the like, which are no Exceptions.
    """

    __slots__ = ()

    @property
    def exc_info(self):
        """Type, exception and traceback, as logging and error reporting take them."""
        return type(self.error), self.error, self.traceback


def call_id_of(event):
    """The Call-ID of the message or the call that an event tells of, or ""."""
    for holder in (event, getattr(event, "notifier", None), getattr(event, "call", None)):
        found = getattr(holder, "headers", {}).get("Call-ID", "")
        if found:
            return found
    return ""
