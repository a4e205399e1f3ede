"""Offers within a call (RFC 3264): re-INVITE, UPDATE, hold and resume, and the default answer to the peer's offer."""

from __future__ import absolute_import, division, print_function

import random

from sipbridge import negotiation
from sipbridge._call.incoming import SDP
from sipbridge._compat import monotonic
from sipbridge._engine.content import make_content
from sipbridge._text.arguments import check_timeout, check_whole
from sipbridge.errors import CallStateError, InputError, ResponseError, SipbridgeError, check_up
from sipbridge.sdp import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional

    from sipbridge._call.call import Call
    from sipbridge._engine.records import Content
    from sipbridge._engine.response import Response
    from sipbridge._text.arguments import Body
    from sipbridge.headers import HeaderFields


def is_held(description):
    # type: (Optional[bytes]) -> bool
    """True when the author of this description wants to receive nothing (RFC 3264, 8.4). False for None."""
    try:
        return description is not None and parse(description).is_held
    except InputError:  # a peer may send anything
        return False


def answer_again(call, offer):
    # type: (Call, Optional[bytes]) -> Optional[bytes]
    """The default answer to a re-INVITE: our description in force, held or resumed as the ``offer`` asks; or None.

    When a description does not parse, it is our last one, unchanged.
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
    """Raise CallStateError when we must not make an offer now (RFC 3264, 4; RFC 3311, 5.1)."""
    if call._their_offer is not None and not call._their_offer.answered:
        raise CallStateError("the peer's offer waits for your answer: no offer may be made before")


def reinvite(call, sdp, headers, timeout, glare_retries):
    # type: (Call, Optional[Body], HeaderFields, Optional[float], int) -> Response
    """Do what :meth:`~sipbridge.Call.reinvite` does."""
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


def begin_reinvite(call, sdp, on_response):
    # type: (Call, Optional[Body], Callable[[Response], object]) -> None
    """Send a re-INVITE, under the endpoint's lock. Calls ``on_response`` when its final response has been taken.

    Raises what :meth:`~sipbridge.Call.reinvite` raises before it waits.
    """
    check_offer(call)

    def arrived(response):
        # type: (Response) -> object
        _reinvite_answered(call, response, sdp)
        return on_response(response)

    call._send_within("INVITE", make_content((), sdp, SDP), arrived)
    call._offering = True


def glare_delay(call):
    # type: (Call) -> float
    """Seconds to wait after a 491 (RFC 3261, 14.1); random."""
    first, last = (0.0, 2.0) if call.incoming else (2.1, 4.0)  # the side that made the Call-ID waits longer
    return random.randint(int(first * 100), int(last * 100)) / 100.0


def _offer(call, transaction):
    # type: (Call, int) -> int
    call._offering = True
    return transaction


def _reinvite_answered(call, response, sdp):
    # type: (Call, Response, Optional[Body]) -> None
    """Take the answer to our re-INVITE, in time or late. ``sdp`` is the offer in that re-INVITE, or None."""
    call._offering = False
    if response.ok:
        call._sent(sdp)
    call._reinvited(response, sdp is not None)


def _answer_late(call, response):
    # type: (Call, Response) -> None
    """Answer the peer's offer in a 2xx for which nobody waits any more, with our description in force."""
    if not response.ok or not response.body:
        return
    sdp = answer_again(call, response.body)
    try:
        call._engine.ack(call._id, make_content((), sdp, SDP))
    except SipbridgeError:  # the call has ended, or is ending
        return
    call.local_sdp = sdp


def _await_turn(call, deadline):
    # type: (Call, Optional[float]) -> bool
    """Wait the random time of RFC 3261, 14.1. Returns False when the deadline comes first, or the call ends."""
    seconds = glare_delay(call)
    if deadline is not None and seconds > deadline - monotonic():
        return False
    return not call._agent.wait(lambda: call.state != "established", seconds)


def update(call, sdp, headers, timeout):
    # type: (Call, Optional[Body], HeaderFields, Optional[float]) -> Response
    """Do what :meth:`~sipbridge.Call.update` does."""
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
    """Do what :meth:`~sipbridge.Call.hold` and :meth:`~sipbridge.Call.resume` do. ``method`` is one of these names."""
    check_timeout(timeout)
    if call.state != "established":
        check_up(call, method)
        raise CallStateError("%s: the call is %s, not established" % (method, call.state))
    if call.local_sdp is None:
        raise CallStateError("%s: no session was offered or answered by us" % method)
    if call._offering:
        raise CallStateError("%s: the answer to our last offer is still to come" % method)
    if call.on_hold == wanted:
        return None
    changed = getattr(parse(call._wanted_sdp or b""), method)().following(parse(call.local_sdp))
    return call.reinvite(changed.raw, timeout=timeout)
