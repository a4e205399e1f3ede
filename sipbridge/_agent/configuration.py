"""Check the arguments of an endpoint, before an engine sees them."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import NamedTuple
from sipbridge._later import later
from sipbridge._text.arguments import check_file, check_kind, check_path
from sipbridge._text.checks import check_line, check_seconds
from sipbridge.errors import InputError
from sipbridge.uri import check_host_port, check_uri, is_wildcard, warn_of_wildcard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Optional, Protocol, Sequence, Tuple, Union

    from sipbridge import hep as _hep
    from sipbridge import record as _record
    from sipbridge import tls as _tls
    from sipbridge._access.authenticator import Authenticator
    from sipbridge._access.bans import BanList
    from sipbridge._access.limits import SourceLimits
    from sipbridge._agent import admission as _admission
    from sipbridge._agent import sources as _sources
    from sipbridge._agent import trunk as _trunk
    from sipbridge._agent.admission import Admission, Refuse, Rules
    from sipbridge._agent.agent import Agent
    from sipbridge._agent.sources import Trust
    from sipbridge._agent.trunk import Trunk
    from sipbridge._call import session_timer
    from sipbridge._engine import local_address
    from sipbridge.hep import CaptureAgent
    from sipbridge.record import Recorder
    from sipbridge.tls import Tls
    from sipbridge.uri import TransportAddress

    class Flight(Protocol):
        """What the endpoint knows of a FlightRecorder, whose module is above this one."""

        octets = 0  # type: int

        def begin(self, endpoint, engine, told, given, transport, host, port):
            # type: (Any, Any, Any, Dict[str, Any], str, str, int) -> None
            raise NotImplementedError

        def settle(self, timeout):
            # type: (float) -> None
            raise NotImplementedError

        def close(self):
            # type: () -> None
            raise NotImplementedError
else:
    _hep, _record, _tls, _admission, _sources, _trunk, session_timer, local_address = later(
        "sipbridge.hep",
        "sipbridge.record",
        "sipbridge.tls",
        "sipbridge._agent.admission",
        "sipbridge._agent.sources",
        "sipbridge._agent.trunk",
        "sipbridge._call.session_timer",
        "sipbridge._engine.local_address",
    )

#: The most seconds between pings on a silent connection: SB_MAX_KEEPALIVE (csrc/contract/engine.h).
MAX_KEEPALIVE = 86400

class Settings(NamedTuple("Settings", [
    ("advertised", "Optional[Tuple[str, int]]"),
    ("user_agent", "Optional[str]"),
    ("proxies", "Tuple[str, ...]"),
    ("tls", "Optional[Tls]"),
    ("resolv_conf", "Optional[str]"),
    ("keepalive", "int"),
])):
    """The arguments with which an engine is opened, besides its address."""

    __slots__ = ()


def checked(
    local,  # type: TransportAddress
    address,  # type: str
    advertised,  # type: Optional[str]
    user_agent,  # type: Optional[str]
    outbound_proxy,  # type: Union[None, str, Sequence[str]]
    tls,  # type: Optional[Tls]
    resolv_conf,  # type: Optional[str]
    keepalive,  # type: Optional[int]
):
    # type: (...) -> Settings
    """The :class:`Settings` for the engine. ``local`` is the parsed ``address``. Raises InputError."""
    tls = _check_tls(tls, local, address)
    named = None if advertised is None else check_host_port(advertised, "advertised")
    if named is not None:
        warn_of_wildcard(named[0], "advertised", 4)
    return Settings(
        named,
        None if user_agent is None else check_line(user_agent, "user agent"),
        check_proxies(outbound_proxy, "outbound_proxy"),
        tls,
        None if resolv_conf is None else check_file(resolv_conf, "resolv_conf"),
        check_keepalive(keepalive, local.transport),
    )


def check_proxies(value, what):
    # type: (Union[None, str, Sequence[str]], str) -> Tuple[str, ...]
    """The URIs of a proxy, or of several, none for None; or InputError."""
    if value is None:
        return ()
    proxies = tuple(value) if isinstance(value, (list, tuple)) and value else (value,)
    return tuple(check_uri(each, what) for each in proxies)


def make_trunk(agent, proxies):
    # type: (Agent, Tuple[str, ...]) -> Optional[Trunk]
    """What chooses among several proxies; None where there is nothing to choose from."""
    return _trunk.Trunk(agent, proxies) if len(set(proxies)) > 1 else None


def _check_tls(tls, local, address):
    # type: (Optional[Tls], TransportAddress, str) -> Optional[Tls]
    """The Tls for an address, or None for an address without TLS. Raises InputError."""
    if tls is None and local.transport != "tls":
        return None
    if tls is None:
        return _tls.Tls()
    check_kind(tls, _tls.Tls, "tls")
    if local.transport != "tls":
        raise InputError("certificates are for an address that begins with tls://, not %r" % (address,))
    return tls


def check_keepalive(value, transport):
    # type: (Optional[int], str) -> int
    """Seconds between pings on a connection; 0 for None. Raises InputError."""
    if value is None:
        return 0
    if transport == "udp":
        raise InputError(
            "keepalive is for TCP and TLS, whose connections are sent pings (RFC 5626, 4.4.1); over UDP ask the peer"
            " with OPTIONS: endpoint.watch(uri, interval)"
        )
    if check_seconds(value, "keepalive") > MAX_KEEPALIVE:
        raise InputError("keepalive must be %d s at most, not %r" % (MAX_KEEPALIVE, value))
    return value


def check_session_interval(seconds):
    # type: (Optional[int]) -> Optional[int]
    """The session interval (RFC 4028) in seconds, or None. Raises InputError."""
    if seconds is None:
        return None
    return session_timer.check_interval(seconds)


def make_recorder(record):
    # type: (Union[None, str, Recorder]) -> Optional[Recorder]
    """The recorder itself, a new one for a path, or None. Raises InputError."""
    if record is None:
        return None
    return record if isinstance(record, _record.Recorder) else _record.Recorder(check_path(record, "record"))


def make_rules(allow, bans, limits, authenticator):
    # type: (Optional[Iterable[str]], Optional[BanList], Optional[SourceLimits], Optional[Authenticator]) -> Optional[Rules]
    """Who may call, or None: everybody. Raises InputError."""
    if allow is None and bans is None and limits is None and authenticator is None:
        return None
    return _admission.make_rules(allow, bans, limits, authenticator)


def make_admission(agent, rules, refuse):
    # type: (Agent, Optional[Rules], Refuse) -> Optional[Admission]
    """What applies these rules, or None. Raises NotSupportedError where the engine does not know enough for them."""
    if rules is None:
        return None
    rules.check_engine(agent.engine)
    return _admission.Admission(agent, rules, refuse)


def make_capture_agent(hep):
    # type: (Union[None, str, CaptureAgent]) -> Optional[CaptureAgent]
    """The agent itself, a new one for a capture server, or None. Raises InputError."""
    return hep if hep is None or isinstance(hep, _hep.CaptureAgent) else _hep.CaptureAgent(hep)


def check_flight(flight):
    # type: (Any) -> Optional[Flight]
    """The flight recorder, or None. Raises InputError."""
    if flight is None or (hasattr(flight, "octets") and hasattr(flight, "begin")):
        return flight  # type: ignore[no-any-return]  # it cannot be imported here
    raise InputError("flight must be a FlightRecorder (sipbridge.flight), not %r" % (flight,))


def make_trust(networks, header):
    # type: (Iterable[str], Optional[str]) -> Optional[Trust]
    """Whose word about sources is taken, or None: nobody's; or InputError."""
    return None if networks == () and header is None else _sources.Trust(networks, header)


def reachable(host):
    # type: (str) -> str
    """The host; for a wildcard, an address of this machine that others can use."""
    if not is_wildcard(host):
        return host
    return local_address.reachable(host)
