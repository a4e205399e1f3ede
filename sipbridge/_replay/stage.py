"""Set the stage: who plays whom, from which address, over which transport."""

from __future__ import absolute_import, division, print_function

import socket

from sipbridge._capture.passed import host_port
from sipbridge._engine.local_address import SOMEWHERE, source_address
from sipbridge._replay.fitting import Fitting
from sipbridge._replay.links import KINDS, Watched
from sipbridge._replay.player import Player
from sipbridge._text.parameters import parse_parameters
from sipbridge.errors import InputError, NotSupportedError, PeerUnreachable
from sipbridge.uri import is_wildcard, parse_transport_address, parse_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import AbstractSet, Callable, List, Optional, Tuple, Union

    from sipbridge._replay.dialogue import Dialogue
    from sipbridge._replay.fitting import Settings
    from sipbridge._replay.links import Link
    from sipbridge._replay.player import Pace


def target_of(uri, recorded):
    # type: (str, str) -> Tuple[str, int, str]
    """Host, port and transport of the endpoint's URI; the recorded transport where it names none.

    Raises InputError and NotSupportedError.
    """
    parsed = parse_uri(uri)
    named = parse_parameters(";" + parsed.parameters)[1].get("transport")
    transport = "tls" if parsed.scheme == "sips" else (named or recorded).lower()
    if transport not in KINDS:
        raise NotSupportedError("a call is played over udp and tcp, not over %s" % transport)
    host, port = parsed.host.strip("[]"), parsed.port or 5060
    try:
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0][4]
    except (socket.error, UnicodeError):
        raise PeerUnreachable("there is no address for %s" % host)
    return str(found[0]), port, transport


def play(dialogue, settings, pace, tell, to=None, local=None, ignored=frozenset(), begin=None, look=None):
    # type: (Dialogue, Settings, Pace, Callable[[List[str]], None], Optional[str], Optional[str], AbstractSet[str], Optional[Callable[[Player, str], object]], Optional[Callable[[], object]]) -> Player
    """Play a dialogue. Returns the Player, which tells how many messages differed.

    Args:
        to: the URI of the endpoint, if it is called.
        local: the address to use here, "udp://host:port"; any port of this machine where it is None.
        begin: called with the Player and its address, "udp://host:port", before it plays; or None.
        look: called now and then while it waits; what that raises ends the play. Or None.

    Raises what :meth:`Player.play` raises, TransportError, and NotSupportedError.
    """
    if (to is None) != (dialogue.role == "callee"):
        raise InputError(
            "the %s is played: give %s" % (dialogue.role, "--listen" if dialogue.role == "callee" else "--to")
        )
    place = None if local is None else parse_transport_address(local)
    peer, transport = None, place.transport if place else dialogue.transport
    if to is not None:
        host, port, transport = target_of(to, dialogue.transport)
        peer = host_port(host, port)
    if transport not in KINDS or (place and place.transport != transport):
        raise NotSupportedError("a call is played over udp and tcp, the same on both sides")
    own = place.host.strip("[]") if place else source_address(host, port) or "127.0.0.1"
    bound = KINDS[transport](own, (place.port or 0) if place else 0)
    link = bound if look is None else Watched(bound, look)  # type: Union[Link, Watched]
    try:
        shown = own
        if is_wildcard(own):
            shown = source_address(host if peer else SOMEWHERE, 5060) or "127.0.0.1"
        fitting = Fitting(dialogue, shown, host_port(shown, link.port), peer, transport, settings)
        address = "%s://%s" % (transport, host_port(shown, link.port))
        tell(["listening on " + address] if peer is None else [])
        player = Player(dialogue, fitting, link, peer, pace, tell, ignored)
        if begin is not None:
            begin(player, address)
        player.play()
        return player
    finally:
        link.close()
