"""What SUBSCRIBE and PUBLISH have in common: the event package and the body."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import text_type
from sipbridge._engine.content import make_content
from sipbridge._engine.records import Content
from sipbridge._text.arguments import check_sequence, check_text
from sipbridge._text.checks import check_line
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Optional, Union

    from sipbridge._text.arguments import Body
    from sipbridge.headers import HeaderFields

#: The headers that the engine writes from the arguments.
_OWN = frozenset(["event", "o", "expires", "subscription-state", "sip-if-match"])

_PACKAGE = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+[ \t]*(;.*)?\Z")


def package_content(headers, body, content_type, accept=None):
    # type: (HeaderFields, Optional[Body], Optional[str], Union[None, str, Iterable[str]]) -> Optional[Content]
    """The Content of a SUBSCRIBE or PUBLISH. Raises InputError."""
    content = make_content(headers, body, content_type)
    for name, _ in () if content is None else content.headers:
        if name.lower() in _OWN:
            raise InputError("the header %r is written from the arguments" % (name,))
    if accept is None:
        return content
    kinds = [accept] if isinstance(accept, (str, text_type)) else check_sequence(accept, "accept")
    listed = ", ".join(check_text(each, "accept") for each in kinds)
    pair = ("Accept", check_line(listed, "media type in accept"))
    if content is None:
        return Content([pair], None, None)
    return content._replace(headers=list(content.headers) + [pair])


def check_event(event):
    # type: (str) -> str
    """The event package as text: a token with parameters (RFC 6665, 8.4). Raises InputError."""
    event = check_line(event, "event package")
    if not _PACKAGE.match(event):
        raise InputError("not an event package: %r" % (event,))
    return event
