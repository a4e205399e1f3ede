"""Offers within a call (RFC 3264): re-INVITE, UPDATE, hold and resume, and what answers an offer of the peer."""

from __future__ import absolute_import, division, print_function

import random

from sipbridge import negotiation
from sipbridge._call.incoming import SDP
from sipbridge._compat import monotonic
from sipbridge._engine.content import make_content
from sipbridge._text.arguments import check_timeout, check_whole
from sipbridge.errors import CallStateError, InputError, ResponseError, SipbridgeError
from sipbridge.sdp import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from sipbridge._call.call import Call
    from sipbridge._engine.records import Content
    from sipbridge._engine.response import Response
    from sipbridge._text.arguments import Body
    from sipbridge.headers import HeaderFields


def is_held(description):
    # type: (Optional[bytes]) -> bool
    """Whether whoever gave this description, or None, does not want to receive (RFC 3264, 8.4)."""
    try:
        return description is not None and parse(description).is_held
    except InputError:  # it may be the peer's, and anything
        return False


def answer_again(call, offer):
    # type: (Call, Optional[bytes]) -> Optional[bytes]
    """What a re-INVITE that nobody answered gets: what is in force, held or resumed as the ``offer`` asks; bytes.

    Also None. Descriptions that cannot be read are repeated as they were sent.
    """
    if offer is None or call.local_sdp is None:
        return call.local_sdp
    try:
        theirs, wanted, last = (parse(each) for each in (offer, call._wanted_sdp or b"", call.local_sdp))
    except InputError:
        return call.local_sdp
    return negotiation.answer_again(theirs, wanted).following(last).raw


def check_offer(call):
    # type: (Call) -> None
    """Whether an offer may be made now (RFC 3264, 4; RFC 3311, 5.1)."""
    if call._their_offer is not None and not call._their_offer.answered:
        raise CallStateError("the peer's offer waits for your answer: no offer may be made before")


def reinvite(call, sdp, headers, timeout, glare_retries):
    # type: (Call, Optional[Body], HeaderFields, Optional[float], int) -> Response
    """:meth:`~sipbridge.Call.reinvite`."""
    content = make_content(headers, sdp, SDP)
    check_whole(glare_retries, "glare_retries", 0, 100)
    check_timeout(timeout)
    deadline = None if timeout is None else monotonic() + timeout
    while True:
        try:
            return _reinvite(call, sdp, content, deadline)
        except ResponseError as error:
            if error.status != 491 or not glare_retries or not _await_turn(call, deadline):
                raise
        glare_retries -= 1


def _reinvite(call, sdp, content, deadline):
    # type: (Call, Optional[Body], Optional[Content], Optional[float]) -> Response
    check_offer(call)
    return call._agent.transact(
        lambda: _offer(call, call._engine.reinvite(call._id, content)),
        None if deadline is None else max(0.0, deadline - monotonic()),
        "re-INVITE",
        call,
        lambda response: _reinvite_answered(call, response, sdp),
        (lambda response: _answer_late(call, response)) if sdp is None else None,
    )


def _offer(call, transaction):
    # type: (Call, int) -> int
    call._offering = True
    return transaction


def _reinvite_answered(call, response, sdp):
    # type: (Call, Response, Optional[Body]) -> None
    """The answer to a re-INVITE of ours came, late or not; ``sdp`` is what it offered, or None."""
    call._offering = False
    if response.ok:
        call._sent(sdp)
    call._reinvited(response, sdp is not None)


def _answer_late(call, response):
    # type: (Call, Response) -> None
    """The peer's offer came in a 2xx that nobody waits for any more: it is answered with what is in force."""
    if not response.ok or not response.body:
        return
    sdp = answer_again(call, response.body)
    try:
        call._engine.ack(call._id, make_content((), sdp, SDP))
    except SipbridgeError:  # it has ended, or is ending
        return
    call.local_sdp = sdp


def _await_turn(call, deadline):
    # type: (Call, Optional[float]) -> bool
    """Wait as RFC 3261, 14.1 has it. False when there is no time for that, or the call ends."""
    first, last = (0.0, 2.0) if call.incoming else (2.1, 4.0)  # who made the Call-ID waits longer
    seconds = random.randint(int(first * 100), int(last * 100)) / 100.0
    if deadline is not None and seconds > deadline - monotonic():
        return False
    return not call._agent.wait(lambda: call.state != "established", seconds)


def update(call, sdp, headers, timeout):
    # type: (Call, Optional[Body], HeaderFields, Optional[float]) -> Response
    """:meth:`~sipbridge.Call.update`."""
    content = make_content(headers, sdp, SDP)
    if sdp is None:
        return call._agent.transact(
            lambda: call._engine.call_request(call._id, "UPDATE", content), timeout, "UPDATE", call
        )
    check_offer(call)
    return call._agent.transact(
        lambda: _offer(call, call._engine.call_request(call._id, "UPDATE", content)),
        timeout,
        "UPDATE",
        call,
        lambda response: _update_answered(call, response, sdp),
    )


def _update_answered(call, response, sdp):
    # type: (Call, Response, Optional[Body]) -> None
    call._offering = False
    if response.ok:
        call._received(response.body)
        call._sent(sdp)


def change_direction(call, method, wanted, timeout):
    # type: (Call, str, bool, Optional[float]) -> Optional[Response]
    """:meth:`~sipbridge.Call.hold` and :meth:`~sipbridge.Call.resume`, which is the ``method``."""
    check_timeout(timeout)
    if call.state != "established":
        raise CallStateError("%s: the call is %s, not established" % (method, call.state))
    if call.local_sdp is None:
        raise CallStateError("%s: no session was offered or answered by us" % method)
    if call._offering:
        raise CallStateError("%s: the answer to our last offer is still to come" % method)
    if call.on_hold == wanted:
        return None
    changed = getattr(parse(call._wanted_sdp or b""), method)().following(parse(call.local_sdp))
    return call.reinvite(changed.raw, timeout=timeout)
