"""Transfer a call with a REFER within its dialog (RFC 3515, 5589): either side may be we.

The transferor sends the REFER. Its peer, the transferee, places a call to the target and reports in NOTIFYs how that
goes. The REFER begins a subscription to these NOTIFYs (RFC 6665), and the last NOTIFY ends it.
"""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._call.replacing import in_place_of
from sipbridge._engine.content import make_content
from sipbridge._engine.records import Content
from sipbridge._text.arguments import check_pairs, check_timeout
from sipbridge._text.parameters import number, parse_parameters
from sipbridge.errors import (
    CallStateError,
    InputError,
    ResponseError,
    SipbridgeError,
    TimeoutError,
    naming,
)
from sipbridge.events import CallAnswered, CallEnded, CallProgress, TransferProgress, TransferRequested
from sipbridge.headers import Headers
from sipbridge.replaces import target_of, with_replaces
from sipbridge.uri import address_uri, check_address, check_uri, parse_address, parse_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Literal, Mapping, Optional, Tuple, Union

    from sipbridge._call.call import Call
    from sipbridge._call.incoming import IncomingRequest
    from sipbridge._engine.response import Response
    from sipbridge._text.arguments import Body
    from sipbridge.headers import HeaderFields

    #: The values of ``Transfer.state``.
    State = Literal["pending", "accepted", "ended"]

SDP = "application/sdp"
SIPFRAG = "message/sipfrag;version=2.0"

#: The seconds of the subscription, as the transferor is told. It ends with the call in any case.
_SUBSCRIPTION = 180

_STATUS_LINE = re.compile(br"\s*SIP/2\.0[ \t]+([1-6][0-9]{2})(?![0-9])([^\r\n]*)", re.IGNORECASE)


def is_final(status):
    # type: (int) -> bool
    """True for the status code of a final response."""
    return status >= 200


def is_silent(headers):
    # type: (Headers) -> bool
    """True for a REFER, or its 2xx, of which there are no reports (RFC 4488, 4)."""
    return headers.get("Refer-Sub", "").strip().lower() == "false"


# -- the transferor ------------------------------------------------------------------------------------


class Transfer(object):
    """A transfer that we asked the peer of a call for. :meth:`~sipbridge.Call.begin_transfer` makes it.

    Attributes:
        call: the call whose peer calls the target.
        target: the target's URI, text.
        status, reason: the status code and reason phrase of the target's response, as the peer reported last; 0 and
            "" before its first report.
        state: "pending" until the peer accepts the REFER, then "accepted", then "ended".
    """

    def __init__(self, call, target):
        # type: (Call, str) -> None
        self.call = call
        self.target = target
        self.status = 0  # type: int
        self.reason = ""  # type: str
        self.state = "pending"  # type: State

    def __repr__(self):
        # type: () -> str
        return "<Transfer to %s %s %d>" % (self.target, self.state, self.status)

    @property
    def succeeded(self):
        # type: () -> bool
        """True once the target has answered the peer's call with a 2xx."""
        return 200 <= self.status <= 299

    def wait_ended(self, timeout=60.0):
        # type: (Optional[float]) -> None
        """Wait at most ``timeout`` seconds (None: no limit) until the target has answered the peer's call.

        Raises TimeoutError, ResponseError when the target refuses, and CallStateError when the call with the peer or
        the subscription ends before the result is known.
        """
        agent = self.call._agent
        check_timeout(timeout)
        with naming(self.call):
            if not agent.wait(lambda: self.state == "ended" or self.call.ended is not None, timeout):
                raise TimeoutError("%r: no result in %s s" % (self, timeout))
            if self.succeeded:
                return
            if is_final(self.status):
                raise ResponseError(self.status, self.reason, Headers())
            raise CallStateError("%r: it ended before there was a result" % (self,))

    # -- for the endpoint, under its lock -------------------------------------------------------------------

    def _accepted(self, response):
        # type: (Response) -> None
        if not response.ok or self.state == "ended":
            return
        without = is_silent(response.headers)
        self.state = "ended" if without else "accepted"
        if without:
            self.status, self.reason = response.status, response.reason

    def _notified(self, headers, body):
        # type: (Headers, bytes) -> Optional[TransferProgress]
        """Take a NOTIFY of the peer. Returns the event, or None when the NOTIFY tells nothing new."""
        found = _STATUS_LINE.match(body)
        over = parse_parameters(headers.get("Subscription-State", ""))[0].lower() == "terminated"
        before = self.status, self.state
        if found:
            self.status = int(found.group(1))
            self.reason = found.group(2).decode("utf-8", "replace").strip()
        if over or is_final(self.status):
            self.state = "ended"
        if (self.status, self.state) == before:
            return None
        return TransferProgress(self.call, self, self.status, self.reason, self.state == "ended")


