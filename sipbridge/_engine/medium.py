"""What engines in memory send through, and what the two sides of a call have in common; see ``memory.py``."""

from __future__ import absolute_import, division, print_function

import itertools
import threading

from sipbridge.errors import TransportError
from sipbridge.uri import address_uri, parse_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Tuple

    from sipbridge._engine.records import Content, Parties

PHRASES = {
    180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted", 302: "Moved Temporarily", 400: "Bad Request",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 415: "Unsupported Media Type",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending", 500: "Server Internal Error",
    501: "Not Implemented", 503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip

NOBODY = "nobody has that address in memory"


def phrase(status, reason=None):
    # type: (int, Optional[str]) -> str
    return PHRASES.get(status, "") if reason is None else reason


def body_of(content):
    # type: (Optional[Content]) -> bytes
    return b"" if content is None else bytes(content.body or b"")


class Medium(object):
    """What engines in memory send through.

    Attributes:
        lock: of all of them.
        names: the engine of each name, as "alice@example.com", for those that have one.
    """

    def __init__(self):
        # type: () -> None
        self.lock = threading.RLock()
        self.numbers = itertools.count(1)  # type: Iterator[int]
        self.names = {}  # type: Dict[str, Any]
        self._engines = {}  # type: Dict[Tuple[str, int], Any]

    @property
    def engines(self):
        # type: () -> List[Any]
        """Those that are open."""
        with self.lock:
            return list(self._engines.values())

    def add(self, engine, host, port):
        # type: (Any, str, int) -> int
        """Give the engine this address. Returns the port: 0 stands for the next that is free."""
        if port == 0:
            port = next(each for each in itertools.count(5060) if (host, each) not in self._engines)
        elif (host, port) in self._engines:
            raise TransportError("port %d on %s: another endpoint in memory has it" % (port, host))
        self._engines[host, port] = engine
        return port

    def remove(self, engine):
        # type: (Any) -> None
        self._engines.pop((engine.host, engine.port), None)
        for name in [name for name, each in self.names.items() if each is engine]:
            del self.names[name]

    def name(self, address, engine):
        # type: (str, Any) -> None
        """Let what is sent to this address, besides the engine's own, reach the engine."""
        self.names[name_of(address_uri(address))] = engine

    def find(self, parties):
        # type: (Parties) -> Optional[Any]
        """The engine that a request reaches, or None."""
        for uri in ([] if parties.route is None else [parties.route]) + [address_uri(parties.to)]:
            parsed = parse_uri(uri)
            found = self.names.get(name_of(uri)) or self._engines.get((parsed.host.strip("[]"), parsed.port or 5060))
            if found is not None:
                return found
        return None


def name_of(uri):
    # type: (str) -> str
    parsed = parse_uri(uri)
    return "%s@%s" % (parsed.user or "", parsed.host.lower())


class Dialog(object):
    """What the messages of two sides have in common.

    Attributes:
        sides: the addresses with tags, of who has begun and of the other.
    """

    def __init__(self, number, from_, to, call_id=None):
        # type: (int, str, str, Optional[str]) -> None
        self.call_id = call_id or "%d@memory" % number
        self.sides = ["%s;tag=a%d" % (from_, number), to]
        self.tag = ";tag=b%d" % number
        self.cseq = 0

    def begin(self):
        # type: () -> None
        """From now on the other side has a tag."""
        if ";tag=" not in self.sides[1]:
            self.sides[1] += self.tag

    def headers(self, method, content, sender=0, request=True):
        # type: (str, Optional[Content], int, bool) -> str
        """Those of a message that ``sender``, 0 or 1, sends, or of the response to it, as an engine tells them."""
        self.cseq += request
        pairs = [("From", self.sides[sender]), ("To", self.sides[1 - sender]), ("Call-ID", self.call_id)]
        pairs.append(("CSeq", "%d %s" % (self.cseq, method)))
        if content is not None:
            pairs += content.headers
            if content.content_type is not None:
                pairs.append(("Content-Type", content.content_type))
        return "".join("%s: %s\n" % pair for pair in pairs)


class Leg(object):
    """One side of a call.

    Attributes:
        side: 0 for the one that calls, 1 for the one that is called.
        state: "early", "answered" (the ACK is missing) or "up".
        other: the other side; None when its engine was lost.
        owes_ack: a 2xx to its re-INVITE has come.
    """

    def __init__(self, engine, number, dialog, side):
        # type: (Any, int, Dialog, int) -> None
        self.engine = engine
        self.number = number
        self.dialog = dialog
        self.side = side
        self.state = "early"
        self.other = None  # type: Optional[Leg]
        self.owes_ack = False

    def post(self, kind, **fields):
        # type: (str, Any) -> None
        self.engine.post(kind, call=self.number, **fields)

    def end(self, cause, status, reason="", headers="", other=None):
        # type: (str, int, str, str, Optional[str]) -> None
        """End both sides. ``other``: the cause that the other side is told, if it is another one."""
        for leg, why in ((self, cause), (self.other, other or cause)):
            if leg is not None and leg.engine.legs.pop(leg.number, None) is not None:
                leg.engine.forget(leg)
                text = reason or phrase(status)
                leg.post("call-ended", cause=why, status=status, reason=text, headers=headers)
