"""Where a request came from that a proxy has passed on: the word of proxies that are trusted, and of nobody else."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._engine.records import Source
from sipbridge._text.checks import check_token
from sipbridge._text.networks import Networks, parse_address
from sipbridge._text.parameters import number, split_list
from sipbridge.errors import InputError
from sipbridge.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, List, Optional

    from sipbridge._engine.records import RawEvent

#: "SIP/2.0/UDP 192.0.2.7:5060", without the parameters (RFC 3261, 20.42).
_SENT_BY = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z]+)\s+(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?:\s*:\s*[0-9]+)?\s*\Z", re.IGNORECASE
)
#: What a proxy may write into a header of its own: "192.0.2.7", "192.0.2.7:5060", "udp:192.0.2.7:5060" and
#: "sip:192.0.2.7:5060;transport=udp", IPv6 addresses in brackets where a port follows.
_TOLD = re.compile(
    r"(?:sips?:|(udp|tcp|tls|wss?):)?(\[[0-9A-Fa-f:.]+\]|[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)"
    r"(?::([0-9]{1,5}))?(?:;transport=(udp|tcp|tls|wss?))?\Z",
    re.IGNORECASE,
)
#: A Via that asks for the response at another address (RFC 3261, 18.2.2).
_MADDR = re.compile(r";\s*maddr\s*=", re.IGNORECASE)
#: What may make a ";" be no separator, to some parsers. No Via needs it.
_QUOTING = re.compile(r"[\\\"'<>()]")


class Trust(object):
    """Whose word is taken, and from which header.

    Args:
        networks: text, as ``"192.0.2.0/24"``: where the trusted proxies are.
        header: the name of the header that they write the source into; None for Via.

    Raises InputError.
    """

    def __init__(self, networks, header):
        # type: (Iterable[str], Optional[str]) -> None
        self._networks = Networks(networks, "trusted_proxies")
        self._header = None if header is None else check_token(header, "source_header")
        if self._header is not None and not self._networks:
            raise InputError("source_header is for trusted_proxies, and there are none")

    def source_of(self, raw):
        # type: (RawEvent) -> Optional[Source]
        """Where the request of an event came from; of a response, whom it came from."""
        source = raw.source
        if source is None or not raw.request_uri or not self._networks.has(source.address):
            return source
        headers = Headers(raw.headers)
        if self._header is not None:
            return _told(headers.get_all(self._header)) or source
        return self._by_via(source, split_list(headers.get_all("Via")))

    def _by_via(self, source, vias):
        # type: (Source, List[str]) -> Source
        """Each proxy has noted in the Via below its own whom it had the request from (RFC 3261, 18.2.1)."""
        for via in vias[1:]:
            if not self._networks.has(source.address):
                break
            before = _noted(via)
            if before is None:
                break
            source = before
        return source


def leads_elsewhere(raw):
    # type: (RawEvent) -> bool
    """Whether the topmost Via of a request has its response sent to another address than it came from.

    Then who sent it may have written a false source address into a datagram, and gets the answer all the same. Over
    TCP and TLS the source cannot be false, and the response takes the connection.
    """
    source, vias = raw.source, Headers(raw.headers).get_all("Via")
    if source is None or source.transport != "udp" or not vias:
        return False
    here = parse_address(source.address)
    received = _values(split_list(vias)[0].split(";")[1:], "received")
    return bool(_MADDR.search(vias[0])) or any(parse_address(each.strip("[]")) != here for each in received)


def _told(values):
    # type: (List[str]) -> Optional[Source]
    """The source in a header that is there once; None: there is none, or nobody can know who wrote which."""
    found = _TOLD.match(values[0].strip()) if len(values) == 1 else None
    if found is None or parse_address(found.group(2).strip("[]")) is None:
        return None
    transport = found.group(1) or found.group(4)
    return Source(found.group(2).strip("[]"), _port(found.group(3)), None if transport is None else transport.lower())


def _noted(via):
    # type: (str) -> Optional[Source]
    """Whom the server that is above this Via had the request from. None: it does not say, or it is not clear."""
    if _QUOTING.search(via):  # what stands in quotes is the sender's, and may look like the proxy's; or it hides that
        return None
    parts = [part.strip() for part in via.split(";")]
    sent_by = _SENT_BY.match(parts[0])
    received, rport = [_values(parts[1:], name) for name in ("received", "rport")]
    if sent_by is None or len(received) > 1 or len(rport) > 1:  # one of two may be the sender's own
        return None
    host = (received[0] if received else sent_by.group(2)).strip("[]")
    if parse_address(host) is None:
        return None
    return Source(host, _port(rport[0] if rport else None), sent_by.group(1).lower())


def _values(parameters, name):
    # type: (List[str], str) -> List[str]
    pairs = [each.partition("=") for each in parameters]
    return [value.strip() for found, _, value in pairs if found.strip().lower() == name]


def _port(text):
    # type: (Optional[str]) -> Optional[int]
    return None if text is None else number(text, 65535)
