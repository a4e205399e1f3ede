"""Leave a call in the middle, so that the endpoint need not wait for its timers: ACK, CANCEL, BYE, or a response."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._replay.addresses import alike
from sipbridge._replay.message import Message, first_of
from sipbridge.uri import address_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Optional, Tuple

    _Heads = List[Tuple[str, str]]

_REASONS = {200: u"OK", 480: u"Temporarily Unavailable", 501: u"Not Implemented"}


def response(request, status):
    # type: (Message, int) -> bytes
    """The octets of an answer without a body."""
    to = request.get(u"to") + (u"" if request.tag(u"to") else u";tag=replay")
    fields = [(u"Via", each.plain) for each in request.all(u"via")]
    fields += [(u"From", request.get(u"from")), (u"To", to)]
    fields += [(u"Call-ID", request.get(u"call-id")), (u"CSeq", request.get(u"cseq"))]
    return _written(u"SIP/2.0 %d %s" % (status, _REASONS[status]), fields)


def messages(sent, heard):
    # type: (List[Message], List[Message]) -> Iterator[Tuple[bytes, Optional[Message]]]
    """What ends the call now, each with the request that it answers, or None.

    Args:
        sent, heard: all messages of today, in their order.
    """
    if any(each.method == u"BYE" for each in sent + heard):
        return
    for found in list(_of_caller(sent, heard)) + list(_of_callee(sent, heard)):
        yield found


def _of_caller(sent, heard):
    # type: (List[Message], List[Message]) -> Iterator[Tuple[bytes, Optional[Message]]]
    for invite in [each for each in sent if each.start.startswith(u"INVITE ")][-1:]:
        answers = [each for each in heard if each.status >= 200 and _answers(each, invite)]
        if not answers:
            if not any(each.start.startswith(u"CANCEL ") for each in sent):
                yield _of(invite, u"CANCEL", invite, invite.branch), None
            return
        last = answers[-1]
        acknowledged = any(each.start.startswith(u"ACK ") and each.cseq[0] == invite.cseq[0] for each in sent)
        if last.status >= 300:
            if not acknowledged:
                yield _of(invite, u"ACK", last, invite.branch), None
            return
        if not acknowledged:
            yield _of(invite, u"ACK", last, None), None
        yield _of(invite, u"BYE", last, None), None


def _of_callee(sent, heard):
    # type: (List[Message], List[Message]) -> Iterator[Tuple[bytes, Optional[Message]]]
    for invite in [each for each in heard if each.start.startswith(u"INVITE ")][-1:]:
        finals = [each for each in sent if each.status >= 200 and _answers(each, invite)]
        if not finals:
            yield response(invite, 480), invite
        elif finals[-1].status < 300:
            yield _back(invite, finals[-1]), None


def _answers(answer, request):
    # type: (Message, Message) -> bool
    return answer.method == request.method and answer.cseq == request.cseq


def _of(invite, method, answer, branch):
    # type: (Message, str, Message, Optional[str]) -> bytes
    """A request of the one who has sent the INVITE. ``branch`` None is a new one."""
    top = first_of(invite.get(u"via"))
    before = invite.branch or u""
    via = top if branch == before or not before else top.replace(before, alike(before))
    uri = (address_uri(first_of(answer.get(u"contact"))) if branch is None else u"") or invite.uri
    found = re.match(u"[0-9]{1,10}", invite.cseq[0])
    number = (int(found.group()) if found else 1) + (method == u"BYE")
    fields = [(u"Via", via), (u"Max-Forwards", u"70"), (u"From", invite.get(u"from")), (u"To", answer.get(u"to"))]
    fields += [(u"Call-ID", invite.get(u"call-id")), (u"CSeq", u"%d %s" % (number, method))]
    return _written(u"%s %s SIP/2.0" % (method, uri), fields)


def _back(invite, answer):
    # type: (Message, Message) -> bytes
    """The BYE of the one who was called."""
    own = re.sub(u"(?i)(\\s*SIP\\s*/\\s*2\\.0\\s*/\\s*\\w+\\s+).*", u"\\1", first_of(invite.get(u"via")))
    place = re.search(u"sips?:(?:[^@\\s<>]*@)?([^\\s;<>?]+)", answer.get(u"contact"))
    uri = address_uri(first_of(invite.get(u"contact"))) or invite.uri
    via = own + (place.group(1) if place else u"0.0.0.0") + u";branch=" + alike(u"z9hG4bK00000000")
    fields = [(u"Via", via), (u"Max-Forwards", u"70"), (u"From", answer.get(u"to")), (u"To", invite.get(u"from"))]
    fields += [(u"Call-ID", invite.get(u"call-id")), (u"CSeq", u"900 BYE")]
    return _written(u"BYE %s SIP/2.0" % uri, fields)


def _written(line, fields):
    # type: (str, _Heads) -> bytes
    lines = [line] + [u"%s: %s" % field for field in fields] + [u"Content-Length: 0", u"", u""]
    return u"\r\n".join(lines).encode("latin-1")
