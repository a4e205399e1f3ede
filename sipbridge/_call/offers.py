"""Whose turn it is to offer or to answer a session (RFC 3264, 5; RFC 3261, 13.2.1), checked before anything is sent."""

from __future__ import absolute_import, division, print_function

from sipbridge._text.parameters import parse_parameters
from sipbridge.errors import CallStateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from sipbridge._call.call import Call
    from sipbridge._text.arguments import Body
    from sipbridge.headers import Headers

SDP = "application/sdp"


def answer_for(call, sdp):
    # type: (Call, Optional[Body]) -> Optional[Body]
    """What the 2xx to the peer's INVITE carries: ``sdp``, or where that is None what a 18x of ours carried already.

    Raises CallStateError when there is neither: an offer has to be answered, and without one the 2xx has to
    offer.
    """
    if sdp is not None or call.local_sdp is not None or not _negotiates(call.headers):
        return sdp if sdp is not None else call.local_sdp
    if call.remote_sdp is None:
        raise CallStateError("the INVITE has no offer, so the answer has to make one: answer(sdp)")
    raise CallStateError("the peer's offer wants an answer: answer(sdp), or reject(488)")


def _negotiates(headers):
    # type: (Headers) -> bool
    """Whether an INVITE's body is a session description, or none: not something that we know nothing of."""
    kind = headers.get("Content-Type")
    return kind is None or parse_parameters(kind)[0].lower() == SDP


def check_offer(call):
    # type: (Call) -> None
    """Whether an offer may be made now (RFC 3264, 4; RFC 3311, 5.1)."""
    if call._their_offer is not None and not call._their_offer.answered:
        raise CallStateError("the peer's offer waits for your answer: no offer may be made before")
