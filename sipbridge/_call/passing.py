"""What a bridge passes on from one peer to the other when no handler has answered it: offers, keys, transfers.

The answer to what is passed on is the other peer's answer. Everything here runs under the endpoint's lock.
"""

from __future__ import absolute_import, division, print_function

from sipbridge._call import descriptions, sessions, transfer
from sipbridge._call.bridge import Why
from sipbridge._call.incoming import SDP
from sipbridge._engine.content import make_content
from sipbridge.errors import CallStateError, SipbridgeError, quietly
from sipbridge.events import (
    CallConfirmed,
    CallReinvited,
    InfoReceived,
    MessageReceived,
    TransferProgress,
    TransferRequested,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional

    from sipbridge._call.bridge import Bridge
    from sipbridge._call.call import Call
    from sipbridge._engine.response import Response

#: Header fields of an INFO or a MESSAGE that go with its body.
_OF_THE_BODY = ("Info-Package", "Recv-Info", "Content-Disposition", "Content-Language")

#: Responses after which a call is over (RFC 3261, 12.2.1.2).
_DIALOG_IS_GONE = (408, 481)


def take(event):
    # type: (Any) -> bool
    """Pass a request within a call on, if the call is in a bridge. Returns False when it gets its default answer."""
    bridge = None if event.call is None else event.call.bridge
    if bridge is None:
        return False
    with bridge._agent.lock:
        if bridge.state == "connecting" and isinstance(event, CallReinvited):
            event.request.answer_by_default(491)  # an offer of ours is under way, or is about to be
            return True
        return bridge.state == "connected" and bool(bridge._follower.take(event))


def unanswerable(status):
    # type: (int) -> int
    """The status to tell a peer for a refusal by the other: our credentials and the other's address are not its own."""
    return 403 if status in (401, 407) or status < 400 else status


class Passing(object):
    """Passes on what the peers of a connected bridge ask for."""

    def __init__(self, bridge):
        # type: (Bridge) -> None
        self._bridge = bridge
        self._confirming = {}  # type: Dict[Call, Call]  # who offered in a 2xx that we sent: whose answer it waits for
        self._reports = {}  # type: Dict[Call, transfer.Report]  # by the call whose peer is being transferred

    def stop(self):
        # type: () -> None
        """Nothing more is passed on."""

    def seen(self, event):
        # type: (Any) -> None
        """Take an event of one of the calls, before a handler has it."""
        if isinstance(event, CallConfirmed):
            self._confirmed(event)
        elif isinstance(event, TransferProgress):
            report = self._reports.get(event.call)
            if report is not None:
                report.progress(event.transfer)

    def take(self, event):
        # type: (Any) -> bool
        """Pass on a request that no handler has answered. Returns False when it is none to pass on."""
        if event.request.answered:
            return True
        if isinstance(event, CallReinvited):
            self._pass(event, self._reinvite)
        elif isinstance(event, (InfoReceived, MessageReceived)):
            self._pass(event, self._request)
        elif isinstance(event, TransferRequested):
            self._pass(event, self._refer)
        elif event.method == "UPDATE" and event.body:
            self._pass(event, self._update)
        else:
            return False
        return True

    def _pass(self, event, send):
        # type: (Any, Callable[[Any, Call], None]) -> None
        self._bridge._requests.add(event.request)
        try:
            send(event, self._bridge._other(event.call))
        except CallStateError:  # the other peer makes an offer or is being transferred, or its call has ended
            self._refuse(event, 491)
        except SipbridgeError:
            self._refuse(event, 500)

    def _refuse(self, event, status, reason=None):
        # type: (Any, int, Optional[str]) -> None
        self._bridge._requests.discard(event.request)
        quietly(event.request.refuse, unanswerable(status), reason)

    def _answered(self, event, call, response, accept):
        # type: (Any, Call, Response, Callable[[Response], object]) -> None
        """Answer a request as the peer of ``call`` has answered it."""
        self._bridge._requests.discard(event.request)
        if response.ok:
            quietly(accept, response)
            return
        self._refuse(event, response.status, response.reason)
        if response.status in _DIALOG_IS_GONE:
            self._bridge._end(Why("failed", response.status, response.reason, call))

    # -- offers ------------------------------------------------------------------------------------------------

    def _reinvite(self, event, other):
        # type: (CallReinvited, Call) -> None
        offer = None if event.sdp is None else descriptions.offer_for(other, event.sdp)
        accept = self._accept_offer if event.sdp is None else self._accept_answer
        self._begin(event, other, offer, lambda response: accept(event, other, response))

    def _begin(self, event, other, offer, accept):
        # type: (Any, Call, Optional[bytes], Callable[[Response], object]) -> None
        if other._offering:
            self._refuse(event, 491)
            return
        sessions.begin_reinvite(other, offer, lambda response: self._answered(event, other, response, accept))

    def _accept_answer(self, event, other, response):
        # type: (CallReinvited, Call, Response) -> None
        sdp = descriptions.answer_for(event.call, response.body, event.sdp) if response.body else None
        event.request.accept(sdp or event.call.local_sdp, ())

    def _accept_offer(self, event, other, response):
        # type: (CallReinvited, Call, Response) -> None
        """The peer asked for an offer, and the other peer has made one: its ACK will have the answer."""
        self._bridge._unanswered[other] = response.body
        self._confirming[event.call] = other
        event.request.accept(descriptions.offer_for(event.call, response.body), ())

    def _confirmed(self, event):
        # type: (CallConfirmed) -> None
        other = self._confirming.pop(event.call, None)
        offer = None if other is None else self._bridge._unanswered.pop(other, None)
        if other is None or offer is None:
            return
        if event.sdp is None:
            answer = sessions.answer_again(other, offer) or offer
        else:
            answer = descriptions.answer_for(other, event.sdp, offer)
        quietly(other._ack_with, answer, make_content((), answer, SDP))

    def _update(self, event, other):
        # type: (Any, Call) -> None
        offer = descriptions.offer_for(other, event.body)
        self._begin(event, other, offer, lambda response: self._accept_update(event, response))

    def _accept_update(self, event, response):
        # type: (Any, Response) -> None
        call = event.call
        sdp = descriptions.answer_for(call, response.body, event.body) if response.body else call.local_sdp
        event.request.answer(200, None, sdp, SDP, ())
        call._received(event.body)
        call._sent(sdp)

    # -- other requests ----------------------------------------------------------------------------------------

    def _request(self, event, other):
        # type: (Any, Call) -> None
        fields = [(name, event.headers[name]) for name in _OF_THE_BODY if name in event.headers]
        content = make_content(fields, event.body or None, event.content_type)

        def accept(response):
            # type: (Response) -> None
            kind = response.content_type
            event.request.answer(response.status, response.reason, response.body if kind else None, kind, ())

        other._send_within(event.method, content, lambda response: self._answered(event, other, response, accept))

    def _refer(self, event, other):
        # type: (TransferRequested, Call) -> None
        """Pass on a REFER: the other peer calls the target. Its reports are told to the one who asked for it."""
        under_way = transfer.pass_on(event, other, lambda response: self._answered(event, other, response, accept))

        def accept(response):
            # type: (Response) -> None
            silent = transfer.is_silent(response.headers)
            event.request.answer(response.status, None, None, None, [("Refer-Sub", "false")] if silent else ())
            if not silent:
                self._reports[other] = report = transfer.Report(event.call, event.headers)
                report.progress(under_way)
