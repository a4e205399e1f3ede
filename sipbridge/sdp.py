"""Session descriptions (RFC 8866, which replaced RFC 4566): a small model that keeps every line.

>>> session = sdp.parse(event.sdp)
>>> session.media[0].codecs[0].name, session.address(session.media[0])
('PCMU', ('192.0.2.7', 49170))
>>> call.reinvite(session.hold().raw)

A description is a sequence of lines. Properties read from the lines what this module understands; other lines stay
where they are. Descriptions do not change: a method that changes something returns a new one. ``raw`` is the parsed
text, octet for octet; for a new description it is what :meth:`Session.encode` writes. To answer an offer, see
:mod:`sipbridge.negotiation`.

No package on PyPI would do in 2026: sdp-transform (1.1.0) makes dicts that anybody can change and needs Python 3.6,
aiortc's model comes with a media stack, sipmessage has no model. None of them runs on 2.7.
"""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import NamedTuple
from sipbridge._text.arguments import check_kind, check_octets, check_sequence, check_whole
from sipbridge._text.checks import check_line
from sipbridge._text.sdp_lines import DIRECTIONS as DIRECTIONS
from sipbridge._text.sdp_lines import Connection as Connection
from sipbridge._text.sdp_lines import Line as Line
from sipbridge._text.sdp_lines import Origin as Origin
from sipbridge._text.sdp_lines import (
    attributes,
    checked_line,
    connection_in,
    direction_in,
    encode,
    match_line,
    split,
    with_direction,
)
from sipbridge.errors import InputError
from sipbridge.payload import STATIC, Codec, parse_events, parse_rtpmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Iterator, List, Optional, Tuple, Union

    from sipbridge._text.arguments import Body

#: The address of a party that puts a call on hold in the old way (RFC 2543, B.5), which some phones still do.
NOWHERE = "0.0.0.0"

_NUMBER = "([0-9]{1,32})"
_PAYLOAD_TYPE = re.compile(r"[0-9]{1,3}\Z")
_ORIGIN = re.compile(r"(\S+) +%s +%s +(\S+) +(\S+) +(\S+)[ \t]*\Z" % (_NUMBER, _NUMBER))
_ORIGIN_EXAMPLE = "- 1 1 IN IP4 192.0.2.7"
_MEDIA = re.compile(r"(\S+) +([0-9]{1,5})(?:/([0-9]{1,5}))? +(\S+)((?: +\S+)*)[ \t]*\Z")
_HELD = {"sendrecv": "sendonly", "recvonly": "inactive"}
_RESUMED = {"sendonly": "sendrecv", "inactive": "recvonly"}


def check_direction(direction):
    # type: (str) -> str
    """The direction, or InputError."""
    if direction not in DIRECTIONS:
        raise InputError("direction %r is not one of %s" % (direction, ", ".join(DIRECTIONS)))
    return direction


def check_port(port):
    # type: (int) -> int
    """A port from 0 to 65535, or InputError."""
    return check_whole(port, "port", 0, 65535)


