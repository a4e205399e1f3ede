"""An endpoint of our own that writes down its events, for tests to assert what came and in which order."""

from __future__ import absolute_import, division, print_function

import os
import threading
import time

import sipbridge
from peers.ports import free_port

_KINDS = (
    sipbridge.IncomingCall,
    sipbridge.CallProgress,
    sipbridge.CallAnswered,
    sipbridge.CallConfirmed,
    sipbridge.CallReinvited,
    sipbridge.CallEnded,
    sipbridge.RequestReceived,  # INFO and MESSAGE are such
    sipbridge.RegistrationChanged,
    sipbridge.SubscriptionChanged,
    sipbridge.NotifyReceived,
    sipbridge.SubscriptionRequested,
    sipbridge.SubscriptionRefreshed,
    sipbridge.SubscriptionTerminated,
    sipbridge.PublicationChanged,
    sipbridge.TransferProgress,
    sipbridge.BridgeChanged,
    sipbridge.PeerAvailable,
    sipbridge.PeerUnavailable,
    sipbridge.EngineRestarted,
    sipbridge.EngineFailed,
)

_CALL_EVENTS = {
    sipbridge.IncomingCall: "incoming",
    sipbridge.CallConfirmed: "confirmed",
    sipbridge.CallReinvited: "reinvite",
    sipbridge.EngineRestarted: "restarted",
    sipbridge.EngineFailed: "failed",
}


#: What to say of events of bridges, subscriptions and publications.
_CHANGES = {
    sipbridge.SubscriptionChanged: lambda event: "subscription %s %d" % (event.state, event.status),
    sipbridge.NotifyReceived: lambda event: "notify %s" % event.subscription_state.state,
    sipbridge.SubscriptionRequested: lambda event: "subscribe %s" % event.notifier.event,
    sipbridge.SubscriptionRefreshed: lambda event: "refreshed %d" % event.expires,
    sipbridge.SubscriptionTerminated: lambda event: "unsubscribed %d" % event.status,
    sipbridge.BridgeChanged: lambda event: "bridge %s %d" % (event.state, event.status),
    sipbridge.PublicationChanged: lambda event: "publication %s %d" % (event.state, event.status),
}


def label(event):
    """An event in a few words: "progress 183 sdp", "info 5", "ended remote-bye 200"."""
    kind = type(event)
    sdp = " sdp" if getattr(event, "sdp", None) is not None else ""
    if kind is sipbridge.CallProgress:
        return "progress %d%s" % (event.status, sdp)
    if kind is sipbridge.CallAnswered:
        return "answered %d%s" % (event.status, sdp)
    if kind is sipbridge.CallEnded:
        return "ended %s %d" % (event.cause, event.status)
    if kind is sipbridge.InfoReceived:
        return "info %s" % event.dtmf
    if kind in (sipbridge.PeerAvailable, sipbridge.PeerUnavailable):
        return "%s %d" % ("available" if kind is sipbridge.PeerAvailable else "unavailable", event.status)
    if kind is sipbridge.TransferProgress:
        return "transfer %d%s" % (event.status, " final" if event.final else "")
    if kind is sipbridge.RegistrationChanged:
        return "registration %s %d" % (event.state, event.status)
    if kind in _CHANGES:
        return _CHANGES[kind](event)
    if isinstance(event, sipbridge.RequestReceived):
        return "request %s" % event.method
    return _CALL_EVENTS[kind] + sdp


def engine_under_test():
    """The engine to test: in this process, or where SIPBRIDGE_TEST_PLACE says: "worker", "sidecar" or "container"."""
    place = os.environ.get("SIPBRIDGE_TEST_PLACE")
    return None if not place else PLACES[place]()


def _sidecar():
    from peers.sidecar import OwnSidecar  # where it is asked for: Windows has none

    return OwnSidecar()


def _container(**options):
    options = dict({"network": "host", "backoff": 0.0}, **options)  # its peers are on loopback
    return sipbridge.Container(os.environ["SIPBRIDGE_TEST_IMAGE"], **options)


#: Makes an engine for a test, by where it runs.
PLACES = {"worker": sipbridge.Worker, "sidecar": _sidecar, "container": _container}


