"""Who is calling, said by the network, and what is not to be told: RFC 3325 and RFC 3323."""

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

#: What From says of a caller who does not want to be known (RFC 3323, 4.1.1.3): for ``from_=``.
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
        asserted, preferred: a URI or name-addr, or several of them; None: no such header. Assert what your
            server is trusted to know; prefer what you would like it to assert (RFC 3325, 9.1, 9.2).
        privacy: a word or several of "header", "session", "user", "id", "none", "critical" (RFC 3323, 4.2).

    Raises InputError.
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
    """The addresses in P-Asserted-Identity, as NameAddrs; what is none is left out."""
    found = []
    for item in split_list(headers.get_all("P-Asserted-Identity")):
        try:
            found.append(parse_address(item))
        except InputError:
            pass
    return tuple(found)


def privacy(headers):
    # type: (Headers) -> FrozenSet[str]
    """The words in Privacy, as a frozenset in lower case."""
    words = (word.strip().lower() for value in headers.get_all("Privacy") for word in value.split(";"))
    return frozenset(word for word in words if word)