def begin(call, to, headers, timeout):
    # type: (Call, Union[str, Call], HeaderFields, Optional[float]) -> Transfer
    """Send the REFER. Returns the Transfer once the peer has accepted it with a 2xx."""
    check_timeout(timeout)
    fields = [("Refer-To", _refer_to(call, to))]
    if call.local_uri:
        fields.append(("Referred-By", "<%s>" % call.local_uri))
    fields += check_pairs(headers)
    content = make_content(fields, None, None)
    transfer = Transfer(call, address_uri(fields[0][1]).partition("?")[0])

    def send():  # under the lock
        # type: () -> int
        if call._transfer is not None and call._transfer.state != "ended":
            raise CallStateError("a transfer of this call is under way: %r" % (call._transfer,))
        transaction = call._engine.call_request(call._id, "REFER", content)
        call._transfer = transfer
        return transaction

    try:
        call._agent.transact(send, timeout, "REFER", call, transfer._accepted)
    except BaseException:
        transfer.state = "ended"
        raise
    return transfer


def pass_on(event, call, on_response):
    # type: (TransferRequested, Call, Callable[[Response], object]) -> Transfer
    """Send the REFER of another call's peer to the peer of ``call``, under the lock. Returns the Transfer."""
    if call._transfer is not None and call._transfer.state != "ended":
        raise CallStateError("a transfer of this call is under way: %r" % (call._transfer,))
    by = event.headers.get("Referred-By", "<%s>" % event.call.remote_uri)
    fields = [("Refer-To", event.headers["Refer-To"]), ("Referred-By", by)]
    fields += [("Refer-Sub", "false")] if is_silent(event.headers) else []
    transfer = Transfer(call, event.target)

    def arrived(response):
        # type: (Response) -> object
        transfer._accepted(response)
        if not response.ok:
            transfer.state = "ended"
        return on_response(response)

    call._send_within("REFER", make_content(fields, None, None), arrived)
    call._transfer = transfer
    return transfer


def _refer_to(call, to):
    # type: (Call, Union[str, Call]) -> str
    """The value of Refer-To for a URI, a name-addr, or the peer of a call (RFC 5589, 7.3)."""
    other = getattr(to, "_core", to)  # type: Any  # for a call of sipbridge.aio
    if not hasattr(other, "call_id"):
        address = parse_address(check_address(to, "to"))
        return "<%s>" % address.uri
    if other is call:
        raise InputError("a call cannot be transferred to its own peer")
    target = (address_uri(other.headers.get("Contact", "")) or other.remote_uri).partition("?")[0]
    try:
        parse_uri(target)
    except InputError as error:  # the address is the peer's, not an argument of the user
        raise CallStateError("%r cannot be the target of a transfer: %s" % (other, error))
    return "<%s>" % with_replaces(target, in_place_of(other))


def notified(call, headers, body, request):
    # type: (Call, Headers, bytes, IncomingRequest) -> Optional[TransferProgress]
    """Take a NOTIFY within a call: answer it if it belongs to a transfer, and return its event."""
    if parse_parameters(headers.get("Event", ""))[0].lower() != "refer":
        return None
    transfer = call._transfer
    if transfer is None or (transfer.state == "ended" and not is_final(transfer.status)):
        request.answer_by_default(481)
        return None
    request.answer_by_default(200)
    return transfer._notified(headers, body)


# -- the transferee ------------------------------------------------------------------------------------


def requested(call, headers, body, request):
    # type: (Call, Headers, bytes, IncomingRequest) -> Optional[TransferRequested]
    """Take a REFER within a call. Returns the event for the user, or None: it was refused, or asks for no INVITE."""
    values = headers.get_all("Refer-To")
    try:
        uri = parse_uri(target_of(headers)) if len(values) == 1 else None
    except InputError:
        uri = None
    if uri is None:
        request.answer_by_default(400)  # RFC 3515, 2.4.2
        return None
    if parse_parameters(";" + uri.parameters)[1].get("method", "INVITE").upper() != "INVITE":
        return None
    return TransferRequested(call, "REFER", headers, body, request)