class Media(NamedTuple("Media", [("lines", "Tuple[Line, ...]")])):
    """One m= line and the lines that belong to it (RFC 8866, 5.14).

    Attributes:
        lines: a tuple of :class:`Line`, the m= first.
    """

    __slots__ = ()

    def _m(self):
        # type: () -> Tuple[str, ...]
        return match_line(_MEDIA, self.lines[0], "audio 49170 RTP/AVP 0")

    @property
    def kind(self):
        # type: () -> str
        """ "audio", "video", "image", "application"..."""
        return self._m()[0]

    @property
    def port(self):
        # type: () -> int
        """The port at which it is received; 0 when it is refused or has ended (RFC 3264, 6 and 8.2)."""
        return int(self._m()[1])

    @property
    def protocol(self):
        # type: () -> str
        """The protocol: ``"RTP/AVP"``, ``"UDP/TLS/RTP/SAVPF"``, ``"udptl"``..."""
        return self._m()[3]

    @property
    def formats(self):
        # type: () -> Tuple[str, ...]
        """The formats behind the protocol, a tuple of text: for RTP the payload types in order of preference."""
        return tuple(self._m()[4].split())

    @property
    def is_rtp(self):
        # type: () -> bool
        """True when the protocol is RTP, so that the formats are payload types."""
        return "RTP/" in self.protocol.upper()

    @property
    def codecs(self):
        # type: () -> Tuple[Codec, ...]
        """For RTP, the :class:`~sipbridge.payload.Codec` of each format in order of preference.

        A static payload type needs no a=rtpmap (RFC 3551, 6). A dynamic one without a=rtpmap is left out.
        """
        if not self.is_rtp:
            return ()
        known = dict(STATIC)
        for value in self.get_all("rtpmap"):
            codec = parse_rtpmap(value or "")
            known[codec.payload_type] = codec
        parameters = dict(self._parameters())
        numbers = [int(number) for number in self.formats if _PAYLOAD_TYPE.match(number)]
        return tuple(
            known[number]._replace(parameters=parameters.get(number)) for number in numbers if number in known
        )

    def _parameters(self):
        # type: () -> Iterator[Tuple[int, str]]
        for value in self.get_all("fmtp"):
            number, _, text = (value or "").partition(" ")
            if _PAYLOAD_TYPE.match(number) and text.strip():
                yield int(number), text.strip()

    def telephone_event(self, clock_rate=None):
        # type: (Optional[int]) -> Optional[Codec]
        """The Codec for DTMF (RFC 4733): the one with this clock rate in Hz, else the first one, else None."""
        found = [codec for codec in self.codecs if codec.is_telephone_event]
        same = [codec for codec in found if codec.clock_rate == clock_rate]
        return next(iter(same or found), None)

    @property
    def connection(self):
        # type: () -> Optional[Connection]
        """Its own c= line, or None; the session's counts then. See :meth:`Session.address`."""
        return connection_in(self.lines)

    @property
    def direction(self):
        # type: () -> Optional[str]
        """Its own direction attribute, or None. See :meth:`Session.direction`."""
        return direction_in(self.lines)

    @property
    def ptime(self):
        # type: () -> Optional[int]
        """Milliseconds of media in a packet (a=ptime; RFC 8866, 6.4), or None."""
        value = self.get("ptime") or ""
        return int(float(value)) if re.match(r"[0-9]{1,5}(\.[0-9]*)?\Z", value) else None

    @property
    def rtcp_port(self):
        # type: () -> int
        """The port for RTCP: that of a=rtcp (RFC 3605), the same with a=rtcp-mux (RFC 5761), else the next one."""
        explicit = re.match(r"[0-9]{1,5}", self.get("rtcp") or "")
        if explicit:
            return int(explicit.group())
        return self.port if self.get("rtcp-mux") is not None else self.port + 1

    def get(self, name, default=None):
        # type: (str, Optional[str]) -> Optional[str]
        """The first value of an attribute: "" for one without a value, ``default`` when it is missing."""
        for value in attributes(self.lines, name):
            return value or ""
        return default

    def get_all(self, name):
        # type: (str) -> Tuple[str, ...]
        """Every value of an attribute, in order."""
        return tuple(value or "" for value in attributes(self.lines, name))

    def __contains__(self, name):
        # type: (Any) -> bool
        return self.get(name) is not None

    def with_port(self, port):
        # type: (int) -> Media
        """A copy with another port. Raises InputError."""
        kind, _, _, protocol, formats = self._m()
        first = Line("m", "%s %d %s%s" % (kind, check_port(port), protocol, formats))
        return self._replace(lines=(first,) + self.lines[1:])

    def with_direction(self, direction):
        # type: (str) -> Media
        """A copy with another direction: "sendrecv", "sendonly", "recvonly" or "inactive". Raises InputError."""
        return self._replace(lines=with_direction(self.lines, check_direction(direction)))

    def with_lines(self, *lines):
        # type: (*Tuple[str, str]) -> Media
        """A copy with more :class:`Line` at its end. Raises InputError."""
        return self._replace(lines=self.lines + tuple(checked_line(line) for line in lines))


