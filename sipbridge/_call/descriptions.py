"""Carry a session description from one call over to another (RFC 3725, 4.4 and 7).

To each peer our descriptions are those of one session: o= stays the same but for its version, which goes up by one, and
no m= goes away (RFC 3264, 8). The rest is as the other peer wrote it.
"""

from __future__ import absolute_import, division, print_function

from sipbridge._call.sessions import answer_again
from sipbridge.errors import InputError
from sipbridge.sdp import Session, build, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from sipbridge._call.call import Call


def no_media(host):
    # type: (str) -> bytes
    """An offer without media (RFC 3725, 4.4)."""
    return build(host, ()).raw


def offer_for(call, description):
    # type: (Call, bytes) -> bytes
    """The offer for a call from the other peer's offer. Media that the call had and the offer has not are refused."""
    last = _parsed(call.local_sdp)
    offer = _parsed(description)
    if last is None or offer is None:
        return description
    gone = tuple(media.with_port(0) for media in last.media[len(offer.media) :])
    return Session(offer.lines, offer.media + gone, None if gone else offer.parsed).following(last).raw


def answer_for(call, description, offer):
    # type: (Call, bytes, Optional[bytes]) -> bytes
    """The answer for a call from the other peer's answer. ``offer`` is what the call's peer offered."""
    answer, offered = _parsed(description), _parsed(offer)
    if answer is None or offered is None:
        return description
    last = _parsed(call.local_sdp)
    fits = len(answer.media) <= len(offered.media)
    answer = Session(answer.lines, answer.media[: len(offered.media)], answer.parsed if fits else None)
    return (answer if last is None else answer.following(last)).raw


def refusing(call, offer):
    # type: (Call, bytes) -> bytes
    """The answer to an offer in a 2xx of a call that is about to end: our session in force, or no media."""
    offered = _parsed(offer)
    if call.local_sdp is not None or offered is None:
        return answer_again(call, offer) or offer
    return Session(offered.lines, [media.with_port(0) for media in offered.media]).raw


def has_media(description):
    # type: (Optional[bytes]) -> bool
    """False for a description in which all media are refused. True for one that does not parse: peers judge that."""
    try:
        return description is not None and bool(parse(description).live)
    except InputError:
        return True


def _parsed(description):
    # type: (Optional[bytes]) -> Optional[Session]
    try:
        return None if description is None else parse(description)
    except InputError:  # a peer may send anything: it is passed on as it is
        return None
