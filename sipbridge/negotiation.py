"""Answer an offer (RFC 3264), and read from the two session descriptions what the media side has to do.

>>> ours = [sdp.medium("audio", 4000, [PCMU, PCMA, telephone_event()])]
>>> answer = negotiation.answer(sdp.parse(event.sdp), "192.0.2.1", ours)
>>> event.call.answer(answer.raw) if answer.live else event.call.reject(488)
>>> stream = negotiation.streams(answer, sdp.parse(event.sdp))[0]
>>> stream.remote, stream.codec.name, stream.telephone_event
(('192.0.2.7', 49170), 'PCMU', Codec(101, 'telephone-event', ...))
"""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import NamedTuple
from sipbridge._text.arguments import check_kind, check_sequence
from sipbridge.payload import format_events
from sipbridge.sdp import Line, Media, Session, build, medium

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, List, Optional, Tuple

    from sipbridge.payload import Codec

_SENDS = ("sendrecv", "sendonly")
_RECEIVES = ("sendrecv", "recvonly")
_NAMES = {  # the key: whether we send, whether we receive
    (True, True): "sendrecv",
    (True, False): "sendonly",
    (False, True): "recvonly",
    (False, False): "inactive",
}


class Stream(NamedTuple("Stream", [
    ("kind", "str"),
    ("local", "Tuple[str, int]"),
    ("remote", "Tuple[str, int]"),
    ("sending", "bool"),
    ("receiving", "bool"),
    ("codec", "Optional[Codec]"),
    ("telephone_event", "Optional[Codec]"),
    ("ptime", "Optional[int]"),
])):
    """What was agreed on for one medium.

    Attributes:
        kind: "audio", "video"...
        local, remote: (host, port) at which we receive, and at which the peer receives.
        sending, receiving: True when we send, when we receive.
        codec: the :class:`~sipbridge.payload.Codec` to send, with the peer's payload type; None when it is not RTP.
        telephone_event: the Codec for DTMF (RFC 4733) to send, with the events that both sides take; or None.
        ptime: milliseconds of media that the peer wants in a packet, or None.
    """

    __slots__ = ()


def answer(offer, host, media, session_id=1, version=1, name="-"):
    # type: (Session, str, Iterable[Media], int, int, str) -> Session
    """The answer to an offer (RFC 3264, 6), a :class:`~sipbridge.sdp.Session`.

    Args:
        offer: the peer's :class:`~sipbridge.sdp.Session`.
        host: our address, for c= and o=.
        media: what we can do, :class:`~sipbridge.sdp.Media` as :func:`sipbridge.sdp.medium` makes them. Each
            m= of the offer gets the first of these with the same kind and protocol and a common codec.
        session_id, version, name: as for :func:`sipbridge.sdp.build`.

    An m= of the offer for which there is none is refused with port 0. If all are (``not answer.live``), reject the
    call with 488. Codecs keep the order and payload types of the offer, and have our parameters; telephone-event has
    the events that both sides take. Raises InputError.
    """
    check_kind(offer, Session, "offer")
    left = [check_kind(each, Media, "one of media") for each in check_sequence(media, "media")]
    answers = []
    for offered in offer.media:
        ours = next((each for each in left if _fits(offered, each)), None)
        if ours is not None:
            left.remove(ours)
        answers.append(_answered(offer, offered, ours))
    return build(host, answers, session_id, version, name)


def _fits(offered, ours):
    # type: (Media, Media) -> bool
    same = (offered.kind, offered.protocol.upper()) == (ours.kind, ours.protocol.upper())
    live = offered.port or offered.get("bundle-only") is not None
    return bool(same and live and any(not codec.is_telephone_event for codec in _common(offered, ours)))


def _common(offered, ours):
    # type: (Media, Media) -> List[Codec]
    """The codecs of the offer that we have, too, with the offer's payload types and our parameters."""
    found = []
    for theirs in offered.codecs:
        own = next((codec for codec in ours.codecs if codec.is_same_as(theirs)), None)
        if own is None:
            continue
        if not theirs.is_telephone_event:
            found.append(theirs._replace(parameters=own.parameters))
        elif theirs.events & own.events:
            found.append(theirs._replace(parameters=format_events(theirs.events & own.events)))
    return found


