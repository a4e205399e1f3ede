"""An engine in this process, called through the cffi extension of its library. Callers see text, bytes and numbers, and
no object of cffi but the extension itself.
"""

from __future__ import absolute_import, division, print_function

import warnings
from collections import deque

from sipbridge._engine.libraries import choose
from sipbridge._engine.owner import Owner
from sipbridge._engine.records import Vocabulary
from sipbridge.errors import (
    CallStateError,
    EngineError,
    InputError,
    NotSupportedError,
    PeerUnreachable,
    TransportError,
    UnshieldedEngineWarning,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Deque, Dict, NoReturn, Optional, Tuple

    from sipbridge._engine.records import Content, Parties, RawEvent

#: The most events that wait() takes out of the engine at once.
_AT_ONCE = 64

#: libeXosip2 3.x calls TLSv1_method(), which is TLS 1.0; 5.3 takes no connections.
NO_TLS = "tls port %d on %s: the %s engine (%s) has no TLS 1.2; the sofia engine has"

#: The reason in a PeerUnreachable when the library could not begin to send.
NO_WAY = "there is no way there from this endpoint's address"

#: Where the engine refuses TCP; csrc/exosip/library.h says why.
NO_TCP = "tcp port %d on %s: the %s engine (%s) has no TCP; it has on libeXosip2 3.6, and the sofia engine has"

#: The text of UnshieldedEngineWarning.
UNSHIELDED = (
    "the %s engine (%s) has no shield: one malformed datagram can crash this process."
    " Start it with: python -m sipbridge.shield COMMAND..."
)


def _names(lib, prefix):
    # type: (Any, str) -> Dict[int, str]
    """The constants of an enum of the contract: SB_CAUSE_LOCAL_BYE becomes {1: "local-bye"}."""
    constants = [name for name in dir(lib) if name.startswith(prefix)]
    return dict((getattr(lib, name), name[len(prefix) :].lower().replace("_", "-")) for name in constants)


class InProcess(object):
    """An engine in this process, for one endpoint.

    Args:
        name: ``"sofia"``, ``"exosip"`` or None: what the environment variable SIPBRIDGE_ENGINE names, else the
            first that was built.

    Its methods are the functions of csrc/contract/engine.h; they raise instead of returning a code.
    """

    def __init__(self, name=None):
        # type: (Optional[str]) -> None
        module = choose(name)
        self._ffi = module.ffi
        self._lib = module.lib
        self.name = self._ffi.string(self._lib.sb_engine_name()).decode("ascii")  # type: str
        self.version = self._ffi.string(self._lib.sb_engine_version()).decode("ascii", "replace")  # type: str
        self._types = _names(self._lib, "SB_EV_")
        self._causes = _names(self._lib, "SB_CAUSE_")
        self._states = _names(self._lib, "SB_STATE_")
        self._vocabulary = Vocabulary(self.vocabulary())
        self._taken = deque()  # type: Deque[RawEvent]  # that wait() has not returned yet
        self._polled = False  # somebody polls fileno(), so that no event may be taken before it is asked for
        self._opened = 0
        self._flight = 0
        self._last_flight = b""  # what was there when this was closed
        self._owner = Owner()

    @property
    def _handle(self):
        # type: () -> int
        """The first argument of every function. Raises EngineError in a forked process."""
        if self._opened:
            self._owner.check()
        return self._opened

    # -- errors --------------------------------------------------------------------------------------------

    def _raise(self, code, what):
        # type: (int, str) -> NoReturn
        text = "%s: %s" % (what, self._ffi.string(self._lib.sb_error_text(code)).decode("ascii"))
        lib = self._lib
        if code in (lib.SB_EINVAL, lib.SB_ETOOBIG):
            raise InputError(text)
        if code in (lib.SB_ENOENT, lib.SB_ESTATE):
            raise CallStateError(text)
        if code == lib.SB_ENET and self._handle:  # the engine is open, so this is about a request
            raise PeerUnreachable("%s: %s" % (what, NO_WAY), NO_WAY)
        if code in (lib.SB_EADDRINUSE, lib.SB_ENET):
            raise TransportError(text)
        if code == lib.SB_ENOTSUP:
            raise NotSupportedError("%s: the %s engine does not offer it" % (what, self.name), code)
        raise EngineError(text, code)

    def _check(self, code, what):
        # type: (int, str) -> int
        """Return the code, or raise the error that it stands for."""
        if code < 0:
            self._raise(code, what)
        return code

    # -- arguments -----------------------------------------------------------------------------------------

    def _string(self, value):
        # type: (Optional[str]) -> Any
        return self._ffi.NULL if value is None else self._ffi.new("char[]", value.encode("utf-8"))

    def _content(self, content):
        # type: (Optional[Content]) -> Tuple[Any, Any]
        """The sb_content of a :class:`Content` or None, and the objects that it points to."""
        ffi = self._ffi
        if content is None:
            return ffi.NULL, None
        keep = []
        headers = ffi.NULL
        if content.headers:
            headers = ffi.new("sb_header[]", len(content.headers))
            for slot, (name, value) in zip(headers, content.headers):
                slot.name, slot.value = pair = self._string(name), self._string(value)
                keep.append(pair)
        content_type = self._string(content.content_type)
        body = ffi.NULL if not content.body else ffi.from_buffer(content.body)
        keep += [headers, content_type, body]
        record = ffi.new(
            "sb_content *", (headers, len(content.headers), content_type, body, len(content.body or b""))
        )
        return record, keep

    def _parties(self, parties):
        # type: (Parties) -> Tuple[Any, Any]
        keep = [self._string(value) for value in parties]
        return self._ffi.new("sb_parties *", keep), keep

    # -- the engine ----------------------------------------------------------------------------------------

    def open(
        self,
        transport,  # type: str
        host,  # type: str
        port,  # type: int
        advertised=None,  # type: Optional[Tuple[str, int]]
        user_agent=None,  # type: Optional[str]
        outbound_proxy=None,  # type: Optional[str]
        trace=False,  # type: bool
        tls=None,  # type: Optional[Tuple[Optional[str], Optional[str], Optional[str], str]]
        resolv_conf=None,  # type: Optional[str]
        keepalive=0,  # type: int
        last_id=0,  # type: int
        tell_options=False,  # type: bool
        flight=0,  # type: int
    ):
        # type: (...) -> None
        """Bind the address and start the engine.

        ``advertised`` is (host, port) or None, ``tls`` is (certificate, private key, CA file, verify) or None,
        ``resolv_conf`` is a path or None, and ``keepalive`` is in seconds. The engine's handles are above ``last_id``.
        With ``tell_options`` OPTIONS are requests as others. ``flight``: the octets that :meth:`flight_records` keeps.
        Raises TransportError and EngineError.
        """
        if self._opened:
            raise EngineError("this engine was opened before; make one for each endpoint")
        advertised_host, advertised_port = advertised or (None, 0)
        config = self._ffi.new("sb_config *")
        config.transport, config.port = getattr(self._lib, "SB_" + transport.upper()), port
        config.host = host_text = self._string(host)
        config.advertised_host = advertised_text = self._string(advertised_host)
        config.advertised_port = advertised_port
        config.user_agent = agent_text = self._string(user_agent)
        config.outbound_proxy = proxy_text = self._string(outbound_proxy)
        config.resolv_conf = resolver_text = self._string(resolv_conf)
        config.keepalive = keepalive
        config.trace = bool(trace)
        config.tell_options = bool(tell_options)
        config.flight = self._flight = flight
        config.last_id = last_id
        certificate, private_key, ca_file, verify = tls or (None, None, None, "")
        config.tls_certificate = certificate_text = self._string(certificate)
        config.tls_private_key = key_text = self._string(private_key)
        config.tls_ca = ca_text = self._string(ca_file)
        if tls is not None:
            config.tls_verify = getattr(self._lib, "SB_TLS_VERIFY_" + verify.upper())
        code = self._lib.sb_open(config)
        # C code read them until here
        del host_text, advertised_text, agent_text, proxy_text, resolver_text, certificate_text, key_text, ca_text
        if code == self._lib.SB_ENOTSUP and transport == "tls":
            raise NotSupportedError(NO_TLS % (port, host, self.name, self.version), code)
        if code == self._lib.SB_ENOTSUP and transport == "tcp" and self.version.startswith(("3.3.", "5.")):
            raise NotSupportedError(NO_TCP % (port, host, self.name, self.version), code)
        self._owner = Owner()
        self._opened = self._check(code, "%s port %d on %s" % (transport, port, host))
        try:
            self._warn()
        except BaseException:  # a warning may be raised as an error
            self.close(0.0)
            raise

    def _warn(self):
        # type: () -> None
        if self._lib.sb_shielded(self._handle) == 0:
            warnings.warn(UNSHIELDED % (self.name, self.version), UnshieldedEngineWarning, stacklevel=4)

    def close(self, grace):
        # type: (float) -> None
        """Close the engine in about ``grace`` seconds at most. A thread in :meth:`wait` gets an EngineError."""
        if self._flight:
            self._last_flight = self.flight_records()
        self._check(self._lib.sb_close(self._handle, int(min(grace, 3600.0) * 1000)), "close")
        self._taken.clear()

    @property
    def port(self):
        # type: () -> int
        """The local port."""
        return self._check(self._lib.sb_port(self._handle), "port")

    def fileno(self):
        # type: () -> int
        """A file descriptor that is readable while events wait."""
        self._polled = True
        return self._check(self._lib.sb_fd(self._handle), "fileno")

    def wait(self, timeout=None):
        # type: (Optional[float]) -> Optional[RawEvent]
        """The next :class:`RawEvent`, or None when there was none in ``timeout`` seconds (None: no limit).

        Raises EngineError when the engine is closed.
        """
        try:
            return self._taken.popleft()
        except IndexError:
            pass
        milliseconds = -1 if timeout is None else int(timeout * 1000 + 0.999)
        self._taken.extend(self._vocabulary.events(self._frames(milliseconds, 1 if self._polled else _AT_ONCE)[1]))
        return self._taken.popleft() if self._taken else None

    def wake(self):
        # type: () -> None
        """Have an event "wake" after those that wait, for the thread in :meth:`wait`."""
        self._check(self._lib.sb_wake(self._handle), "wake")

    def tells_sources(self):
        # type: () -> bool
        """Whether it knows where messages come from: libeXosip2 itself does not tell, only the shield does."""
        return bool(self._lib.sb_shielded(self._handle) != 0)

    def take_frames(self, most):
        # type: (int) -> Tuple[int, bytes]
        """Take at most ``most`` events: their number, and their octets as frames of the worker protocol."""
        return self._frames(0, min(most, self._lib.SB_MAX_FRAMES))

    def _frames(self, milliseconds, most):
        # type: (int, int) -> Tuple[int, bytes]
        """As :meth:`take_frames`, but wait for the first one."""
        frames, length = self._ffi.new("char **"), self._ffi.new("size_t *")
        count = self._check(self._lib.sb_take_frames(self._handle, milliseconds, most, frames, length), "wait")
        if not count:
            return 0, b""
        try:
            return count, self._ffi.unpack(frames[0], length[0])
        finally:
            self._lib.sb_frames_free(frames[0])

    def flight_records(self):
        # type: () -> bytes
        """The last messages sent and received, as many as there is room for (``flight``); also when this is closed.

        They are records that :func:`sipbridge._engine.flight.parse` reads.
        """
        try:
            return self._flight_octets(False)
        except EngineError:
            return self._last_flight

    def take_flight(self):
        # type: () -> bytes
        """The same, but none of them stays."""
        return self._flight_octets(True) if self._flight else b""

    def _flight_octets(self, take):
        # type: (bool) -> bytes
        records, length = self._ffi.new("char **"), self._ffi.new("size_t *")
        if not self._check(self._lib.sb_flight(self._handle, take, records, length), "flight"):
            return b""
        try:
            octets = self._ffi.unpack(records[0], length[0])  # type: bytes
            return octets
        finally:
            self._lib.sb_frames_free(records[0])

    def vocabulary(self):
        # type: () -> Dict[str, Dict[int, str]]
        """The names for the numbers in the frames: a dict for each of types, causes and states."""
        return {"types": self._types, "causes": self._causes, "states": self._states}

    def probe(self):
        # type: () -> None
        """Return when the engine works. While one of its threads hangs or keeps its lock, this does not return."""
        self._lib.sb_probe(self._handle)

    def ping(self, within):
        # type: (float) -> int
        """Ask for a sign of life of the engine's thread: the event "pong" has the number that this returns, or a later
        one. A worker has so many seconds to take the question.
        """
        number = self._check(self._lib.sb_ping(self._handle), "ping")  # type: int
        return number

    def backlog(self, within):
        # type: (float) -> int
        """How many events wait to be taken by :meth:`wait`. A worker has so many seconds to tell."""
        return len(self._taken) + self._check(self._lib.sb_backlog(self._handle), "backlog")

    def keep(self, what, descriptor):
        # type: (str, int) -> None
        """Keep "backtraces" of a crash, or what was "received" last (a LastReceived). Raises NotSupportedError."""
        self._check(getattr(self._lib, "sb_keep_" + what)(descriptor), "keep")

    def drain(self):
        # type: () -> None
        """From now on answer 503 to OPTIONS outside of calls."""
        self._check(self._lib.sb_drain(self._handle), "drain")

    def add_credentials(self, realm, user, password):
        # type: (Optional[str], str, str) -> None
        code = self._lib.sb_credentials(
            self._handle, self._string(realm), self._string(user), self._string(password)
        )
        self._check(code, "credentials")

    def clear_credentials(self):
        # type: () -> None
        self._check(self._lib.sb_credentials_clear(self._handle), "credentials")

    # -- registrations -------------------------------------------------------------------------------------

    def register(self, registrar, parties, contact, expires):
        # type: (str, Parties, Optional[str], int) -> int
        record, keep = self._parties(parties)
        code = self._lib.sb_register(
            self._handle, self._string(registrar), record, self._string(contact), expires
        )
        del keep
        return self._check(code, "register")

    def refresh(self, registration, expires):
        # type: (int, int) -> None
        self._check(self._lib.sb_register_refresh(self._handle, registration, expires), "refresh")

    def unregister(self, registration):
        # type: (int) -> None
        self._check(self._lib.sb_unregister(self._handle, registration), "unregister")

    def bindings(self, registrar, parties, clear):
        # type: (str, Parties, bool) -> int
        record, keep = self._parties(parties)
        ask = self._lib.sb_register_clear if clear else self._lib.sb_register_query
        code = ask(self._handle, self._string(registrar), record)
        del keep
        return self._check(code, "bindings")

    # -- calls ---------------------------------------------------------------------------------------------

    def call(self, parties, content, call_id=None):
        # type: (Parties, Optional[Content], Optional[str]) -> int
        record, keep_parties = self._parties(parties)
        content_record, keep = self._content(content)
        code = self._lib.sb_call(self._handle, record, self._string(call_id), content_record)
        del keep_parties, keep
        return self._check(code, "call to %s" % parties.to)

    def ring(self, call, status, content):
        # type: (int, int, Optional[Content]) -> None
        record, keep = self._content(content)
        code = self._lib.sb_call_ring(self._handle, call, status, record)
        del keep
        self._check(code, "ring")

    def answer_call(self, call, content):
        # type: (int, Optional[Content]) -> None
        record, keep = self._content(content)
        code = self._lib.sb_call_answer(self._handle, call, record)
        del keep
        self._check(code, "answer")

    def reject(self, call, status, reason, content):
        # type: (int, int, Optional[str], Optional[Content]) -> None
        record, keep = self._content(content)
        code = self._lib.sb_call_reject(self._handle, call, status, self._string(reason), record)
        del keep
        self._check(code, "reject")

    def redirect(self, call, status, contact):
        # type: (int, int, str) -> None
        self._check(self._lib.sb_call_redirect(self._handle, call, status, self._string(contact)), "redirect")

    def ack(self, call, content):
        # type: (int, Optional[Content]) -> None
        record, keep = self._content(content)
        code = self._lib.sb_call_ack(self._handle, call, record)
        del keep
        self._check(code, "ack")

    def hangup(self, call, content):
        # type: (int, Optional[Content]) -> None
        record, keep = self._content(content)
        code = self._lib.sb_call_hangup(self._handle, call, record)
        del keep
        self._check(code, "hangup")

    def call_request(self, call, method, content):
        # type: (int, str, Optional[Content]) -> int
        record, keep = self._content(content)
        code = self._lib.sb_call_request(self._handle, call, self._string(method), record)
        del keep
        return self._check(code, method)

    def reinvite(self, call, content):
        # type: (int, Optional[Content]) -> int
        record, keep = self._content(content)
        code = self._lib.sb_call_reinvite(self._handle, call, record)
        del keep
        return self._check(code, "re-INVITE")

    def answer(self, transaction, status, reason, content):
        # type: (int, int, Optional[str], Optional[Content]) -> None
        record, keep = self._content(content)
        code = self._lib.sb_answer(self._handle, transaction, status, self._string(reason), record)
        del keep
        self._check(code, "answer")

    # -- outside dialogs -----------------------------------------------------------------------------------

    def request(self, method, parties, content):
        # type: (str, Parties, Optional[Content]) -> int
        record, keep_parties = self._parties(parties)
        content_record, keep = self._content(content)
        code = self._lib.sb_request(self._handle, self._string(method), record, content_record)
        del keep_parties, keep
        return self._check(code, "%s to %s" % (method, parties.to))

    def publish(self, parties, event, etag, expires, content):
        # type: (Parties, str, Optional[str], int, Optional[Content]) -> int
        record, keep_parties = self._parties(parties)
        content_record, keep = self._content(content)
        code = self._lib.sb_publish(
            self._handle, record, self._string(event), self._string(etag), expires, content_record
        )
        del keep_parties, keep
        return self._check(code, "PUBLISH")

    # -- subscriptions -------------------------------------------------------------------------------------

    def subscribe(self, parties, event, expires, content):
        # type: (Parties, str, int, Optional[Content]) -> int
        record, keep_parties = self._parties(parties)
        content_record, keep = self._content(content)
        code = self._lib.sb_subscribe(self._handle, record, self._string(event), expires, content_record)
        del keep_parties, keep
        return self._check(code, "SUBSCRIBE")

    def subscribe_refresh(self, subscription, expires):
        # type: (int, int) -> None
        self._check(self._lib.sb_subscribe_refresh(self._handle, subscription, expires), "refresh")

    def unsubscribe(self, subscription):
        # type: (int) -> None
        self._check(self._lib.sb_unsubscribe(self._handle, subscription), "unsubscribe")

    def subscription_accept(self, subscription, status, expires):
        # type: (int, int, int) -> None
        self._check(self._lib.sb_subscription_accept(self._handle, subscription, status, expires), "accept")

    def subscription_reject(self, subscription, status, reason, content=None):
        # type: (int, int, Optional[str], Optional[Content]) -> None
        record, keep = self._content(content)
        code = self._lib.sb_subscription_reject(self._handle, subscription, status, self._string(reason), record)
        del keep
        self._check(code, "reject")

    def notify(self, subscription, state, content):
        # type: (int, str, Optional[Content]) -> None
        record, keep = self._content(content)
        code = self._lib.sb_notify(self._handle, subscription, self._string(state), record)
        del keep
        self._check(code, "NOTIFY")

