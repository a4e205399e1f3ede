"""Calls that take the place of others (Replaces, RFC 3891)."""

from __future__ import absolute_import, division, print_function

from sipbridge._later import later
from sipbridge._text.parameters import tag
from sipbridge.errors import CallStateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, List, Optional, Tuple

    from sipbridge import replaces
    from sipbridge._call.call import Call
    from sipbridge.headers import Headers
    from sipbridge.replaces import Replaces
else:
    replaces = later("sipbridge.replaces")


def supporting(fields):
    # type: (List[Tuple[str, str]]) -> List[Tuple[str, str]]
    """The headers of an INVITE or of its 2xx, with "replaces" in Supported (RFC 3891, 6.2)."""
    if not fields:
        return [("Supported", "replaces")]
    given = [value for name, value in fields if name.lower() in ("supported", "k")]
    if any("replaces" in value.lower() for value in given):
        return fields
    others = [(name, value) for name, value in fields if name.lower() not in ("supported", "k")]
    return others + [("Supported", ", ".join(["replaces"] + given))]


def tags(call):
    # type: (Call) -> Tuple[Optional[str], Optional[str]]
    """Our tag and the peer's tag of a call's dialog; None for one that is not known yet."""
    if call.incoming:  # the INVITE has no tag of ours: later requests have it
        own = None if call._ack is None else tag(call._ack.get("To", ""))
        return own, tag(call.headers.get("From", ""))
    return tag(call.headers.get("From", "")), tag(call.headers.get("To", ""))


def in_place_of(call):
    # type: (Call) -> Replaces
    """The Replaces that names a call's dialog, from the view of its peer.

    Raises CallStateError when the call has no dialog yet.
    """
    ours, theirs = tags(call)
    if call.ended is not None or not ours or not theirs:
        raise CallStateError("%r cannot be replaced: it is over, or the peer has not answered yet" % (call,))
    return replaces.Replaces(call.call_id, theirs, ours, False)


def find(calls, headers):
    # type: (Iterable[Call], Headers) -> Tuple[Optional[Call], int]
    """Find the call that an INVITE with Replaces names (RFC 3891, 3).

    Returns (call, 0), or (None, status) when the INVITE has to be refused with that status, or (None, 0) when it has
    no Replaces.
    """
    values = headers.get_all("Replaces")
    if not values:
        return None, 0
    wanted = replaces.parse_replaces(values[0]) if len(values) == 1 else None
    if wanted is None:
        return None, 400
    found = [
        call
        for call in calls
        if call.call_id == wanted.call_id and tags(call) == (wanted.to_tag, wanted.from_tag)
    ]
    return _judged(found[0], wanted) if len(found) == 1 else (None, 481)


def _judged(call, wanted):
    # type: (Call, Replaces) -> Tuple[Optional[Call], int]
    if call.state in ("ending", "ended"):
        return None, 603
    early = call.state in ("incoming", "calling")
    if early and call.incoming:  # an early dialog can be replaced only by the side that sent the INVITE
        return None, 481
    if wanted.early_only and not early:
        return None, 486
    return call, 0