def accept(call, event, sdp, headers, options):
    # type: (Call, TransferRequested, Optional[Body], HeaderFields, Mapping[str, Optional[str]]) -> Call
    """Place the call that a REFER asks for, and report its progress. Returns the Call."""
    more = check_pairs(headers)
    if event.replaces is not None:
        more.append(("Replaces", str(event.replaces)))
    if "Referred-By" in event.headers:
        more.append(("Referred-By", event.headers["Referred-By"]))
    target = check_uri(event.target, "Refer-To")
    make_content(more, sdp, SDP)
    call._agent.parties(target, **options)
    silent = is_silent(event.headers)
    event.request.answer(202, None, None, None, [("Refer-Sub", "false")] if silent else ())
    report = None
    if not silent:
        with call._agent.lock:
            report = Report(call, event.headers)
    try:
        placed = call._agent.place(target, sdp, more, **options)  # type: Call
    except BaseException:
        if report is not None:
            report.tell(503, "Service Unavailable")
        raise
    if report is not None:
        report.follow(placed)
    return placed


class Report(object):
    """Reports to the transferor in NOTIFYs. Each waits for the response to the one before; the last one ends the
    subscription. Make it under the endpoint's lock.
    """

    def __init__(self, call, headers):
        # type: (Call, Headers) -> None
        self._call = call
        self._event = "refer" + _event_id(call, headers)
        self._next = (100, "Trying")  # type: Optional[Tuple[int, str]]
        self._told = None  # type: Optional[Tuple[int, str]]
        self._busy = False
        self._send()

    def follow(self, placed):
        # type: (Call) -> None
        """Report how the call to the target goes."""
        with self._call._agent.lock:
            placed._watch(self._seen)
            if placed.ended is not None:
                self._seen(placed.ended)
            elif placed.state in ("answered", "established"):
                self._push(200, "OK")
            elif placed._progress is not None:
                self._push(*placed._progress)

    def progress(self, transfer):
        # type: (Transfer) -> None
        """Report how a transfer goes that was passed on; under the lock."""
        if transfer.status:
            self._push(transfer.status, transfer.reason)
        if transfer.state == "ended":
            self._push(487, "Request Terminated")  # nobody knows: a final status before has ended the reports

    def tell(self, status, reason):
        # type: (int, str) -> None
        with self._call._agent.lock:
            self._push(status, reason)

    # -- under the lock --------------------------------------------------------------------------------------

    def _seen(self, event):
        # type: (object) -> None
        if isinstance(event, (CallProgress, CallAnswered)):
            self._push(event.status, event.reason)
        elif isinstance(event, CallEnded):
            self._push(event.status if event.status >= 300 else 487, event.reason)

    def _push(self, status, reason):
        # type: (int, str) -> None
        """Send a report, or keep it until the one before is answered. Only the latest is kept: many 1xx may come."""
        last = self._next or self._told
        if last is not None and (is_final(last[0]) or last[0] == status):
            return
        self._next = status, reason
        self._send()

    def _send(self):
        # type: () -> None
        if self._busy or self._next is None:
            return
        told = self._told = self._next
        self._next = None
        try:
            self._call._send_within("NOTIFY", self._content(*told), self._answered)
            self._busy = True
        except SipbridgeError:  # the call with the transferor has ended, and so has the subscription
            self._told = 487, ""

    def _content(self, status, reason):
        # type: (int, str) -> Content
        state = "terminated;reason=noresource" if is_final(status) else "active;expires=%d" % _SUBSCRIPTION
        body = ("SIP/2.0 %d %s" % (status, reason)).rstrip() + "\r\n"
        return Content([("Event", self._event), ("Subscription-State", state)], SIPFRAG, body.encode("utf-8"))

    def _answered(self, response):
        # type: (Response) -> None
        self._busy = False
        if response.ok or (self._told is not None and is_final(self._told[0])):
            self._send()
        else:  # RFC 6665, 4.2.2: the transferor has refused the NOTIFY, so the subscription is over
            self._told, self._next = (487, ""), None


def _event_id(call, headers):
    # type: (Call, Headers) -> str
    """The id parameter for this subscription: every REFER but the first of a dialog needs one (RFC 3515, 2.4.6)."""
    first, call._referred = not call._referred, True
    cseq = number(headers.get("CSeq", "").partition(" ")[0])
    return "" if first or cseq is None else ";id=%d" % cseq
