"""The flows that take SIP's 32 seconds (64*T1), begun early and looked at late."""

from __future__ import absolute_import, division, print_function

from conformance.sdp import ANSWER, OFFER
from peers.byhand import ByHand
from peers.endpoint_process import RemotePhone
from peers.scenario import Caller
from peers.silent import Silent
from peers.sipp import Sipp

#: Longer than any of SIP's own timers, so that it is these that end the wait.
PATIENCE = 45.0


class Background(object):
    """Two endpoints in processes of their own.

    Attributes:
        silent: the peer that never answers, and
        asking: the endpoint that asks it: ``call``, ``message`` and ``registration`` are what it waits for.
        unacknowledged: the endpoint whose 200 is never acknowledged, by
        caller: this sipp.
        unnotified: what came of the endpoint that subscribes where no NOTIFY follows.
    """

    def __init__(self, tmpdir_factory):
        self._tmpdir_factory = tmpdir_factory
        self._peers = []
        try:
            self._begin()
        except BaseException:
            self.stop()
            raise

    def _begin(self):
        self.silent = self._keep(Silent())
        self.asking = self._keep(self._endpoint("asking", "sip:asking@sipbridge.test"))
        ask, peer = self.asking.start, self.silent.uri
        self.call = ask("endpoint", "call", peer, OFFER, timeout=PATIENCE)
        self.message = ask("endpoint", "message", peer, "hello", timeout=PATIENCE)
        self.registration = ask("endpoint", "register", peer, timeout=PATIENCE)
        self.unacknowledged = self._keep(self._endpoint("unacknowledged", "sip:bob@sipbridge.test"))
        scenario = Caller().initial("INVITE", OFFER).expect(100, optional=True).expect(200)
        scenario = scenario.recv("BYE").reply(200)
        folder = str(self._tmpdir_factory.mktemp("never-acknowledges"))
        self.caller = self._keep(Sipp(scenario, folder, self.unacknowledged.host_port, seconds=60))
        self.unnotified = self._keep(self._endpoint("unnotified", "sip:carol@sipbridge.test"))
        self._grant_and_say_no_more(self.unnotified)
        self.unacknowledged.wait("incoming sdp")
        self.unacknowledged.call("answer", ANSWER)

    def _grant_and_say_no_more(self, subscriber):
        notifier = self._keep(ByHand())
        subscription = subscriber.start("endpoint", "subscribe", notifier.uri, "presence", resubscribe=False)
        notifier.reply(notifier.next("SUBSCRIBE"), 200, [("Expires", "600")])
        subscription.result(10.0)

    def _endpoint(self, name, identity):
        return RemotePhone(str(self._tmpdir_factory.mktemp(name)), identity=identity)

    def _keep(self, peer):
        self._peers.append(peer)
        return peer

    def stop(self):
        for peer in reversed(self._peers):
            peer.stop()
