"""Check the headers and the body of a message before an engine sees them."""

from __future__ import absolute_import, division, print_function

from sipbridge._engine.records import Content
from sipbridge._text.arguments import check_octets
from sipbridge._text.checks import check_line
from sipbridge.errors import InputError
from sipbridge.headers import check_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Tuple

    from sipbridge._engine.records import Parties
    from sipbridge._text.arguments import Body
    from sipbridge.headers import HeaderFields

#: The most octets of a body (SB_MAX_BODY in csrc/contract/engine.h). A library may take fewer.
MAX_BODY = 60000


def make_content(headers, body, content_type):
    # type: (HeaderFields, Optional[Body], Optional[str]) -> Optional[Content]
    """The Content of a message, or None when it has neither headers nor a body.

    Raises InputError for a body that is not bytes or has no content type, and for headers that
    :func:`~sipbridge.headers.check_headers` refuses.
    """
    if not headers and body is None:
        return None
    return content_of(check_headers(headers), body, content_type)


def content_of(pairs, body, content_type):
    # type: (List[Tuple[str, str]], Optional[Body], Optional[str]) -> Content
    """As :func:`make_content`, for header fields that were checked before."""
    if body is None:
        return Content(pairs, None, None)
    body = check_octets(body, "sdp" if content_type == "application/sdp" else "body")
    if len(body) > MAX_BODY:
        raise InputError(
            "a body of %d octets is more than the %d a message may carry" % (len(body), MAX_BODY)
        )
    if content_type is None:
        raise InputError("a body needs a content type, as text/plain or application/sdp")
    return Content(pairs, check_line(content_type, "content type"), body)


#: The most octets of a MESSAGE over a transport without congestion control (RFC 3428, 8).
MAX_MESSAGE = 1300

#: The octets that the engine adds: Via, Call-ID, CSeq, tags, User-Agent and others.
_OWN_HEADERS = 400


class MessageTooLarge(InputError):
    """A MESSAGE is too long to send over UDP. ``remedy`` tells how to send it all the same."""

    def __init__(self, size, remedy="large=True"):
        # type: (int, str) -> None
        super(MessageTooLarge, self).__init__(
            "a MESSAGE of some %d octets is more than the %d that may go over UDP (RFC 3428, 8):"
            " use TCP or TLS, or %s when you know that the way there takes it" % (size, MAX_MESSAGE, remedy)
        )
        self.size = size


def check_message_size(parties, content):
    # type: (Parties, Optional[Content]) -> None
    """Raise MessageTooLarge when a MESSAGE with these parties and content would be longer than MAX_MESSAGE."""
    parts = [parties.to, parties.to, parties.from_ or "", parties.route or ""]
    if content is not None:
        parts += [part for header in content.headers for part in header] + [content.content_type or ""]
    size = _OWN_HEADERS + sum(len(part.encode("utf-8")) for part in parts)
    size += len(content.body or b"") if content is not None else 0
    if size > MAX_MESSAGE:
        raise MessageTooLarge(size)