class Session(NamedTuple("Session", [
    ("lines", "Tuple[Line, ...]"),
    ("media", "Tuple[Media, ...]"),
    ("parsed", "Optional[bytes]"),
])):
    """A session description. Two are equal when their lines are.

    Attributes:
        lines: those before the first m=, a tuple of :class:`Line`.
        media: a tuple of :class:`Media`.
        parsed: the octets that it was parsed from; None when it was built or changed.
    """

    __slots__ = ()

    def __new__(cls, lines, media=(), parsed=None):
        # type: (Iterable[Line], Iterable[Media], Optional[bytes]) -> Session
        return super(Session, cls).__new__(cls, tuple(lines), tuple(media), parsed)

    def __eq__(self, other):
        # type: (object) -> bool
        return isinstance(other, Session) and self[:2] == other[:2]

    def __ne__(self, other):
        # type: (object) -> bool
        return not self == other

    def __hash__(self):
        # type: () -> int
        return hash(self[:2])

    # -- reading -------------------------------------------------------------------------------------------

    @property
    def raw(self):
        # type: () -> bytes
        """The octets that it was parsed from; for a new description the octets that :meth:`encode` writes."""
        return self.encode() if self.parsed is None else self.parsed

    def encode(self):
        # type: () -> bytes
        """Its lines as bytes, each ended by CRLF."""
        lines = list(self.lines) + [line for media in self.media for line in media.lines]
        return encode(u"".join(u"%s=%s\r\n" % line for line in lines))

    @property
    def origin(self):
        # type: () -> Optional[Origin]
        """The o= line as an :class:`Origin`, or None."""
        for line in self.lines:
            if line.type == "o":
                username, number, version, network, kind, address = match_line(_ORIGIN, line, _ORIGIN_EXAMPLE)
                return Origin(username, int(number), int(version), network, kind, address)
        return None

    @property
    def name(self):
        # type: () -> Optional[str]
        """The text of s= (RFC 8866, 5.3), or None."""
        for line in self.lines:
            if line.type == "s":
                return line.value
        return None

    @property
    def connection(self):
        # type: () -> Optional[Connection]
        """The :class:`Connection` for media that have no c= line of their own, or None."""
        return connection_in(self.lines)

    def get(self, name, default=None):
        # type: (str, Optional[str]) -> Optional[str]
        """The first value of a session attribute: "" for one without a value, ``default`` when it is missing."""
        for value in attributes(self.lines, name):
            return value or ""
        return default

    def address(self, media):
        # type: (Media) -> Tuple[str, int]
        """(host, port) at which the author receives that medium; the host is "" when there is no c= line."""
        check_kind(media, Media, "media")
        connection = media.connection or self.connection
        return (connection.address.partition("/")[0] if connection else ""), media.port

    def direction(self, media):
        # type: (Media) -> str
        """The direction of a medium, from its author's view: its own attribute, else the session's, else "sendrecv"
        (RFC 8866, 6.7). With the address 0.0.0.0 the author receives nothing (RFC 3264, 8.4).
        """
        direction = check_kind(media, Media, "media").direction or direction_in(self.lines) or "sendrecv"
        if self.address(media)[0] == NOWHERE:
            return _HELD.get(direction, direction)
        return direction

    @property
    def live(self):
        # type: () -> Tuple[Media, ...]
        """The media that are neither refused nor ended: those with a port above 0, or in a bundle (RFC 8843, 6)."""
        return tuple(media for media in self.media if media.port or media.get("bundle-only") is not None)

    @property
    def audio(self):
        # type: () -> Optional[Media]
        """The first live audio medium, or None."""
        return next((media for media in self.live if media.kind == "audio"), None)

    @property
    def is_held(self):
        # type: () -> bool
        """True when the author wants to receive none of the live media (RFC 3264, 8.4)."""
        directions = [self.direction(media) for media in self.live]
        return bool(directions) and all(direction in ("sendonly", "inactive") for direction in directions)

    # -- changing ------------------------------------------------------------------------------------------

    def with_media(self, media):
        # type: (Iterable[Media]) -> Session
        """A copy with other media, for a new offer: the version in o= is one higher (RFC 3264, 8)."""
        return Session(self._next_version(), _checked_media(media))

    def following(self, last):
        # type: (Session) -> Session
        """The description to send after ``last`` (RFC 3264, 8).

        When only o= differs that is ``last`` itself; else this one with the o= of ``last``, its version one higher.
        """
        check_kind(last, Session, "last")
        if (self._without_origin(), self.media) == (last._without_origin(), last.media):
            return last
        if last.origin is None:
            return self
        return Session(self._with_origin(last.origin._replace(version=last.origin.version + 1)), self.media)

    def with_direction(self, direction):
        # type: (str) -> Session
        """A copy for a new offer in which all live media have that direction. Raises InputError."""
        check_direction(direction)
        return self._directed(lambda _: direction)

    def hold(self):
        # type: () -> Session
        """A copy that puts the peer on hold (RFC 3264, 8.4): sendonly for sendrecv, inactive for recvonly."""
        return self._directed(lambda direction: _HELD.get(direction, direction))

    def resume(self):
        # type: () -> Session
        """A copy that undoes :meth:`hold`: sendrecv for sendonly, recvonly for inactive.

        When the peer holds, too, ``with_direction("sendrecv")`` offers both directions.
        """
        return self._directed(lambda direction: _RESUMED.get(direction, direction))

    def _directed(self, choose):
        # type: (Callable[[str], str]) -> Session
        default = direction_in(self.lines) or "sendrecv"
        live = self.live
        media = [
            each.with_direction(choose(each.direction or default)) if each in live else each
            for each in self.media
        ]
        return Session(with_direction(self._next_version(), None), media)

    def _next_version(self):
        # type: () -> Tuple[Line, ...]
        origin = self.origin
        return self.lines if origin is None else self._with_origin(origin._replace(version=origin.version + 1))

    def _with_origin(self, origin):
        # type: (Origin) -> Tuple[Line, ...]
        """The session's lines, with that o= if they have one."""
        line = Line("o", "%s %d %d %s %s %s" % origin)
        return tuple(line if each.type == "o" else each for each in self.lines)

    def _without_origin(self):
        # type: () -> List[Line]
        return [line for line in self.lines if line.type != "o"]


