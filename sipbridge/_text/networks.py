"""IP addresses as numbers, and networks of them: ``192.0.2.0/24``, ``2001:db8::/32``."""

from __future__ import absolute_import, division, print_function

import socket
import struct

from sipbridge._compat import NamedTuple
from sipbridge._text.arguments import check_sequence, check_text
from sipbridge._text.parameters import number
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, Optional, Set, Tuple

#: One subscriber has at least as many bits of IPv6 addresses to choose from (RFC 6177): they count as one source.
IPV6_SITE = 64

#: What the bits of an IPv4 address begin with that is written as one of IPv6 (RFC 4291, 2.5.5.2).
_MAPPED = 0xFFFF


class Network(NamedTuple("Network", [("family", "int"), ("bits", "int"), ("length", "int")])):
    """Addresses that begin with the same ``length`` bits."""

    __slots__ = ()

    @property
    def text(self):
        # type: () -> str
        """As ``192.0.2.0/24``; a single address has no length."""
        width = 32 if self.family == socket.AF_INET else 128
        bits = self.bits << (width - self.length)
        words = [bits >> shift & 0xFFFFFFFF for shift in range(width - 32, -1, -32)]
        shown = socket.inet_ntop(self.family, struct.pack("!%dI" % len(words), *words))
        return shown if self.length == width else "%s/%d" % (shown, self.length)


class Address(NamedTuple("Address", [("family", "int"), ("bits", "int"), ("width", "int")])):
    """An IP address as a number of so many bits."""

    __slots__ = ()

    def network(self, length):
        # type: (int) -> Network
        """The network of that length that it is in."""
        return Network(self.family, self.bits >> (self.width - length), length)

    @property
    def site(self):
        # type: () -> Network
        """What counts as one source: an IPv4 address alone, a /64 of IPv6."""
        return self.network(self.width if self.width == 32 else IPV6_SITE)


def parse_address(text):
    # type: (str) -> Optional[Address]
    """The IP address in a text, or None. An IPv4 address that is written as ``::ffff:192.0.2.7`` is that address."""
    found = _parse(text)
    if found is not None and found.width == 128 and found.bits >> 32 == _MAPPED:
        return Address(socket.AF_INET, found.bits & 0xFFFFFFFF, 32)
    return found


def _parse(text):
    # type: (str) -> Optional[Address]
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        octets = socket.inet_pton(family, str(text))
    except (socket.error, ValueError):
        return None
    bits = 0
    for part in struct.unpack("!%dI" % (len(octets) // 4), octets):
        bits = bits << 32 | part
    return Address(family, bits, 8 * len(octets))


def check_network(value, what):
    # type: (object, str) -> Network
    """A network, or a single address, as a :class:`Network`. Raises InputError."""
    shown = check_text(value, what + ": a network")
    host, slash, length = shown.partition("/")
    address = _parse(host)
    if address is None or (slash and number(length) is None) or (slash and int(length) > address.width):
        raise InputError("%s: not a network: %r (expected something like 192.0.2.0/24)" % (what, shown))
    if address.width == 128 and address.bits >> 32 == _MAPPED:
        raise InputError("%s: write %r as the IPv4 network that it is" % (what, shown))
    kept = int(length) if slash else address.width
    network = address.network(kept)
    if network.bits << (address.width - kept) != address.bits:
        raise InputError("%s: %r has bits of a host behind the /%d" % (what, shown, kept))
    return network


class Networks(object):
    """Some networks. To look an address up takes as long as there are lengths among them, however many they are.

    Args:
        values: text, as ``"192.0.2.0/24"``.
        what: the name of the argument, for errors.

    Raises InputError.
    """

    def __init__(self, values, what):
        # type: (Iterable[str], str) -> None
        self._kept = {}  # type: Dict[Tuple[int, int], Set[int]]  # the bits of each family and length
        for value in check_sequence(values, what):
            network = check_network(value, what)
            self._kept.setdefault((network.family, network.length), set()).add(network.bits)

    def __bool__(self):
        # type: () -> bool
        return bool(self._kept)

    __nonzero__ = __bool__  # Python 2

    def has(self, text):
        # type: (str) -> bool
        """Whether an address is in one of them."""
        address = parse_address(text) if self._kept else None
        if address is None:
            return False
        return any(
            family == address.family and address.bits >> (address.width - length) in kept
            for (family, length), kept in self._kept.items()
        )
