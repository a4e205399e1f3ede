"""What a message carries, checked before an engine sees it."""

from __future__ import absolute_import, division, print_function

from sipbridge._engine.records import Content
from sipbridge._text.arguments import check_octets
from sipbridge._text.checks import check_line
from sipbridge.errors import InputError
from sipbridge.headers import check_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from sipbridge._engine.records import Parties
    from sipbridge._text.arguments import Body
    from sipbridge.headers import HeaderFields

#: Octets that a body may have at most (SB_MAX_BODY in csrc/contract/engine.h); an engine's library may take fewer.
MAX_BODY = 60000


def make_content(headers, body, content_type):
    # type: (HeaderFields, Optional[Body], Optional[str]) -> Optional[Content]
    """A Content of pairs, bytes and a media type, or None when there is nothing to carry.

    Raises InputError for a body that is not bytes or has no content type, and for what
    :func:`~sipbridge.headers.check_headers` refuses.
    """
    if not headers and body is None:
        return None
    pairs = check_headers(headers)
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


#: Octets of a MESSAGE over a transport that nothing keeps from clogging (RFC 3428, 8).
MAX_MESSAGE = 1300

#: What the engine adds to the headers that are known here: Via, Call-ID, CSeq, tags, User-Agent and the like.
_OWN_HEADERS = 400


class MessageTooLarge(InputError):
    """A MESSAGE of so many octets; ``remedy`` is how to say that it may go all the same."""

    def __init__(self, size, remedy="large=True"):
        # type: (int, str) -> None
        super(MessageTooLarge, self).__init__(
            "a MESSAGE of some %d octets is more than the %d that may go over UDP (RFC 3428, 8):"
            " use TCP or TLS, or %s when you know that the way there takes it" % (size, MAX_MESSAGE, remedy)
        )
        self.size = size


def check_message_size(parties, content):
    # type: (Parties, Optional[Content]) -> None
    """MessageTooLarge when a MESSAGE between these, with this, would be longer than MAX_MESSAGE."""
    parts = [parties.to, parties.to, parties.from_ or "", parties.route or ""]
    if content is not None:
        parts += [part for header in content.headers for part in header] + [content.content_type or ""]
    size = _OWN_HEADERS + sum(len(part.encode("utf-8")) for part in parts)
    size += len(content.body or b"") if content is not None else 0
    if size > MAX_MESSAGE:
        raise MessageTooLarge(size)
