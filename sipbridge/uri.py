"""SIP URIs and addresses (RFC 3261, 19.1 and 20.10), and the transport addresses of endpoints."""

from __future__ import absolute_import, division, print_function

import re
import warnings

from sipbridge._compat import NamedTuple
from sipbridge._text.arguments import check_text
from sipbridge._text.pattern import Pattern
from sipbridge.errors import InputError, UnreachableContactWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Match, Optional, Tuple, TypeVar

    _T = TypeVar("_T")


class Uri(NamedTuple("Uri", [
    ("scheme", "str"),
    ("user", "Optional[str]"),
    ("host", "str"),
    ("port", "Optional[int]"),
    ("parameters", "str"),
    ("headers", "str"),
])):
    """The parts of a SIP URI: text, but for ``port``, an int or None.

    ``user`` is None when the URI has no user part. ``parameters`` and ``headers`` are as written, without the leading
    ``;`` and ``?``. A tel URI has its number as ``user``, and an empty ``host``.
    """

    __slots__ = ()


class NameAddr(NamedTuple("NameAddr", [("display_name", "str"), ("uri", "str"), ("parameters", "str")])):
    """An address of From, To or Contact: the display name or "", the URI as text, and the parameters behind the URI
    as written, without the leading ``;``.
    """

    __slots__ = ()


class TransportAddress(NamedTuple("TransportAddress", [
    ("transport", "str"),
    ("host", "str"),
    ("port", "int"),
])):
    """The address at which an endpoint listens: ``"udp"``, ``"tcp"`` or ``"tls"``, host, port (0: any)."""

    __slots__ = ()


#: The default port of each transport (RFC 3261, 18.1.1, 19.1.2).
_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}

# The grammar of addresses: RFC 3261, 25.1, and RFC 3966 for tel, plus "_" in a host name and "=" in the value of a
# parameter. csrc/contract/address.c has the same grammar; the tests hold both to tests/data/addresses.txt.
_ESCAPED = r"%[0-9A-Fa-f]{2}"
_USER = r"(?:[A-Za-z0-9_.!~*'()&=+$,;?/-]|" + _ESCAPED + r")+(?::(?:[A-Za-z0-9_.!~*'()&=+$,-]|" + _ESCAPED + r")*)?"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
_IPV6 = r"\[(?=[^\]]*:[^\]]*:)[0-9A-Fa-f:.]{2,45}\]"
_HOST = r"(?P<host>" + _IPV6 + r"|" + _LABEL + r"(?:\." + _LABEL + r")*\.?)"
_PORT = r"(?::(?P<port>[0-9]{1,5}))?"
_NAME = r"(?:[A-Za-z0-9_.!~*'()\[\]/:&+$-]|" + _ESCAPED + r")+"
_VALUE = r"(?:[A-Za-z0-9_.!~*'()\[\]/:&+$=-]|" + _ESCAPED + r")+"
_PARAMETERS = r"(?P<parameters>(?:;" + _NAME + r"(?:=" + _VALUE + r")?)*)"
# Only a URI from the network has headers. They are split off, and not looked into.
_HEADERS = r"(?:\?(?P<headers>[^\s<>\"]*))?"

