"""A registrar for the demo alone: it takes REGISTER over UDP with digest authentication, in a thread.

It follows RFC 3261, 10.3 and 22.4: MD5 with qop=auth, a new nonce for each challenge, nonce counts that must grow.
Bindings do not expire.
"""

from __future__ import absolute_import, division, print_function

import hashlib
import re
import socket
import threading
import uuid
from collections import deque
from contextlib import closing

from sipbridge._compat import NamedTuple
from sipbridge.headers import Headers
from sipbridge.uri import address_uri, parse_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Deque, Dict, List, Mapping, Optional, Tuple

_PARAMETER = re.compile(u"([A-Za-z-]+)\\s*=\\s*(?:\"((?:[^\"\\\\]|\\\\.)*)\"|([^\\s,]*))")
_EXPIRES = re.compile(u";\\s*expires\\s*=\\s*([0-9]+)", re.IGNORECASE)

_REMEMBERED = 64  # the number of responses kept for retransmitted requests
_DEFAULT_EXPIRES = 3600  # seconds (RFC 3261, 10.2.1.1)


class Answer(NamedTuple("Answer", [
    ("status", "int"),
    ("reason", "str"),
    ("headers", "List[Tuple[str, str]]"),
])):
    """A response: status code, reason phrase, and pairs for further headers."""

    __slots__ = ()


def digest(user, realm, password, method, parameters):
    # type: (str, str, str, str, Mapping[str, str]) -> str
    """The digest for a challenge with qop=auth (RFC 2617, 3.2.2), from the other parameters of Authorization."""

    def md5(*parts):
        # type: (*str) -> str
        return hashlib.md5(u":".join(parts).encode("utf-8")).hexdigest()

    return md5(
        md5(user, realm, password),
        parameters["nonce"],
        parameters["nc"],
        parameters["cnonce"],
        parameters["qop"],
        md5(method, parameters["uri"]),
    )


