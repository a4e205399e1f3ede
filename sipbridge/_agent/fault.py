"""What went wrong in code that the event thread runs, for who reports errors."""

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
        # type: () -> Tuple[Type[BaseException], BaseException, Optional[TracebackType]]
        """Type, exception and traceback, as logging and error reporting take them."""
        return type(self.error), self.error, self.traceback


def call_id_of(event):
    # type: (Any) -> str
    """The Call-ID of the message or the call that an event tells of, or ""."""
    for holder in (event, getattr(event, "notifier", None), getattr(event, "call", None)):
        found = getattr(holder, "headers", {}).get("Call-ID", "")  # type: str
        if found:
            return found
    return ""
