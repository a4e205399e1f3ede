"""Place a call. An INVITE that is refused may be sent again for the same call: to the target of a redirection (RFC
3261, 8.1.3.4), or with a longer session interval (RFC 4028, 7.4).
"""

from __future__ import absolute_import, division, print_function

import binascii
import os

from sipbridge._call.call import SDP, Call
from sipbridge._call.replacing import supporting
from sipbridge._engine.content import make_content
from sipbridge._engine.records import tell
from sipbridge._engine.response import Response
from sipbridge._later import later
from sipbridge._text.arguments import check_whole
from sipbridge._text.checks import check_call_id
from sipbridge._text.parameters import parse_parameters, split_list
from sipbridge.errors import EngineLost, InputError, PeerUnreachable, SipbridgeError, quietly
from sipbridge.events import CallEnded
from sipbridge.headers import Headers, check_headers
from sipbridge.uri import address_uri, parse_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, List, Optional, Tuple, Union

    from sipbridge import identity
    from sipbridge._call import session_timer
    from sipbridge._call.agent import Agent
    from sipbridge._engine.records import Parties, RawEvent
    from sipbridge._text.arguments import Body
    from sipbridge.headers import HeaderFields
else:
    identity, session_timer = later("sipbridge.identity", "sipbridge._call.session_timer")


def check_redirects(number):
    # type: (int) -> int
    """The number of redirections to follow. Raises InputError."""
    return check_whole(number, "follow_redirects", 0, 70)


def prepare(
    agent,  # type: Agent
    to,  # type: str
    sdp=None,  # type: Optional[Body]
    headers=(),  # type: HeaderFields
    from_=None,  # type: Optional[str]
    route=None,  # type: Optional[str]
    content_type=SDP,  # type: str
    follow_redirects=0,  # type: int
    session_expires=None,  # type: Optional[int]
    asserted_identity=None,  # type: Union[None, str, Iterable[str]]
    privacy=(),  # type: Union[str, Iterable[str]]
    call_id=None,  # type: Optional[str]
):
    # type: (...) -> Call
    """Make a Call whose INVITE :func:`send` sends. :meth:`~sipbridge.Endpoint.invite` explains arguments and errors."""
    parties = agent.parties(to, from_, route)
    headers = check_headers(headers)
    if asserted_identity is not None or privacy != ():
        headers = headers + identity.identity_headers(asserted_identity, None, privacy)
    content = make_content(headers, sdp, content_type)
    sdp = None if content is None else content.body
    number = _new_call_id() if call_id is None else check_call_id(call_id)
    call = Call(agent, False, address_uri(parties.to), Headers(), sdp, None, parties.to, number)
    call._own = "" if parties.from_ is None else address_uri(parties.from_)
    if session_expires is not None or agent.session_expires is not None:
        interval = session_timer.check_interval(session_expires) or agent.session_expires or 0
        call._session_timer = session_timer.SessionTimer(call, interval)
    call._attempt = Attempt(call, parties, headers, sdp, content_type, check_redirects(follow_redirects))
    call._attempt.is_named = call_id is not None
    return call


def send(call):
    # type: (Call) -> None
    """Send the INVITE of a call, under the endpoint's lock. Raises InputError when another call has its Call-ID."""
    attempt, calls = call._attempt, call._agent.calls
    if attempt is None:
        return
    if attempt.is_named and any(each.call_id == call.call_id for each in calls.values()):
        raise InputError("call_id: there is a call with it: %r" % (call.call_id,))
    try:
        call._id = attempt.begin()
    except SipbridgeError as error:
        _note_failure(call, error)
        raise
    calls[call._id] = call
    if call._agent.observers.call_started:
        call._agent.observers.note("call_started", call)


def _note_failure(call, error):
    # type: (Call, SipbridgeError) -> None
    """Tell observers of a call that ended before it began: the caller gets the error and no Call."""
    observers = call._agent.observers
    if isinstance(error, InputError) or not (observers.call_started or observers.call_ended):
        return
    cause = "failed"  # type: Any
    if isinstance(error, (EngineLost, PeerUnreachable)):
        cause = "engine-lost" if isinstance(error, EngineLost) else "unreachable"
    ended = CallEnded(call, cause, 503, "%s" % error, Headers())
    tell(ended, call.started, None)
    observers.note("call_started", call)
    observers.note("call_ended", ended)


def place(agent, to, *arguments, **options):
    # type: (Agent, str, *Any, **Any) -> Call
    """Send an INVITE. Returns the Call. :meth:`~sipbridge.Endpoint.invite` explains arguments and errors."""
    call = prepare(agent, to, *arguments, **options)
    try:
        with agent.lock:
            send(call)
    finally:
        agent.observers.tell()
    return call


def _new_call_id():
    # type: () -> str
    """One that nobody else has or can guess, and that tells nothing of this host (RFC 3261, 8.1.1.4)."""
    return binascii.hexlify(os.urandom(16)).decode("ascii")