class Phone(object):
    """An endpoint, on a UDP port of 127.0.0.1 unless ``address`` is another. Nobody else is given the port afterwards.

    Attributes:
        endpoint: the sipbridge.Endpoint.
        events: what came, in order.
        placed: the calls that take_transfers() placed.
        reactions: event type to what to do with such an event in its handler; for tests to fill.
        preparations: the same, but before anybody who waits hears of the event.
    """

    def __init__(self, address=None, **options):
        address = address or "udp://127.0.0.1:%d" % free_port()
        self.events = []
        self.reactions = {}
        self.preparations = {}
        self.placed = []  # the calls placed for a REFER
        self._changed = threading.Condition()
        if "engine" not in options:  # a sidecar begins where it is made
            options["engine"] = engine_under_test()
        self._host = address.partition("://")[2].rpartition(":")[0]
        self.endpoint = sipbridge.Endpoint(address, **options)
        for kind in _KINDS:
            self.endpoint.on(kind, self._record)

    def _record(self, event):
        try:
            self.preparations.get(type(event), lambda _: None)(event)
        finally:
            with self._changed:
                self.events.append(event)
                self._changed.notify_all()
        reaction = self.reactions.get(type(event))
        if reaction is not None:
            reaction(event)

    @property
    def uri(self):
        return self.endpoint.uri

    @property
    def host_port(self):
        return "%s:%d" % (self._host, self.endpoint.port)

    @property
    def labels(self):
        """The events so far, in a few words each."""
        with self._changed:
            return [label(event) for event in self.events]

    def wait(self, wanted, count=1, timeout=10.0):
        """Wait until an event of that label has come ``count`` times. Returns the last of these.

        Raises AssertionError when it has not in time.
        """
        deadline = time.time() + timeout
        with self._changed:
            while True:
                found = [event for event in self.events if label(event) == wanted]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.time()
                if left <= 0:
                    labels = [label(event) for event in self.events]
                    raise AssertionError("no %d. %r within %g s: %r" % (count, wanted, timeout, labels))
                self._changed.wait(left)

    def expect(self, *labels, **options):
        """Wait (``timeout``, in seconds) for so many events and assert that they are these, in this order."""
        deadline = time.time() + options.get("timeout", 10.0)
        with self._changed:
            while len(self.events) < len(labels) and time.time() < deadline:
                self._changed.wait(max(0.0, deadline - time.time()))
        if self.labels != list(labels):
            raise AssertionError("these events came:\n  %r\nand not\n  %r" % (self.labels, list(labels)))

    @property
    def reasons(self):
        """The Reasons of the call that ended last, as lists."""
        with self._changed:
            ended = [event for event in self.events if isinstance(event, sipbridge.CallEnded)]
        return [list(each) for each in ended[-1].reasons]

    def hurry(self, factor):
        """Let the endpoint's own timers run so many times as fast. Returns the phone."""
        later = self.endpoint._dispatcher.call_later
        self.endpoint._dispatcher.call_later = lambda seconds, function: later(seconds / factor, function)
        return self

    def take_transfers(self, sdp):
        """From now on call whom a REFER names, with this offer."""

        def take(event):
            call = event.accept(sdp)
            with self._changed:
                self.placed.append(call)
                self._changed.notify_all()

        self.reactions[sipbridge.TransferRequested] = take

    def wait_placed(self):
        """The call placed for the only REFER, once its handler has it; AssertionError when it has not in time."""
        deadline = time.time() + 10.0
        with self._changed:
            while not self.placed and time.time() < deadline:
                self._changed.wait(deadline - time.time())
        assert len(self.placed) == 1, self.placed
        return self.placed[0]

    def take_calls(self, sdp):
        """From now on answer each call with this description."""
        self.reactions[sipbridge.IncomingCall] = lambda event: event.call.answer(sdp)

    def ring_calls(self):
        """From now on let each call ring."""
        self.reactions[sipbridge.IncomingCall] = lambda event: event.call.ring()

    def redirect_calls(self, contact):
        """From now on send each caller elsewhere, by 302."""
        self.reactions[sipbridge.IncomingCall] = lambda event: event.call.redirect(contact)

    def refuse_calls(self, status):
        """From now on refuse each call."""
        self.reactions[sipbridge.IncomingCall] = lambda event: event.call.reject(status)

    def take_offers(self, sdp):
        """From now on answer each re-INVITE with this description."""
        self.reactions[sipbridge.CallReinvited] = lambda event: event.answer(sdp)

    def close(self):
        self.endpoint.close()
