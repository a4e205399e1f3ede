"""Each method of a call, and of what else has states, called when it is not its time: CallStateError, nothing sent."""

from __future__ import absolute_import, division, print_function

from threading import Thread

import pytest

import sipbridge
from conformance.dialog import SDP, Dialog, is_working
from conformance.sdp import ANSWER, OFFER
from conformance.serving import Serving
from misuse.inventory import functions

TO = "sip:bob@127.0.0.1:9"

#: How to call each method of a call.
CALLS = {
    "ring": lambda call: call.ring(),
    "answer": lambda call: call.answer(ANSWER),
    "reject": lambda call: call.reject(),
    "redirect": lambda call: call.redirect(TO),
    "ack": lambda call: call.ack(ANSWER),
    "wait_answered": lambda call: call.wait_answered(0.0),
    "wait_established": lambda call: call.wait_established(0.0),
    "request": lambda call: call.request("FROB", timeout=5.0),
    "info": lambda call: call.info(b"x", "text/plain", timeout=5.0),
    "send_dtmf": lambda call: call.send_dtmf("1", timeout=5.0),
    "keys": lambda call: next(call.keys(timeout=5.0)),
    "collect": lambda call: call.collect(count=1),
    "reinvite": lambda call: call.reinvite(OFFER, timeout=5.0),
    "update": lambda call: call.update(OFFER, timeout=5.0),
    "hold": lambda call: call.hold(timeout=5.0),
    "resume": lambda call: call.resume(timeout=5.0),
    "begin_transfer": lambda call: call.begin_transfer(TO, timeout=5.0),
    "transfer": lambda call: call.transfer(TO, timeout=5.0),
    "transfer_to": lambda call: call.transfer_to(_Other(call), timeout=5.0),
}

#: Methods that can be called at any time.
ALWAYS = frozenset(["hangup", "wait_ended", "on", "off", "events", "put_key"])

_CALLEES = frozenset(["ring", "answer", "reject", "redirect"])
_WAITS = frozenset(["wait_answered", "wait_established"])
_KEYS = frozenset(["keys", "collect"])  # which may be waited for as long as the call may have some
_WITHIN = frozenset(CALLS) - _CALLEES - _WAITS - _KEYS - {"ack"}

#: For each state what is not possible in it.
WRONG = {
    "calling": _CALLEES | _WITHIN | {"ack"},
    "incoming": _WITHIN | {"ack", "wait_answered"},
    "answered by us": _CALLEES | {"ack", "wait_answered"},
    "answered by them": _CALLEES | {"ack"},
    "ending": _CALLEES | _WITHIN | {"ack"},
    "ended": _CALLEES | _WITHIN | _KEYS | {"ack"},
    "refused": frozenset(CALLS),
}


def _Other(call):
    """Another call that the peer of this one could be connected with, were it up."""
    other = sipbridge.Call(call._agent, False, TO, sipbridge.Headers(), peer=TO)
    other.ended = "long ago"
    return other


def test_each_method_of_a_call_is_in_the_table():
    methods = set(name.partition(".")[2] for name in functions() if name.startswith("Call."))
    assert methods == set(CALLS) | ALWAYS


class _States(object):
    """Calls in each state, by its name; what is left of them is ended by close()."""

    def __init__(self, phone, peer):
        self.phone, self.peer = phone, peer

    def make(self, state):
        return getattr(self, state.replace(" ", "_"))()

    def calling(self):
        call = self.phone.endpoint.invite(self.peer.uri, OFFER)
        self._invite = self.peer.next("INVITE")
        self.peer.reply(self._invite, 180)
        self.phone.wait("progress 180")
        return call

    def incoming(self):
        self.peer.request(self.phone.endpoint.port, "INVITE", SDP, OFFER)
        return self.phone.wait("incoming sdp").call

    def answered_by_us(self):
        return Dialog(self.phone, self.peer, False).call

    def answered_by_them(self):
        return Dialog(self.phone, self.peer, True).call

    def ending(self):
        call = self.answered_by_them()
        call.hangup()
        self.bye = self.peer.next("BYE")
        return call

    def ended(self):
        call = self.ending()
        self.peer.reply(self.bye, 200)
        call.wait_ended()
        return call

    def refused(self):
        call = self.phone.endpoint.invite(self.peer.uri, OFFER)
        self.peer.reply(self.peer.next("INVITE"), 486)
        self.peer.next("ACK")
        call.wait_ended()
        return call

    def end(self, state, call):
        if state == "ending":
            self.peer.reply(self.bye, 200)
        elif state == "calling":
            call.hangup()
            self.peer.reply(self.peer.next("CANCEL"), 200)
            self.peer.reply(self._invite, 487)
        elif state == "incoming":
            call.reject()
        elif state.startswith("answered"):
            call.hangup()
            self.peer.reply(self.peer.next("BYE"), 200)
        call.wait_ended()
        call.hangup()  # does nothing
        assert self.phone.endpoint.calls == ()


@pytest.mark.parametrize("state", sorted(WRONG))
def test_a_call_in_the_wrong_state(phone, by_hand, state):
    states = _States(phone, by_hand)
    call = states.make(state)
    del by_hand.waiting[:]
    for name in sorted(WRONG[state]):
        kinds = (sipbridge.CallStateError, sipbridge.ResponseError)  # a wait for what was refused tells that
        with pytest.raises(kinds if name in _WAITS else sipbridge.CallStateError) as caught:
            CALLS[name](call)
            pytest.fail("%s() was possible" % name)
        assert str(caught.value)
    sent = [message for message in iter(lambda: by_hand.take(0.05), None) if message.name not in ("100", "180")]
    assert sent == []
    states.end(state, call)
    is_working(phone, by_hand)