def leave(calls, proxy):
    # type: (Iterable[Call], str) -> None
    """A proxy is silent: calls of which it has told nothing go by the next one. Under the lock."""
    for call in calls:
        if call._attempt is not None:
            call._attempt.leave(proxy)


class Attempt(object):
    """Sends the INVITE of a call, and sends it again when a refusal allows that. Use it under the endpoint's lock.

    Args:
        call: the Call.
        parties, headers, sdp, content_type: those of the INVITE, checked.
        redirects: the number of further targets to try.

    Attributes:
        is_named: True when the program has chosen the Call-ID.
    """

    def __init__(self, call, parties, headers, sdp, content_type, redirects):
        # type: (Call, Parties, Iterable[Tuple[str, str]], Optional[Body], str, int) -> None
        self._call = call
        self._parties = parties
        self._headers = list(headers)
        self._body = sdp, content_type
        self._left = redirects
        self._passed = []  # type: List[Optional[str]]  # the proxies that failed, where there are several
        self._queue = []  # type: List[str]
        self._tried = set([_key(address_uri(parties.to))])
        self.is_named = False

    def send(self):
        # type: () -> int
        """Send the INVITE. Returns the engine's number of the call."""
        call = self._call
        trunk = call._agent.trunk_of(self._parties.route)
        if trunk is not None:
            trunk.sent(self._parties.route)
        fields = self._headers + ([] if call._session_timer is None else call._session_timer.offer())
        content = make_content(supporting(fields), *self._body)
        return call._engine.call(self._parties, content, call.call_id)

    def begin(self):
        # type: () -> int
        """Send it for the first time: by the next proxy where one cannot be reached."""
        while True:
            try:
                return self.send()
            except PeerUnreachable as error:
                if not self._rerouted(503, error.reason):
                    raise

    def leave(self, proxy):
        # type: (str) -> None
        """That proxy is silent. Where nothing was heard of the INVITE, it goes by the next one."""
        call = self._call
        number, silent = call._id, call.state == "calling" and not list(call.headers)
        if silent and self._parties.route == proxy and self._rerouted(408) and self._sent():
            call._agent.calls.pop(number, None)
            quietly(call._engine.hangup, number, None)

    def _rerouted(self, status, reason=""):
        # type: (int, str) -> bool
        """The proxy that it went by has failed. Whether there is another to take."""
        route = self._parties.route
        trunk = self._call._agent.trunk_of(route)
        if trunk is None or not self._call._agent.heard(route, Response(status, reason, Headers(), b"")):
            return False
        self._passed.append(route)
        following = trunk.route(self._passed)
        if following is None:
            return False
        self._parties = self._parties._replace(route=following)
        return True

    def again(self, raw):
        # type: (RawEvent) -> bool
        """After a refusal: send the INVITE again if that makes sense. Returns True when the call goes on."""
        call = self._call
        if call.state != "calling" or raw.cause not in ("rejected", "redirected", "timeout", "unreachable", "failed"):
            return False
        silent = raw.cause in ("timeout", "unreachable") and not list(call.headers)
        if silent or (raw.cause, raw.status) == ("rejected", 503):
            if self._rerouted(503) and self._sent():
                return True
        if raw.status == 422 and call._session_timer is not None:
            return call._session_timer.raised(Headers(raw.headers)) and self._sent()
        if raw.status >= 600:
            return False
        if raw.cause == "redirected":
            self._queue = _contacts(Headers(raw.headers)) + self._queue
        return self._next_target()

    def _next_target(self):
        # type: () -> bool
        while self._queue and self._left:
            uri = self._queue.pop(0)
            if _key(uri) in self._tried:  # 8.1.3.4: do not try a URI twice
                continue
            self._tried.add(_key(uri))
            self._left -= 1
            self._parties = self._parties._replace(to="<%s>" % uri)
            if self._sent():
                self._call.request_uri, self._call._peer = uri, uri
                return True
        return False

    def _sent(self):
        # type: () -> bool
        try:
            number = self.send()
        except SipbridgeError:
            return False
        self._call._id = number
        self._call._agent.calls[number] = self._call
        return True


def _key(uri):
    # type: (str) -> str
    return uri.lower()


def _contacts(headers):
    # type: (Headers) -> List[str]
    """The URIs in the Contact of a redirection, those with the highest q first, without the headers in them."""
    found = []  # type: List[Tuple[float, int, str]]
    for item in split_list(headers.get_all("Contact")):
        uri = address_uri(item).partition("?")[0]
        try:
            if parse_uri(uri).scheme in ("sip", "sips"):
                found.append((-_q(item), len(found), uri))
        except InputError:
            pass
    return [uri for _, _, uri in sorted(found)]


def _q(item):
    # type: (str) -> float
    try:
        return min(1.0, max(0.0, float(parse_parameters(item)[1].get("q", "1"))))
    except ValueError:
        return 1.0
