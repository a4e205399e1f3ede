"""The records that pass between the facade and an engine, wherever it runs: text, bytes and numbers."""

from __future__ import absolute_import, division, print_function

import struct

from sipbridge._compat import NamedTuple
from sipbridge.errors import EngineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

#: What a frame of the worker protocol begins with: the number of octets behind the head, and the kind.
FRAME_HEAD = struct.Struct("!IB")

# csrc/core/frames.c writes: type, cause, state, outgoing, transport and port of the source; status, expires; call,
# registration, subscription, transaction, microseconds; then the lengths of method, reason, request URI, headers, peer,
# source and body, which follow.
_EVENT = struct.Struct("!BBBBBHiiqqqqqIIIIIII")


#: What the numbers of enum sb_transport stand for; 0: nothing is known.
TRANSPORTS = {1: "udp", 2: "tcp", 3: "tls"}


class Source(NamedTuple("Source", [("address", "str"), ("port", "Optional[int]"), ("transport", "Optional[str]")])):
    """Where a message came from: the IP address, the port, and ``"udp"``, ``"tcp"`` or ``"tls"``.

    The address is as the system writes it: ``"192.0.2.7"``, ``"2001:db8::7"``. Port and transport are None where a
    trusted proxy names the address alone.
    """

    __slots__ = ()


class Sourced(object):
    """What an event knows of its message; it is none of the fields of its tuple."""

    _told = (0.0, None, None)  # type: Tuple[float, Optional[Source], Optional[str]]

    @property
    def source(self):
        # type: () -> Optional[Source]
        """Where the message came from, a :class:`~sipbridge.Source`. None: there is none, or nobody knows."""
        return self._told[1]

    @property
    def user(self):
        # type: () -> Optional[str]
        """Who sent the message, as he has proven by digest (``Endpoint(authenticator=)``); None: he was not asked."""
        return self._told[2]


class Told(Sourced):
    """The same, of an event that has no field ``time``."""

    @property
    def time(self):
        # type: () -> float
        """When the engine received the message, or made an event without one: seconds since 1970, UTC."""
        return self._told[0]


def tell(event, time, source, user=None):
    # type: (Sourced, float, Optional[Source], Optional[str]) -> None
    """Give an event its time, its source and its user, before anybody has it."""
    event._told = time, source, user


class RawEvent(NamedTuple("RawEvent", [
    ("type", "str"),
    ("cause", "str"),
    ("state", "Optional[str]"),
    ("status", "int"),
    ("expires", "int"),
    ("outgoing", "int"),
    ("call", "int"),
    ("registration", "int"),
    ("subscription", "int"),
    ("transaction", "int"),
    ("time", "float"),
    ("method", "str"),
    ("reason", "str"),
    ("request_uri", "str"),
    ("headers", "str"),
    ("peer", "str"),
    ("body", "bytes"),
    ("source", "Optional[Source]"),
])):
    """An sb_event (csrc/contract/engine.h). ``time`` is in seconds since 1970, the body is bytes. In text, octets that
    are not UTF-8 are replaced. ``source`` is None where it is not known.
    """

    __slots__ = ()


class Content(NamedTuple("Content", [
    ("headers", "List[Tuple[str, str]]"),
    ("content_type", "Optional[str]"),
    ("body", "Optional[bytes]"),
])):
    """The content of a message: header fields as pairs of text, a media type or None, a body (bytes) or None."""

    __slots__ = ()


class Parties(NamedTuple("Parties", [("to", "str"), ("from_", "Optional[str]"), ("route", "Optional[str]")])):
    """The addresses of a request, text: To, From or None, and the URI of the first proxy or None."""

    __slots__ = ()


class ProtocolError(EngineError):
    """The octets from the other side break the protocol."""


class Vocabulary(object):
    """The names for the numbers in events.

    Args:
        facts: has "types", "causes" and "states", which are dicts of number and name; in a worker's hello the numbers
            are text.
    """

    def __init__(self, facts):
        # type: (Dict[str, Any]) -> None
        try:
            self._types, self._causes, self._states = [
                dict((int(number), name) for number, name in facts[kind].items())
                for kind in ("types", "causes", "states")
            ]
        except (KeyError, ValueError, AttributeError) as error:
            raise ProtocolError("malformed hello: %s" % error)

    def event(self, octets, start=0, end=None):
        # type: (bytes, int, Optional[int]) -> RawEvent
        """The :class:`RawEvent` in the payload of a frame, which is this part of the octets. Raises ProtocolError."""
        end = len(octets) if end is None else end
        try:
            (
                kind, cause, state, outgoing, transport, port, status, expires, call, registration, subscription,
                transaction, time_us, method, reason, uri, headers, peer, source, body
            ) = _EVENT.unpack_from(octets, start)
            method += start + _EVENT.size
            reason += method
            uri += reason
            headers += uri
            peer += headers
            source += peer
            if source + body != end:
                raise ProtocolError("malformed event: %d octets" % (end - start))
            return RawEvent(
                self._types[kind],
                self._causes[cause],
                self._states.get(state),
                status,
                expires,
                outgoing,
                call,
                registration,
                subscription,
                transaction,
                time_us / 1e6,
                octets[start + _EVENT.size : method].decode("utf-8", "replace"),
                octets[method:reason].decode("utf-8", "replace"),
                octets[reason:uri].decode("utf-8", "replace"),
                octets[uri:headers].decode("utf-8", "replace"),
                octets[headers:peer].decode("utf-8", "replace"),
                octets[source:end],
                Source(octets[peer:source].decode("ascii"), port, TRANSPORTS[transport]) if transport else None,
            )
        except (struct.error, KeyError, UnicodeError) as error:
            raise ProtocolError("malformed event: %s" % error)

    def events(self, octets):
        # type: (bytes) -> List[RawEvent]
        """The events in frames that are nothing else. Raises ProtocolError."""
        found, start = [], 0
        while start < len(octets):
            first = start + FRAME_HEAD.size
            start = first + FRAME_HEAD.unpack_from(octets, start)[0]
            found.append(self.event(octets, first, start))
        return found