# -- registrations, subscriptions, publications --------------------------------------------------------------


def _agree(peer, request, number):
    peer.reply(request, 200, [("Expires", request["Expires"] if "Expires" in request else "600"), ("SIP-ETag", "x")])


def _over(*calls):
    for call in calls:
        with pytest.raises(sipbridge.CallStateError):
            call()


def test_a_registration_that_is_over(phone, by_hand):
    with Serving(by_hand, _agree) as serving:
        registration = phone.endpoint.register(by_hand.uri)
        registration.unregister()
        _over(registration.refresh, lambda: registration.refresh(60))
        registration.unregister()  # does nothing
        assert serving.count("REGISTER") == 2


def test_a_subscription_that_is_over(phone, by_hand):
    with Serving(by_hand, _agree) as serving:
        subscription = phone.endpoint.subscribe(by_hand.uri, "presence", resubscribe=False)
        leaving = Thread(target=subscription.unsubscribe)
        leaving.start()
        while serving.count("SUBSCRIBE") < 2:
            pass
        last = serving.requests[-1]
        known = {"From": last["To"], "Call-ID": last["Call-ID"]}
        fields = [("Event", "presence"), ("Subscription-State", "terminated;reason=timeout")]
        by_hand.within(phone.endpoint.port, known, last["From"], "NOTIFY", 5, fields)
        leaving.join(10.0)
        assert subscription.state == "ended"
        _over(subscription.refresh, lambda: subscription.refresh(60))
        subscription.unsubscribe()  # does nothing
        assert serving.count("SUBSCRIBE") == 2


def test_a_publication_that_is_over(phone, by_hand):
    with Serving(by_hand, _agree) as serving:
        publication = phone.endpoint.publish(by_hand.uri, "presence", b"x", "text/plain")
        publication.remove()
        _over(publication.refresh, lambda: publication.modify(b"y"))
        publication.remove()  # does nothing
        assert serving.count("PUBLISH") == 2


def test_a_subscriber_that_was_refused(phone, by_hand):
    phone.reactions[sipbridge.SubscriptionRequested] = lambda event: event.reject(403)
    by_hand.request(phone.endpoint.port, "SUBSCRIBE", [("Event", "presence"), ("Expires", "600")])
    notifier = phone.wait("subscribe presence").notifier
    by_hand.next("403")
    _over(notifier.accept, notifier.reject, notifier.notify, notifier.terminate)
    assert by_hand.take(0.1) is None


def test_a_request_that_was_answered(phone, by_hand):
    dialog = Dialog(phone, by_hand, False)
    dialog.within("INFO", 20)
    info = phone.wait("info None")
    by_hand.next("200")
    _over(info.answer, lambda: info.answer(404))
    dialog.within("INVITE", 21, SDP, OFFER)
    reinvite = phone.wait("reinvite sdp")
    by_hand.next("200")
    _over(lambda: reinvite.answer(ANSWER), reinvite.reject)
    dialog.within("ACK", 21)
    dialog.within("REFER", 22, [("Refer-To", "<%s>" % TO)])
    by_hand.next("603")
    dialog.is_alive()


def test_a_transfer_is_answered_once(phone, by_hand):
    dialog = Dialog(phone, by_hand, True)
    asked = []
    phone.reactions[sipbridge.TransferRequested] = lambda event: (asked.append(event), event.reject())
    dialog.within("REFER", 22, [("Refer-To", "<%s>" % TO)])
    by_hand.next("603")
    _over(lambda: asked[0].accept(OFFER), asked[0].reject)
    dialog.is_alive()


# -- an endpoint that is closed ------------------------------------------------------------------------------


#: What asks for something to be sent.
CLOSED = {
    "register": lambda endpoint: endpoint.register(TO),
    "bindings": lambda endpoint: endpoint.bindings(TO),
    "unregister_all": lambda endpoint: endpoint.unregister_all(TO),
    "invite": lambda endpoint: endpoint.invite(TO, OFFER),
    "call": lambda endpoint: endpoint.call(TO, OFFER),
    "request": lambda endpoint: endpoint.request("FROB", TO),
    "message": lambda endpoint: endpoint.message(TO, b"x"),
    "options": lambda endpoint: endpoint.options(TO),
    "watch": lambda endpoint: endpoint.watch(TO),
    "subscribe": lambda endpoint: endpoint.subscribe(TO, "presence"),
    "publish": lambda endpoint: endpoint.publish(TO, "presence", b"x", "text/plain"),
    "begin_click_to_call": lambda endpoint: endpoint.begin_click_to_call(TO, TO),
    "click_to_call": lambda endpoint: endpoint.click_to_call(TO, TO),
    "add_credentials": lambda endpoint: endpoint.add_credentials("alice", "secret"),
}

#: What does no harm, then or ever.
HARMLESS = frozenset(
    "__init__ on off events serve observe health close drain wait_closed add_account remove_account account_of".split()
)

#: What is about calls, which have ended then: see test_bridge.py.
OF_CALLS = frozenset(["begin_bridge", "bridge"])


def test_each_method_of_an_endpoint_is_in_the_table():
    methods = set(name.partition(".")[2] for name in functions() if name.startswith("Endpoint."))
    assert methods == set(CLOSED) | HARMLESS | OF_CALLS


def test_a_closed_endpoint_raises_engine_error(make_phone):
    """Each method raises EngineError at once."""
    endpoint = make_phone(identity="sip:alice@sipbridge.test").endpoint
    endpoint.close()
    for name in sorted(CLOSED):
        with pytest.raises(sipbridge.EngineError):
            CLOSED[name](endpoint)
            pytest.fail("%s() was possible" % name)
    assert list(endpoint.events(timeout=0.0)) == []
    endpoint.close()
    assert endpoint.calls == ()
