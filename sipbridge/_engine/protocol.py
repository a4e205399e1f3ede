"""The protocol between a service and its worker (docs/worker-protocol.md): frames, commands, results, events, signs of
life.

A frame holds numbers, text, octets and JSON. Reading one never executes code.
"""

from __future__ import absolute_import, division, print_function

import json
import struct

from sipbridge import errors
from sipbridge._compat import text_type
from sipbridge._engine.records import FRAME_HEAD, Content, Parties, ProtocolError
from sipbridge._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Sequence, Tuple

#: The version of the protocol. Both sides must have the same.
VERSION = 4

#: The kinds of frames. HELLO, RESULT, FAILURE and EVENT come from the worker; COMMAND and CREDIT go to it. ALIVE comes
#: from it, and from services of a sidecar. LAST_WORDS and FILE come from process 1 of a container; FLIGHT from
#: the worker and, once that is dead, from who started it.
HELLO, COMMAND, RESULT, FAILURE, EVENT, CREDIT, ALIVE, LAST_WORDS, FILE, FLIGHT = range(1, 11)

#: The environment variable with the settings of process 1 of a container, JSON.
CONTAINER_VARIABLE = "SIPBRIDGE_CONTAINER"

#: The most octets of a frame. No SIP message has as many.
MAX_FRAME = 4 * 1024 * 1024

#: The classes of arguments that JSON lacks. The other side gets objects of the same class.
RECORDS = dict((kind.__name__, kind) for kind in (Content, Parties))

#: The exceptions that a command may raise.
_ERRORS = dict(
    (kind.__name__, kind)
    for kind in (
        errors.InputError,
        errors.TransportError,
        errors.PeerUnreachable,
        errors.CallStateError,
        errors.EngineError,
        errors.NotSupportedError,
    )
)

_NUMBER = struct.Struct("!I")
_COMMAND = struct.Struct("!II")  # the command's number, the number of octets of JSON

_NULL = b"null"  # what most commands return

_to_json = json.JSONEncoder(separators=(",", ":")).encode
_from_json = json.JSONDecoder().decode


def frame(kind, payload):
    # type: (int, bytes) -> bytes
    """A frame as octets. Raises InputError when it is too long."""
    if len(payload) > MAX_FRAME:
        raise errors.InputError("%d octets are more than a worker takes: %d" % (len(payload), MAX_FRAME))
    return FRAME_HEAD.pack(len(payload), kind) + payload


#: A sign of life. And what asks a sidecar, in place of a service's first frame, whom it serves, and what its last
#: engine had received before it died.
SIGN_OF_LIFE = frame(ALIVE, b"")
QUESTION = frame(HELLO, b"")
LAST_QUESTION = frame(FLIGHT, b"")


class Decoder(object):
    """Cuts the received octets into frames."""

    def __init__(self):
        # type: () -> None
        self._rest = b""

    def feed(self, octets):
        # type: (bytes) -> List[Tuple[int, bytes]]
        """Take received octets. Returns the frames that are complete now, as (kind, payload). Raises ProtocolError."""
        octets = self._rest + octets if self._rest else octets
        frames, start, end = [], 0, len(octets)
        while end - start >= FRAME_HEAD.size:
            length, kind = FRAME_HEAD.unpack_from(octets, start)
            if length > MAX_FRAME or not HELLO <= kind <= FLIGHT:
                raise ProtocolError("no frame of the worker protocol: kind %d, %d octets" % (kind, length))
            if end - start - FRAME_HEAD.size < length:
                break
            start += FRAME_HEAD.size
            frames.append((kind, octets[start : start + length]))
            start += length
        self._rest = octets[start:]
        return frames


# -- JSON ----------------------------------------------------------------------------------------------------


def _parse(octets):
    # type: (bytes) -> Any
    try:
        return _from_json(octets.decode("ascii"))
    except (ValueError, RuntimeError) as error:  # UnicodeError and RecursionError among them
        raise ProtocolError("not JSON: %s" % error)


def hello(facts):
    # type: (Dict[str, Any]) -> bytes
    """The worker's first frame, from a dict."""
    return frame(HELLO, _to_json(facts).encode("ascii"))


def parse_hello(payload):
    # type: (bytes) -> Dict[str, Any]
    """The dict in a hello. Raises ProtocolError, also for another version of the protocol or another release."""
    facts = _parse(payload)
    facts = facts if isinstance(facts, dict) else {}
    spoken = facts.get("protocol")
    if spoken != VERSION:
        raise ProtocolError(
            "the worker speaks version %r of the protocol and this process version %d: two releases of sipbridge"
            " are mixed; install one, and start the service again" % (spoken, VERSION)
        )
    for name in ("engine", "library", "sipbridge"):
        if not isinstance(facts.get(name), text_type):
            raise ProtocolError("malformed hello: no %s" % name)
    if facts["sipbridge"] != __version__:
        raise ProtocolError(
            "the engine is of sipbridge %s and this service of %s; they must be of one release: pip install"
            " sipbridge==%s for the service, or build the engine's image from this release (make build)"
            % (facts["sipbridge"], __version__, facts["sipbridge"])
        )
    return facts