_SIP_URI = Pattern(
    r"(?P<scheme>sips?):(?:(?P<user>" + _USER + r")@)?" + _HOST + _PORT + _PARAMETERS + _HEADERS + r"\Z",
    re.IGNORECASE,
)
_TEL_URI = Pattern(
    r"(?P<scheme>tel):(?P<user>\+[0-9().-]*[0-9][().-]*|[().-]*[0-9A-Fa-f*#][0-9A-Fa-f*#().-]*)" + _PARAMETERS + r"\Z",
    re.IGNORECASE,
)
_CONTROL_ESCAPE = Pattern(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
# For text without space around it. No character fits two parts of the expression, so matching takes linear time.
_NAME_ADDR = Pattern(
    r"(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"\s*|(?P<name>[^<\"]*))<(?P<uri>[^<>]*)>\s*(?:;(?P<parameters>.*))?\Z"
)
_DISPLAY_NAME = Pattern(r"(?:\"(?:[^\"\\]|\\.)*\" *|[A-Za-z0-9.!%*_+`'~ -]*)\Z")
_CONTROL = Pattern("[\x00-\x1f\x7f]")
_TRANSPORT_ADDRESS = Pattern(r"(?P<transport>[a-z]+)://" + _HOST + _PORT + r"\Z", re.IGNORECASE)


def _checked_text(value, what):
    # type: (object, str) -> str
    text = check_text(value, what)
    found = _CONTROL.search(text)
    if found:
        raise InputError("%s has the control character %r in it: %r" % (what, found.group(), text))
    return text


def _checked_port(text, value):
    # type: (Optional[str], str) -> Optional[int]
    if text is None:
        return None
    port = int(text)
    if port > 65535:
        raise InputError("port %d is above 65535 in %r" % (port, value))
    return port


def parse_uri(text):
    # type: (str) -> Uri
    """Split a ``sip:``, ``sips:`` or ``tel:`` URI into a :class:`Uri`.

    Raises InputError, which quotes the text, when it is no such URI (RFC 3261, 19.1.1; RFC 3966), or when an escape
    in it stands for a control character, which a library would decode and send.
    """
    text = _checked_text(text, "a URI")
    uri = _split_uri(text)
    _refuse_control_escapes(text)
    return uri


def _split_uri(text):
    # type: (str) -> Uri
    found = _SIP_URI.match(text)
    if found:
        return Uri(
            found.group("scheme").lower(),
            found.group("user"),
            found.group("host"),
            _checked_port(found.group("port"), text),
            found.group("parameters")[1:],
            found.group("headers") or "",
        )
    found = _TEL_URI.match(text)
    if found:
        return Uri("tel", found.group("user"), "", None, found.group("parameters")[1:], "")
    raise InputError("not a SIP URI: %r (expected something like sip:bob@example.com)" % (text,))


def _refuse_control_escapes(text):
    # type: (str) -> None
    found = _CONTROL_ESCAPE.search(text)
    if found:
        raise InputError("the text of a URI has the escape %s of a control character in it: %r" % (found.group(), text))


def parse_address(text):
    # type: (str) -> NameAddr
    """Split ``"Bob" <sip:bob@example.com>;tag=1`` or a bare URI into a :class:`NameAddr`.

    A bare URI keeps its parameters, as in a Request-URI. In From, To and Contact they would be parameters of the
    header (RFC 3261, 20), so write ``<...>`` there. Raises InputError, which quotes the wrong part.
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
    # type: (object, str) -> str
    """The URI as text. Raises InputError, which says ``what`` the URI is for.

    A URI from a user must not have headers (``?Subject=hi``), because a library would send them as header fields.
    """
    text = _named(_checked_text, text, what, "a URI")
    _named(_refuse_headers, text, what)
    _named(parse_uri, text, what)
    return text


def check_address(text, what):
    # type: (object, str) -> str
    """The URI or name-addr as text. Raises InputError, which says ``what`` it is for.

    Its URI must not have headers, as for :func:`check_uri`, and nothing may follow the ``>``: the engine sets those
    parameters.
    """
    text = _named(_checked_text, text, what, "an address").strip()
    name, bracket, rest = text.rpartition("<")
    if not bracket:
        return check_uri(text, what)
    uri, bracket, parameters = rest.partition(">")
    _named(_refuse_headers, uri, what)
    _named(parse_address, text, what)
    if parameters:
        raise InputError("%s: parameters behind the address are not taken here: %r" % (what, parameters))
    if not _DISPLAY_NAME.match(name):
        raise InputError("%s: a display name that is more than words stands in quotes: %r" % (what, text))
    return text


def _refuse_headers(uri):
    # type: (str) -> None
    """Raise InputError for a URI with headers. Text that is no URI passes; the caller checks that."""
    found = _SIP_URI.match(uri)
    if found and found.group("headers") is not None:
        raise InputError("a URI has no headers here: %r in %r" % ("?" + found.group("headers"), uri))


def is_wildcard(host):
    # type: (str) -> bool
    """True for the addresses that stand for all those of a machine: ``0.0.0.0``, ``[::]``."""
    return bool(host) and not host.strip("[]0.:")


def warn_of_wildcard(host, what, level=3):
    # type: (str, str, int) -> None
    """Give an UnreachableContactWarning for a wildcard host. ``what`` names the host in the text, ``level`` is the
    stack level of the user's line.
    """
    if is_wildcard(host):
        message = "%s: no peer reaches %s, which stands for every address of a machine"
        warnings.warn(message % (what, host), UnreachableContactWarning, stacklevel=level)


def check_host_port(text, what):
    # type: (object, str) -> Tuple[str, int]
    """(host, port) as :func:`parse_host_port` returns it. The InputError says ``what`` the text is for."""
    return _named(parse_host_port, text, what)


def _named(parse, text, what, *args):
    # type: (Callable[..., _T], object, str, *str) -> _T
    try:
        return parse(text, *args)
    except InputError as error:
        raise InputError("%s: %s" % (what, error))


def address_uri(text):
    # type: (str) -> str
    """The URI in a From, To or Contact from the network, unchecked; "" when there is none."""
    found = _NAME_ADDR.match(text.strip())
    return found.group("uri") if found else text.partition(";")[0].strip()


def parse_transport_address(text):
    # type: (str) -> TransportAddress
    """Split ``udp://host:port`` into a :class:`TransportAddress`. Without a port it has 5060, or 5061 for tls.

    Raises InputError, which quotes the text, when it does not parse or the transport is unknown.
    """
    found = _match_transport_address(text)
    transport = found.group("transport").lower()
    if transport not in _PORTS:
        raise InputError(
            "unknown transport %r in %r (there are %s)" % (transport, text, ", ".join(sorted(_PORTS, reverse=True)))
        )
    port = _checked_port(found.group("port"), text)
    return TransportAddress(transport, found.group("host"), _PORTS[transport] if port is None else port)


def _match_transport_address(text):
    # type: (str) -> Match[str]
    text = _checked_text(text, "an endpoint address")
    found = _TRANSPORT_ADDRESS.match(text)
    if not found:
        raise InputError(
            "not an endpoint address: %r (expected something like udp://127.0.0.1:5060)" % (text,)
        )
    return found


def parse_host_port(text):
    # type: (str) -> Tuple[str, int]
    """Split ``host:port`` into (host, port); without a port it is 0. Raises InputError, which quotes the text."""
    found = _match_transport_address("udp://" + _checked_text(text, "a host and port"))
    return found.group("host"), _checked_port(found.group("port"), text) or 0
