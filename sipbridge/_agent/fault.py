"""Faults: exceptions in a handler or in sipbridge itself, for a hook that reports errors."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, Optional, Tuple, Type



class Fault(NamedTuple("Fault", [
    ("error", "BaseException"),
    ("traceback", "Optional[TracebackType]"),
    ("event", "Any"),
    ("handler", "Optional[Callable[[Any], object]]"),
    ("call_id", "str"),
    ("fatal", "bool"),
])):
    """An exception on the event thread, where no code of yours can catch it. The log has it, too.

    The endpoint calls the function that you give as ``Endpoint(on_error=...)`` with it.

    Attributes:
        error: the exception.
        traceback: its traceback. (In Python 2 an exception does not have it itself.)
        event: the event with which the handler was called; None for a fault in sipbridge itself.
        handler: the handler that raised it, or None.
        call_id: the Call-ID of the call or request that the event is about, or "".
        fatal: True when the endpoint closes because of it, as for SystemExit and others that are no Exception.
    """

    __slots__ = ()

    @property
    def exc_info(self):
        # type: () -> Tuple[Type[BaseException], BaseException, Optional[TracebackType]]
        """(type, exception, traceback), for logging and for tools that report errors."""
        return type(self.error), self.error, self.traceback


def call_id_of(event):
    # type: (Any) -> str
    """The Call-ID of the message or call that an event is about, or ""."""
    for holder in (event, getattr(event, "notifier", None), getattr(event, "call", None)):
        found = getattr(holder, "headers", {}).get("Call-ID", "")  # type: str
        if found:
            return found
    return ""