def _answered(offer, offered, ours):
    # type: (Session, Media, Optional[Media]) -> Media
    if ours is None:
        refused = Media(offered.lines[:1]).with_port(0)
        return _with_mid(refused, offered)
    direction = _agreeing(ours.direction or "sendrecv", offer.direction(offered))
    answered = medium(
        offered.kind, ours.port, _common(offered, ours), direction, offered.protocol, ours.ptime
    )
    return _with_mid(answered, offered)


def _agreeing(own, theirs):
    # type: (str, str) -> str
    """The direction for the answer, from the one that we want and the one that the peer offers (RFC 3264, 6.1)."""
    return _NAMES[own in _SENDS and theirs in _RECEIVES, own in _RECEIVES and theirs in _SENDS]


def answer_again(offer, ours):
    # type: (Session, Session) -> Session
    """The answer to a new offer that changes only who sends, a hold or a resume, from our description in force.

    Each medium of ``ours``, a :class:`~sipbridge.sdp.Session`, gets the direction that the offer allows (RFC 3264,
    6.1): "recvonly" for "sendonly", and port 0 for port 0. Returns ``ours`` itself when nothing has to change, and
    when the offer has another number of media: only you can answer that.
    """
    check_kind(offer, Session, "offer")
    check_kind(ours, Session, "ours")
    if len(offer.media) != len(ours.media):
        return ours
    media = [_continued(offer, theirs, ours, own) for theirs, own in zip(offer.media, ours.media)]
    return ours if media == list(ours.media) else ours.with_media(media)


def _continued(offer, theirs, ours, own):
    # type: (Session, Media, Session, Media) -> Media
    if own not in ours.live:
        return own
    if theirs not in offer.live:
        return own.with_port(0)
    wanted = ours.direction(own)
    direction = _agreeing(wanted, offer.direction(theirs))
    return own if direction == wanted else own.with_direction(direction)


def _with_mid(answered, offered):
    # type: (Media, Media) -> Media
    mid = offered.get("mid")  # the answer names a medium as the offer does (RFC 5888, 9.1)
    return answered.with_lines(Line("a", "mid:" + mid)) if mid else answered


def streams(local, remote):
    # type: (Session, Session) -> Tuple[Stream, ...]
    """The :class:`Stream` of each medium that both descriptions have and neither refuses, a list.

    ``local`` and ``remote`` are the :class:`~sipbridge.sdp.Session` of either side that are in force; who offered does
    not matter. The n-th m= of one belongs to the n-th of the other (RFC 3264, 6). The codec of a stream is the first
    of the peer's that we have, too.
    """
    check_kind(local, Session, "local")
    check_kind(remote, Session, "remote")
    found = []
    for ours, theirs in zip(local.media, remote.media):
        if ours in local.live and theirs in remote.live:
            found.append(_stream(local, ours, remote, theirs))
    return tuple(found)


def _stream(local, ours, remote, theirs):
    # type: (Session, Media, Session, Media) -> Stream
    codec, event = _to_send(ours, theirs)
    here, there = local.direction(ours), remote.direction(theirs)
    return Stream(
        ours.kind,
        local.address(ours),
        remote.address(theirs),
        here in _SENDS and there in _RECEIVES,
        here in _RECEIVES and there in _SENDS,
        codec,
        event,
        theirs.ptime,
    )


def _to_send(ours, theirs):
    # type: (Media, Media) -> Tuple[Optional[Codec], Optional[Codec]]
    """The codec to send and the one for DTMF, with the peer's payload types; None for either that is missing."""
    common = _common(theirs, ours)
    number = next((codec.payload_type for codec in common if not codec.is_telephone_event), None)
    codec = next((codec for codec in theirs.codecs if codec.payload_type == number), None)
    events = [each for each in common if each.is_telephone_event]
    matching = [each for each in events if codec is not None and each.clock_rate == codec.clock_rate]
    return codec, next(iter(matching or events), None)