# -- commands ------------------------------------------------------------------------------------------------


def _packed(value, octets):
    # type: (Any, List[bytes]) -> Any
    """The value for JSON. Bytes go to the list ``octets``, and JSON has their length."""
    if isinstance(value, bytes):  # in Python 2 also each str, which comes out as a str again
        octets.append(value)
        return {"bytes": len(value)}
    name = type(value).__name__
    if RECORDS.get(name) is type(value):
        return {"record": name, "fields": [_packed(each, octets) for each in value]}
    return value


def command(number, method, arguments):
    # type: (int, str, Sequence[Any]) -> bytes
    """A command as a frame."""
    octets = []  # type: List[bytes]
    text = _to_json([method, [_packed(each, octets) for each in arguments]]).encode("ascii")
    return frame(COMMAND, b"".join([_COMMAND.pack(number, len(text)), text] + octets))


class _Unpacker(object):
    """The opposite of :func:`_packed`. It takes the octets in the same order."""

    def __init__(self, payload, start):
        # type: (bytes, int) -> None
        self._payload = payload
        self._start = start

    def value(self, value):
        # type: (Any) -> Any
        if not isinstance(value, dict):
            return value
        if "record" in value:
            return RECORDS[value["record"]](*[self.value(each) for each in value["fields"]])
        if "bytes" in value:
            start, self._start = self._start, self._start + value["bytes"]
            return self._payload[start : self._start]
        return value


def parse_command(payload):
    # type: (bytes) -> Tuple[int, str, List[Any]]
    """(number, method, arguments) of a command. Raises ProtocolError."""
    try:
        number, length = _COMMAND.unpack_from(payload)
        method, arguments = _parse(payload[_COMMAND.size : _COMMAND.size + length])
        unpacker = _Unpacker(payload, _COMMAND.size + length)
        return number, method, [unpacker.value(each) for each in arguments]
    except (struct.error, ValueError, TypeError, KeyError) as error:
        raise ProtocolError("malformed command: %s" % error)


def result(number, value):
    # type: (int, Any) -> bytes
    """The result of a command, as a frame."""
    return frame(RESULT, _NUMBER.pack(number) + (_NULL if value is None else _to_json(value).encode("ascii")))


def failure(number, error):
    # type: (int, Exception) -> bytes
    """The exception of a command, as a frame. An exception that is none of sipbridge's becomes an EngineError."""
    name = type(error).__name__
    text = text_type(error)
    if _ERRORS.get(name) is not type(error):
        text = "%s: %s" % (name, text)
        name = "InputError" if isinstance(error, UnicodeError) else "EngineError"
    return frame(
        FAILURE, _NUMBER.pack(number) + _to_json([name, text, getattr(error, "code", 0)]).encode("ascii")
    )


def parse_result(payload):
    # type: (bytes) -> Tuple[int, Any]
    """(number, value) of a result. Raises ProtocolError."""
    if len(payload) < _NUMBER.size:
        raise ProtocolError("malformed result")
    octets = payload[_NUMBER.size :]
    return _NUMBER.unpack_from(payload)[0], None if octets == _NULL else _parse(octets)


def parse_failure(payload):
    # type: (bytes) -> Tuple[int, Exception]
    """(number, exception) of a failure. Raises ProtocolError."""
    number, description = parse_result(payload)
    try:
        name, text, code = description
        kind = _ERRORS[name]
    except (ValueError, TypeError, KeyError):
        raise ProtocolError("malformed failure: %r" % (description,))
    return number, kind(text, code) if issubclass(kind, errors.EngineError) else kind(text)


def credit(count):
    # type: (int) -> bytes
    """The frame that allows the worker to send this many more events."""
    return frame(CREDIT, _NUMBER.pack(count))


def parse_credit(payload):
    # type: (bytes) -> int
    """The number of events in a credit. Raises ProtocolError."""
    if len(payload) != _NUMBER.size:
        raise ProtocolError("malformed credit")
    count = _NUMBER.unpack(payload)[0]  # type: int
    return count


def last_words(reason):
    # type: (str) -> bytes
    """The frame that tells how an engine ended, as text."""
    return frame(LAST_WORDS, _to_json([reason]).encode("ascii"))


def parse_last_words(payload):
    # type: (bytes) -> str
    """The text in last words. Raises ProtocolError."""
    found = _parse(payload)
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], text_type):
        raise ProtocolError("malformed last words")
    return found[0]


def file_part(kind, octets):
    # type: (str, bytes) -> bytes
    """A part of a crash file, "core" or "traceback", as a frame."""
    return frame(FILE, kind.encode("ascii").ljust(16) + octets)


def parse_file(payload):
    # type: (bytes) -> Tuple[str, bytes]
    """(kind, octets) of a part of a crash file. Raises ProtocolError."""
    try:
        return payload[:16].decode("ascii").strip(), payload[16:]
    except UnicodeError:
        raise ProtocolError("malformed file")