# -- parsing and building ------------------------------------------------------------------------------


def _checked_media(media):
    # type: (Iterable[Media]) -> List[Media]
    return [check_kind(each, Media, "one of media") for each in check_sequence(media, "media")]


def parse(data):
    # type: (Body) -> Session
    """The :class:`Session` in a body, bytes. Lines may end in CRLF, LF or CR.

    Raises InputError, which quotes the line, when the first line is not ``v=0``, when a line is not
    ``<letter>=<value>``, and when an o=, c=, m= or a=rtpmap is malformed. o=, s=, t= and c= may be missing.
    """
    data = check_octets(data, "a session description")
    lines = list(split(data))
    if not lines or (lines[0].type, lines[0].value.strip()) != ("v", "0"):
        raise InputError("a session description begins with v=0, not %r" % (lines[0].text if lines else "",))
    starts = [place for place, line in enumerate(lines) if line.type == "m"] + [len(lines)]
    media = [Media(tuple(lines[begin:end])) for begin, end in zip(starts, starts[1:])]
    session = Session(lines[: starts[0]], media, data)
    _check(session)
    return session


def _check(session):
    # type: (Session) -> None
    """Read all that the properties read, so that none of them raises later."""
    for line in session.lines:
        if line.type == "o":
            match_line(_ORIGIN, line, _ORIGIN_EXAMPLE)
    connection_in(session.lines)
    for media in session.media:
        connection_in(media.lines)
        if media.port > 65535:
            raise InputError("port above 65535: %r" % media.lines[0].text)
        for codec in media.codecs:
            if codec.parameters and codec.is_telephone_event:
                parse_events(codec.parameters)


def build(host, media, session_id=1, version=1, name="-", username="-", lines=()):
    # type: (str, Iterable[Media], int, int, str, str, Iterable[Union[Line, Tuple[str, str]]]) -> Session
    """A new :class:`Session`.

    Args:
        host: the address in o= and c=, IPv4 or IPv6.
        media: :class:`Media`, as :func:`medium` makes them.
        session_id, version: the numbers in o= (RFC 8866, 5.2). Use a pair for one content only.
        name, username: for s= and o=.
        lines: more :class:`Line` for the session, like ("a", "..."), behind t=.

    Raises InputError when an argument is none of these.
    """
    host = check_line(host, "host").strip("[]")
    for what, number in (("session_id", session_id), ("version", version)):
        check_whole(number, what, 0, 10**32 - 1)
    kind = "IP6" if ":" in host else "IP4"
    for what, value in (("host", host), ("user name", check_line(username, "user name"))):
        if re.search(r"\s", value):
            raise InputError("blank in the %s %r" % (what, value))
    fixed = (
        ("v", "0"),
        ("o", "%s %d %d IN %s %s" % (username, session_id, version, kind, host)),
        ("s", check_line(name, "session name")),
        ("c", "IN %s %s" % (kind, host)),
        ("t", "0 0"),
    )
    checked = [checked_line(line) for line in fixed + tuple(check_sequence(lines, "lines"))]
    session = Session(checked, _checked_media(media))
    _check(session)
    return session


def medium(kind, port, codecs, direction="sendrecv", protocol="RTP/AVP", ptime=None):
    # type: (str, int, Iterable[Codec], str, str, Optional[int]) -> Media
    """A new :class:`Media` for RTP.

    Args:
        kind: "audio" or "video".
        port: the port at which you receive it; 0 refuses it.
        codecs: :class:`~sipbridge.payload.Codec`, in order of preference, at least one.
        direction: "sendrecv", "sendonly", "recvonly" or "inactive".
        protocol: the profile.
        ptime: milliseconds of media that you want in a packet, or None.

    Raises InputError when an argument is none of these.
    """
    codecs = [check_kind(codec, Codec, "one of codecs") for codec in check_sequence(codecs, "codecs")]
    if not codecs:
        raise InputError("a medium needs at least one of codecs")
    formats = " ".join("%d" % codec.payload_type for codec in codecs)
    first = (check_line(kind, "kind"), check_port(port), check_line(protocol, "protocol"), formats)
    lines = [("m", "%s %d %s %s" % first)]
    lines += [("a", "rtpmap:%d %s" % (codec.payload_type, codec.rtpmap)) for codec in codecs]
    lines += [
        ("a", "fmtp:%d %s" % (codec.payload_type, codec.parameters)) for codec in codecs if codec.parameters
    ]
    lines += [] if ptime is None else [("a", "ptime:%d" % check_whole(ptime, "ptime", 1, 99999))]
    lines += [("a", check_direction(direction))]
    media = Media(tuple(checked_line(line) for line in lines))
    media._m()
    return media
