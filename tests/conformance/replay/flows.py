"""Flows that are recorded with a peer, and played again without it.

A flow of CALLED is begun by the peer: what the endpoint does in handlers, and what the peer does. A flow of CALLING is
begun by the endpoint: what the endpoint does with the address of the peer, and what the peer does meanwhile.
"""

from __future__ import absolute_import, division, print_function

import io

import sipbridge
from conformance.sdp import ANSWER, HELD, HOLD, OFFER, RESUME

CALLED, CALLING = {}, {}

#: How the last message of a flow begins, where an endpoint may tell of the end before it. It is recorded only if it is
#: told of before the endpoint is closed.
LAST = {"cancel": b"SIP/2.0 487"}


def is_recorded(name, path):
    """Whether the flow is in its capture to its end."""
    with io.open(path, "rb") as file:
        return LAST.get(name, b"") in file.read()


def _call(other, phone):
    other.start("endpoint", "call", phone.uri, OFFER).result()
    phone.wait("confirmed")


def _hang_up(other, phone):
    other.call("hangup")
    phone.wait("ended remote-bye 200")
    other.wait("ended local-bye 200")  # so the answer to the BYE was sent, and recorded


# -- the peer calls ----------------------------------------------------------------------------------------


def _rings_and_answers(phone):
    def take(event):
        event.call.ring()
        event.call.answer(ANSWER)

    phone.reactions[sipbridge.IncomingCall] = take


def _call_and_hang_up(other, phone):
    _call(other, phone)
    _hang_up(other, phone)


CALLED["call"] = (_rings_and_answers, _call_and_hang_up)


def _hangs_up_itself(phone):
    phone.take_calls(ANSWER)
    phone.reactions[sipbridge.CallConfirmed] = lambda event: event.call.hangup()


def _call_to_its_end(other, phone):
    other.start("endpoint", "call", phone.uri, OFFER).result()
    phone.wait("ended local-bye 200")


CALLED["hung-up"] = (_hangs_up_itself, _call_to_its_end)


def _rings(phone):
    phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.ring()


def _call_and_cancel(other, phone):
    other.start("endpoint", "invite", phone.uri, OFFER).result()
    other.wait("progress 180")
    other.call("hangup")
    phone.wait("ended cancelled 487")
    other.wait("ended cancelled 487")


CALLED["cancel"] = (_rings, _call_and_cancel)


def _rejects(phone):
    phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.reject(486)


def _call_in_vain(other, phone):
    other.start("endpoint", "invite", phone.uri, OFFER).result()
    other.wait("ended rejected 486")
    phone.wait("ended rejected 486")


CALLED["reject"] = (_rejects, _call_in_vain)


def _is_held(phone):
    phone.take_calls(ANSWER)
    phone.take_offers(HELD)


def _call_and_hold(other, phone):
    _call(other, phone)
    other.call("reinvite", HOLD)
    other.call("reinvite", RESUME)
    _hang_up(other, phone)


CALLED["hold"] = (_is_held, _call_and_hold)


def _takes(phone):
    phone.take_calls(ANSWER)


def _call_and_key(other, phone):
    _call(other, phone)
    other.call("send_dtmf", "42#")
    _hang_up(other, phone)


CALLED["keys"] = (_takes, _call_and_key)


def _call_and_refer(other, phone):
    """Which is refused, as the endpoint has no handler."""
    _call(other, phone)
    try:
        other.call("transfer", "sip:carol@127.0.0.1:9")
    except Exception as error:
        assert "603" in str(error), error
    _hang_up(other, phone)


CALLED["transfer"] = (_takes, _call_and_refer)


def _hears(phone):
    phone.reactions[sipbridge.MessageReceived] = lambda event: event.answer(202)


def _message(other, phone):
    other.start("endpoint", "message", phone.uri, u"caf\xe9 at noon?").result()


CALLED["message"] = (_hears, _message)


def _notifies(phone):
    def accept(event):
        notifier = event.accept()
        notifier.notify(b"open", "text/plain")

    phone.reactions[sipbridge.SubscriptionRequested] = accept


def _subscribe(other, phone):
    other.start("endpoint", "subscribe", phone.uri, "presence").result()
    other.wait("notify active")
    other.start("subscription", "unsubscribe").result()
    phone.wait("unsubscribed 0")


CALLED["presence"] = (_notifies, _subscribe)


# -- the endpoint calls ------------------------------------------------------------------------------------


def _places(phone, uri):
    call = phone.endpoint.call(uri, OFFER)
    call.hangup()
    call.wait_ended()


def _answers(other):
    other.wait("incoming sdp")
    other.call("ring")
    other.call("answer", ANSWER)
    other.wait("ended remote-bye 200")


CALLING["call"] = (_places, _answers)


def _waits(phone, uri):
    phone.endpoint.call(uri, OFFER).wait_ended(20.0)


def _answers_and_hangs_up(other):
    other.wait("incoming sdp")
    other.call("answer", ANSWER)
    other.wait("confirmed")
    other.call("send_dtmf", "5")
    other.call("hangup")
    other.wait("ended local-bye 200")


CALLING["hung-up"] = (_waits, _answers_and_hangs_up)


def _is_refused(phone, uri):
    phone.endpoint.invite(uri, OFFER).wait_ended(20.0)


def _refuses(other):
    other.wait("incoming sdp")
    other.call("reject", 603)
    other.wait("ended rejected 603")


CALLING["reject"] = (_is_refused, _refuses)


def _cancels(phone, uri):
    call = phone.endpoint.invite(uri, OFFER)
    phone.wait("progress 180")
    call.hangup()
    call.wait_ended()


def _is_cancelled(other):
    other.wait("incoming sdp")
    other.call("ring")
    other.wait("ended cancelled 487")


CALLING["cancel"] = (_cancels, _is_cancelled)


def _holds(phone, uri):
    call = phone.endpoint.call(uri, OFFER)
    call.hold()
    call.resume()
    call.send_dtmf("7")
    call.hangup()
    call.wait_ended()


def _answers_once(other):
    other.wait("incoming sdp")
    other.call("answer", ANSWER)
    other.wait("ended remote-bye 200")


CALLING["hold"] = (_holds, _answers_once)


def _refers(phone, uri):
    call = phone.endpoint.call(uri, OFFER)
    try:
        call.transfer("sip:carol@127.0.0.1:9")
    except sipbridge.ResponseError as error:
        assert error.status == 603
    call.hangup()
    call.wait_ended()


CALLING["transfer"] = (_refers, _answers_once)


def _tells(phone, uri):
    phone.endpoint.message(uri, u"lunch?")


CALLING["message"] = (_tells, lambda other: other.wait("request MESSAGE"))


def _subscribes(phone, uri):
    subscription = phone.endpoint.subscribe(uri, "presence")
    phone.wait("notify active")
    subscription.unsubscribe()


def _is_asked(other):
    other.wait("subscribe presence")
    other.start("notifier", "notify", b"open", "text/plain").result()
    other.wait("unsubscribed 0")


CALLING["presence"] = (_subscribes, _is_asked)
