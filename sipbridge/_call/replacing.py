"""A call that takes the place of another (Replaces, RFC 3891)."""

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
    """Headers of an INVITE, or of the 2xx to one, that say that we understand Replaces too (RFC 3891, 6.2)."""
    given = [value for name, value in fields if name.lower() in ("supported", "k")]
    if any("replaces" in value.lower() for value in given):
        return fields
    others = [(name, value) for name, value in fields if name.lower() not in ("supported", "k")]
    return others + [("Supported", ", ".join(["replaces"] + given))]


def tags(call):
    # type: (Call) -> Tuple[Optional[str], Optional[str]]
    """The two tags of a call's dialog, ours and the peer's; None each where it is not known (yet)."""
    if call.incoming:  # our own stands only in what follows the INVITE
        own = None if call._ack is None else tag(call._ack.get("To", ""))
        return own, tag(call.headers.get("From", ""))
    return tag(call.headers.get("From", "")), tag(call.headers.get("To", ""))


def in_place_of(call):
    # type: (Call) -> Replaces
    """The Replaces that makes the peer of a call give up its dialog with us.

    Raises CallStateError when the call has no dialog that both sides know.
    """
    ours, theirs = tags(call)
    if call.ended is not None or not ours or not theirs:
        raise CallStateError("%r cannot be replaced: it is over, or the peer has not answered yet" % (call,))
    return replaces.Replaces(call.call_id, theirs, ours, False)


def find(calls, headers):
    # type: (Iterable[Call], Headers) -> Tuple[Optional[Call], int]
    """The call that an INVITE is to replace, and the status to refuse the INVITE with (RFC 3891, 3).

    (None, 0) where there is no Replaces. Exactly one of the two is set otherwise.
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
    if early and call.incoming:  # only who placed it can tell that it is to be replaced
        return None, 481
    if wanted.early_only and not early:
        return None, 486
    return call, 0
