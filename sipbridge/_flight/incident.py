"""What went wrong, as the flight recorder tells it."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict


class Incident(NamedTuple("Incident", [
    ("reason", "str"),
    ("time", "float"),
    ("call_id", "str"),
    ("text", "str"),
    ("traceback", "str"),
    ("facts", "Dict[str, Any]"),
])):
    """An incident.

    Attributes:
        reason: a word: "handler-failed", "fault", "engine-lost", "call-ended", "signal", or what dump() was given.
        time: seconds since 1970.
        call_id: the Call-ID of the call that it is about, or "".
        text: a line that says what happened.
        traceback: of Python or of native code, or "".
        facts: what else is known, as JSON takes it.
    """

    __slots__ = ()
