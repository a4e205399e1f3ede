"""The caller's identity as the network asserts it (RFC 3325), and the privacy that a user asks for (RFC 3323)."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import text_type
from sipbridge._text.arguments import check_sequence, check_text
from sipbridge._text.parameters import split_list
from sipbridge.errors import InputError
from sipbridge.uri import check_address, parse_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import FrozenSet, Iterable, List, Tuple, Union

    from sipbridge.headers import Headers
    from sipbridge.uri import NameAddr

#: The From of a caller who wants to stay anonymous (RFC 3323, 4.1.1.3). Give it as ``from_=``.
ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'

_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+\Z")


def identity_headers(
    asserted=None,  # type: Union[None, str, Iterable[str]]
    preferred=None,  # type: Union[None, str, Iterable[str]]
    privacy=(),  # type: Union[None, str, Iterable[str]]
):
    # type: (...) -> List[Tuple[str, str]]
    """P-Asserted-Identity, P-Preferred-Identity and Privacy as pairs for ``headers=``.

    Args:
        asserted: for P-Asserted-Identity: a URI or name-addr, several of them, or None for no header. Use it when the
            next hop trusts your server (RFC 3325, 9.1).
        preferred: for P-Preferred-Identity, likewise: the identity that the next hop should assert (9.2).
        privacy: one or more of "header", "session", "user", "id", "none", "critical" (RFC 3323, 4.2), or None.

    Raises InputError when an argument is none of these.
    """
    fields = [("P-Asserted-Identity", each) for each in _addresses(asserted, "asserted_identity")]
    fields += [("P-Preferred-Identity", each) for each in _addresses(preferred, "preferred_identity")]
    words = [check_text(each, "privacy") for each in _several(privacy, "privacy")]
    for word in words:
        if not _TOKEN.match(word):
            raise InputError("privacy is words as id or user, not %r" % (word,))
    return fields + ([("Privacy", ";".join(words))] if words else [])


def _several(value, what):
    # type: (Union[None, str, Iterable[str]], str) -> List[str]
    if value is None:
        return []
    return [value] if isinstance(value, (str, text_type)) else check_sequence(value, what)


def _addresses(value, what):
    # type: (Union[None, str, Iterable[str]], str) -> List[str]
    return [_bracketed(check_address(each, what)) for each in _several(value, what)]


def _bracketed(address):
    # type: (str) -> str
    return address if "<" in address else "<%s>" % address


def asserted_identities(headers):
    # type: (Headers) -> Tuple[NameAddr, ...]
    """The addresses in P-Asserted-Identity (RFC 3325, 9.1) as NameAddrs. Malformed ones are left out."""
    found = []
    for item in split_list(headers.get_all("P-Asserted-Identity")):
        try:
            found.append(parse_address(item))
        except InputError:
            pass
    return tuple(found)


def privacy(headers):
    # type: (Headers) -> FrozenSet[str]
    """The words in Privacy (RFC 3323, 4.2), a frozenset in lower case."""
    words = (word.strip().lower() for value in headers.get_all("Privacy") for word in value.split(";"))
    return frozenset(word for word in words if word)
