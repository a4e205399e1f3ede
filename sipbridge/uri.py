"""SIP URIs and addresses (RFC 3261, 19.1 and 20.10), and the transport addresses of endpoints."""

from __future__ import absolute_import, division, print_function

import re
from collections import namedtuple

from sipbridge.arguments import check_text
from sipbridge.errors import InputError


class Uri(namedtuple("Uri", "scheme user host port parameters headers")):
    """A SIP URI in its parts: text, ``port`` an int or None, ``user`` None where there is none;
    ``parameters`` and ``headers`` as written, without the leading ``;`` and ``?``. A tel URI has its number as
    ``user`` and an empty ``host``.
    """

    __slots__ = ()


class NameAddr(namedtuple("NameAddr", "display_name uri parameters")):
    """An address as in From, To and Contact: display name ("" where there is none), the URI as
    text, and the parameters behind it as written, without the leading ``;``.
    """

    __slots__ = ()


class TransportAddress(namedtuple("TransportAddress", "transport host port")):
    """Where an endpoint listens: ``"udp"``, ``"tcp"`` or ``"tls"``, host, port (0: any)."""

    __slots__ = ()


_TRANSPORTS = ("udp", "tcp", "tls")

_HOST = r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9.])?)"
_PORT = r"(?::(?P<port>[0-9]{1,5}))?"

_SIP_URI = re.compile(
    r"(?P<scheme>sips?):"
    r"(?:(?P<user>(?:[A-Za-z0-9_.!~*'()&=+$,;?/:-]|%[0-9A-Fa-f]{2})+)@)?"
    + _HOST
    + _PORT
    + r"(?:;(?P<parameters>[^?\s<>\"]*))?(?:\?(?P<headers>[^\s<>\"]*))?\Z",
    re.IGNORECASE,
)
_TEL_URI = re.compile(
    r"(?P<scheme>tel):(?P<user>\+?[0-9A-Fa-f*#().-]+)(?:;(?P<parameters>[^\s<>\"?]*))?\Z", re.I
)
# Of text without space around it. No two parts can take the same character, so that it takes linear time.
_NAME_ADDR = re.compile(
    r"(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"\s*|(?P<name>[^<\"]*))<(?P<uri>[^<>]*)>\s*(?:;(?P<parameters>.*))?\Z"
)
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_TRANSPORT_ADDRESS = re.compile(r"(?P<transport>[a-z]+)://" + _HOST + _PORT + r"\Z", re.IGNORECASE)


def _checked_text(value, what):
    text = check_text(value, what)
    found = _CONTROL.search(text)
    if found:
        raise InputError("%s has the control character %r in it: %r" % (what, found.group(), text))
    return text


def _checked_port(text, value):
    if text is None:
        return None
    port = int(text)
    if port > 65535:
        raise InputError("port %d is above 65535 in %r" % (port, value))
    return port


def parse_uri(text):
    """Split a ``sip:``, ``sips:`` or ``tel:`` URI into a :class:`Uri`.

    Raises InputError, quoting it, when it does not parse (RFC 3261, 19.1.1; RFC 3966).
    """
    text = _checked_text(text, "a URI")
    found = _SIP_URI.match(text)
    if found:
        return Uri(
            found.group("scheme").lower(),
            found.group("user"),
            found.group("host"),
            _checked_port(found.group("port"), text),
            found.group("parameters") or "",
            found.group("headers") or "",
        )
    found = _TEL_URI.match(text)
    if found:
        return Uri("tel", found.group("user"), "", None, found.group("parameters") or "", "")
    raise InputError("not a SIP URI: %r (expected something like sip:bob@example.com)" % (text,))


def parse_address(text):
    """Split ``"Bob" <sip:bob@example.com>;tag=1`` or a bare URI into a :class:`NameAddr`.

    A bare URI keeps its parameters, as in a Request-URI; in a From, To or Contact they would be the header's
    (RFC 3261, 20): write ``<...>`` there. Raises InputError, quoting the part, when it does not parse.
    """
    text = _checked_text(text, "an address")
    found = _NAME_ADDR.match(text.strip())
    if not found:
        parse_uri(text.strip())
        return NameAddr("", text.strip(), "")
    parse_uri(found.group("uri"))
    quoted = found.group("quoted")
    name = found.group("name").strip() if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    return NameAddr(name, found.group("uri"), found.group("parameters") or "")


def check_uri(text, what):
    """The URI as text, or InputError; ``what`` it is for."""
    _named(parse_uri, text, what)
    return check_text(text, what)


def check_address(text, what):
    """The URI or name-addr as text, or InputError; parameters behind the ``>`` are the engine's to set."""
    address = _named(parse_address, text, what)
    if address.parameters:
        message = "%s: parameters behind the address are not taken here: %r"
        raise InputError(message % (what, address.parameters))
    return check_text(text, what).strip()


def check_host_port(text, what):
    """As :func:`parse_host_port`, saying what it is for."""
    return _named(parse_host_port, text, what)


def _named(parse, text, what):
    try:
        return parse(text)
    except InputError as error:
        raise InputError("%s: %s" % (what, error))


def address_uri(text):
    """The URI in a From, To or Contact as it came from the network, where anything may stand; "" if none."""
    found = _NAME_ADDR.match(text.strip())
    return found.group("uri") if found else text.partition(";")[0].strip()


def parse_transport_address(text):
    """Split ``udp://host:port`` into a :class:`TransportAddress`; no port means 0, any.

    Raises InputError, quoting it, when it does not parse or the transport is not known.
    """
    text = _checked_text(text, "an endpoint address")
    found = _TRANSPORT_ADDRESS.match(text)
    if not found:
        raise InputError(
            "not an endpoint address: %r (expected something like udp://127.0.0.1:5060)" % (text,)
        )
    transport = found.group("transport").lower()
    if transport not in _TRANSPORTS:
        raise InputError(
            "unknown transport %r in %r (there are %s)" % (transport, text, ", ".join(_TRANSPORTS))
        )
    return TransportAddress(transport, found.group("host"), _checked_port(found.group("port"), text) or 0)


def parse_host_port(text):
    """Split ``host:port`` into (host, port); no port means 0. Raises InputError, quoting it."""
    address = parse_transport_address("udp://" + _checked_text(text, "a host and port"))
    return address.host, address.port
