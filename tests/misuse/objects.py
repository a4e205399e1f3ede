"""What the methods are called on: an endpoint to which nothing comes, and objects of it that no peer knows of."""

from __future__ import absolute_import, division, print_function

import tempfile

import sipbridge
from sipbridge import access, hep, metrics, payload, record, sdp, testing
from sipbridge._agent.account import Account
from sipbridge._call.incoming import IncomingRequest
from sipbridge._engine import content
from sipbridge._engine.records import Parties
from sipbridge._kept.publication import Publication
from sipbridge._kept.registration import Registration
from sipbridge._kept.subscription import Subscription
from sipbridge.events import (
    CallReinvited,
    IncomingCall,
    RequestReceived,
    SubscriptionRequested,
    TransferRequested,
)
from sipbridge.headers import Headers

TO = u"sip:bob@127.0.0.1:9"

#: A handle that no engine has given: what reaches the engine is an error of state, and no InputError.
NOBODY = 10**6

AUDIO = sdp.medium("audio", 4000, [payload.PCMU, payload.telephone_event()])
SESSION = sdp.build("127.0.0.1", [AUDIO])


class Objects(object):
    """One of each class, made when it is asked for by its name."""

    def __init__(self, endpoint):
        self._endpoint = endpoint

    def make(self, name):
        return getattr(self, name)()

    def Endpoint(self):
        return self._endpoint

    def Call(self):
        call = sipbridge.Call(self._endpoint._agent, True, TO, Headers([("From", TO)]))
        call._id = NOBODY
        return call

    def FlightRecorder(self):
        return sipbridge.FlightRecorder(tempfile.mkdtemp(prefix="sipbridge-"))

    def Authenticator(self):
        return access.Authenticator("example.com", len)

    def BanList(self):
        return access.BanList()

    def SourceLimits(self):
        return access.SourceLimits()

    def Network(self):
        return testing.Network()

    def Collector(self):
        return metrics.Collector(self._endpoint)

    def Account(self):
        return Account(self._endpoint, u"sip:carol@127.0.0.1", TO, None)

    def _parties(self):
        return Parties(TO, TO, None)

    def Registration(self):
        registration = Registration(self._endpoint._agent, TO, TO, 60, self._parties())
        registration._id, registration.state = NOBODY, "active"
        return registration

    def Subscription(self):
        subscription = Subscription(self._endpoint._agent, TO, self._parties(), "presence", 60, None, False)
        subscription._id, subscription.state = NOBODY, "active"
        return subscription

    def Publication(self):
        publication = Publication(self._endpoint._agent, TO, self._parties(), "presence", 60, None)
        publication.state = "active"
        publication._content = content.Content([], "text/plain", b"x")
        return publication

    def Notifier(self):
        return sipbridge.Notifier(self._endpoint._agent, NOBODY, TO, Headers([("Event", "presence")]), b"", 60)

    def Transfer(self):
        return sipbridge.Transfer(self.Call(), TO)

    def Bridge(self):
        bridge = sipbridge.Bridge(self._endpoint._agent, self.Call())
        bridge.state = "ended"
        return bridge

    def Watch(self):
        watch = sipbridge.Watch.__new__(sipbridge.Watch)
        watch._agent, watch._alarm, watch._stopped = self._endpoint._agent, None, False
        return watch

    def _request(self):
        return IncomingRequest(self._endpoint._engine, NOBODY, self.Call())

    def IncomingCall(self):
        return IncomingCall(self.Call(), Headers(), None)

    def RequestReceived(self):
        return RequestReceived(None, "MESSAGE", Headers(), b"", self._request())

    def TransferRequested(self):
        return TransferRequested(self.Call(), "REFER", Headers([("Refer-To", TO)]), b"", self._request())

    def CallReinvited(self):
        return CallReinvited(self.Call(), Headers(), None, self._request())

    def SubscriptionRequested(self):
        return SubscriptionRequested(self.Notifier(), Headers(), b"")

    def EventStream(self):
        return self._endpoint.events()

    def Headers(self):
        return Headers([("Subject", "x")])

    def Session(self):
        return SESSION

    def Media(self):
        return AUDIO

    def Codec(self):
        return payload.PCMU

    def Recorder(self):
        return record.Recorder("unused.pcap")

    def CaptureAgent(self):
        return hep.CaptureAgent("udp://127.0.0.1:9060")

    def Worker(self):
        return sipbridge.Worker()

    def Container(self):
        return sipbridge.Container()

    def Sidecar(self):
        return sipbridge.Sidecar(u"unix:///run/engine.sock")