class Registrar(object):
    """Binds addresses-of-record to contacts, for users whose passwords it knows. A context manager.

    Args:
        passwords: a dict of user and password.
        realm: the realm in the challenge.

    Attributes:
        bindings: a dict of user and contact URI.
        answers: pairs of user and status, one for each REGISTER that it has answered.
    """

    def __init__(self, passwords, realm="sipbridge demo"):
        # type: (Mapping[str, str], str) -> None
        self._passwords = passwords
        self._realm = realm
        self._nonces = {}  # type: Dict[str, int]  # each nonce with its highest count
        self._answered = deque(maxlen=_REMEMBERED)  # type: Deque[Tuple[str, bytes]]  # (branch, octets)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run, name="demo registrar")
        self._thread.daemon = True
        self.bindings = {}  # type: Dict[str, str]
        self.answers = []  # type: List[Tuple[str, int]]

    @property
    def host_port(self):
        # type: () -> str
        """The "host:port" at which it listens."""
        return "%s:%d" % self._socket.getsockname()

    @property
    def uri(self):
        # type: () -> str
        """Its URI."""
        return "sip:" + self.host_port

    def __enter__(self):
        # type: () -> Registrar
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        # type: (*Any) -> None
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as waker:
            waker.sendto(b"", self._socket.getsockname())  # an empty datagram ends the thread
        self._thread.join(2.0)
        self._socket.close()

    def _run(self):
        # type: () -> None
        while True:
            data, source = self._socket.recvfrom(65535)
            if not data:
                return
            response = self._respond(data, source)
            if response is not None:
                self._socket.sendto(response, source)

    def _respond(self, data, source):
        # type: (bytes, Tuple[str, int]) -> Optional[bytes]
        """The octets of the response to a datagram, or None."""
        start, _, fields = data.decode("utf-8", "replace").replace("\r\n", "\n").partition("\n")
        headers = Headers(fields.partition("\n\n")[0])
        words = start.split(" ")
        if len(words) != 3 or words[2] != "SIP/2.0" or "Via" not in headers or words[0] == "ACK":
            return None
        for via, response in self._answered:
            if via == headers["Via"]:  # a retransmission gets the same response (RFC 3261, 17.2.2)
                return response
        answer = self._answer(words[0], headers)
        response = _compose(answer, headers, source)
        self._answered.append((headers["Via"], response))
        return response

    def _answer(self, method, headers):
        # type: (str, Headers) -> Answer
        if method != "REGISTER":
            return Answer(501, "Not Implemented", [])
        try:
            return self._register(headers)
        except (KeyError, ValueError):
            return Answer(400, "Bad Request", [])

    def _register(self, headers):
        # type: (Headers) -> Answer
        user = parse_uri(address_uri(headers["To"])).user or ""
        answer = self._refusal(user, headers) or self._bind(user, headers)
        self.answers.append((user, answer.status))
        return answer

    # -- authentication ------------------------------------------------------------------------------------

    def _refusal(self, user, headers):
        # type: (str, Headers) -> Optional[Answer]
        """The challenge; None when the digest is right."""
        parameters = dict(
            (name.lower(), quoted or bare)
            for name, quoted, bare in _PARAMETER.findall(headers.get("Authorization", ""))
        )
        needed = ("username", "realm", "nonce", "nc", "cnonce", "qop", "uri", "response")
        if any(not parameters.get(name) for name in needed):
            return self._challenge()
        if not self._is_right(user, parameters):
            return self._challenge()
        count = int(parameters["nc"], 16)
        if count <= self._nonces.get(parameters["nonce"], count):
            return self._challenge(stale=True)
        self._nonces[parameters["nonce"]] = count
        return None

    def _is_right(self, user, parameters):
        # type: (str, Dict[str, str]) -> bool
        password = self._passwords.get(user)
        if password is None or parameters["username"] != user or parameters["realm"] != self._realm:
            return False
        return parameters["response"] == digest(user, self._realm, password, "REGISTER", parameters)

    def _challenge(self, stale=False):
        # type: (bool) -> Answer
        nonce = uuid.uuid4().hex
        self._nonces[nonce] = 0
        value = 'Digest realm="%s", nonce="%s", algorithm=MD5, qop="auth"%s'
        value %= (self._realm, nonce, ", stale=true" if stale else "")
        return Answer(401, "Unauthorized", [("WWW-Authenticate", value)])

    # -- bindings ------------------------------------------------------------------------------------------

    def _bind(self, user, headers):
        # type: (str, Headers) -> Answer
        contact = headers.get("Contact", "")
        found = _EXPIRES.search(contact)
        expires = int(found.group(1) if found else headers.get("Expires", _DEFAULT_EXPIRES))
        if not expires:
            self.bindings.pop(user, None)
        elif contact:  # without Contact, the REGISTER only asks for the bindings
            self.bindings[user] = address_uri(contact)
        bound = [self.bindings[user]] if user in self.bindings else []
        return Answer(200, "OK", [("Contact", "<%s>;expires=%d" % (uri, expires)) for uri in bound])


def _compose(answer, headers, source):
    # type: (Answer, Headers, Tuple[str, int]) -> bytes
    """The octets of the response to a request with these headers (RFC 3261, 8.2.6)."""
    lines = ["SIP/2.0 %d %s" % (answer.status, answer.reason)]
    vias = headers.get_all("Via")
    vias[0] = re.sub(u";rport(?=;|$)", ";received=%s;rport=%d" % source, vias[0])
    lines += ["Via: " + via for via in vias]
    lines += ["From: " + headers.get("From", ""), "To: %s;tag=%s" % (headers.get("To", ""), uuid.uuid4().hex[:8])]
    lines += ["%s: %s" % (name, headers.get(name, "")) for name in ("Call-ID", "CSeq")]
    lines += ["%s: %s" % pair for pair in answer.headers]
    return ("\r\n".join(lines + ["Content-Length: 0"]) + "\r\n\r\n").encode("utf-8")
