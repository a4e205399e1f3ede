"""Where the SIP port of a Container is, from inside and from outside. For Python 3 alone."""

from __future__ import annotations

from typing import Any, NamedTuple

from sipbridge._engine.container_client import is_local, sdk, why_no_host_network
from sipbridge._engine.free_port import free_port
from sipbridge._engine.local_address import reachable
from sipbridge.errors import EngineError, InputError, NotSupportedError, TransportError
from sipbridge.uri import is_wildcard

#: What the daemon says of a port that somebody else has: Docker's own, another program, on Docker Desktop.
_TAKEN = ("port is already allocated", "address already in use", "ports are not available")

#: The name of the network that is this machine's own.
HOST = "host"


class Way(NamedTuple):
    """How peers get to an engine in a container.

    Attributes:
        bind: the address that the engine binds in the container.
        port: the port, in the container and outside of it; 0: in this machine's network, the engine chooses one.
        advertised: host and port that Contact names, or None: what the engine binds.
        options: of the container's host configuration: its network, and the port that is published.
        exposed: the container's ports: number and protocol.
    """

    bind: str
    port: int
    advertised: tuple[str, int] | None
    options: dict[str, Any]
    exposed: list[tuple[int, str]]


def find(
    client: Any, network: str, transport: str, host: str, port: int, advertised: tuple[str, int] | None
) -> Way:
    """The Way for an endpoint's address. A port 0 becomes one that is free now.

    Raises InputError when nobody knows the address that peers reach, NotSupportedError and TransportError.
    """
    if network == HOST:
        reason = why_no_host_network(client)
        if reason:
            raise NotSupportedError(
                f'network="host": {reason}; without it, the port is published, which works everywhere'
            )
        return Way(host, port, advertised, {"network_mode": HOST}, [])
    six = ":" in host
    _check_network(client, network, six)
    local = is_local(client)
    if not port:
        if not local:
            raise InputError("the Docker daemon is not on this machine: give the endpoint a port, and not 0")
        port = free_port(host, transport)
    protocol = "udp" if transport == "udp" else "tcp"
    options = {
        "network_mode": network,
        "port_bindings": {f"{port}/{protocol}": (f"[{host}]" if six else host, port)},
    }
    bind = "::" if six else "0.0.0.0"
    return Way(bind, port, advertised or (_known(host, local), port), options, [(port, protocol)])


def _check_network(client: Any, network: str, six: bool) -> None:
    try:
        about = client.inspect_network(network)
    except sdk().errors.NotFound as error:
        raise InputError(f"network: Docker has no network {network!r}") from error
    if six and not about.get("EnableIPv6"):
        raise NotSupportedError(
            f"the Docker network {network} has no IPv6: docker network create --ipv6 NAME, and network=NAME; or"
            ' network="host" on Linux'
        )


def _known(host: str, local: bool) -> str:
    """The address at which peers reach a published port. Raises InputError when nobody knows it."""
    if not is_wildcard(host):
        return host
    found = reachable(host).strip("[]")
    if not local:
        raise InputError(
            f"{host} is every address of the machine that Docker runs on, which is not this one: say at which peers"
            ' reach it, advertised="host:port"'
        )
    if found in ("127.0.0.1", "::1"):
        raise InputError(
            f"{host} is every address of this machine, which has no default route: say at which address peers reach"
            ' it, advertised="host:port"'
        )
    return found


def taken(transport: str, host: str, port: int, error: EngineError) -> TransportError:
    """The error of an endpoint whose port somebody else has."""
    return TransportError(f"{transport} port {port} on {host}: in use ({error})")


def is_port_taken(error: EngineError) -> bool:
    """Whether a container did not start because its port is in use."""
    text = str(error).lower()
    return any(each in text for each in _TAKEN)
