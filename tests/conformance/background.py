"""The flows that take SIP's 32 seconds (64*T1), begun early and looked at late."""

from __future__ import absolute_import, division, print_function

import threading

from conformance.sdp import ANSWER, OFFER
from peers.answering import Answering
from peers.byhand import ByHand
from peers.endpoint_process import RemoteError, RemotePhone
from peers.name_server import NameServer
from peers.scenario import Caller
from peers.silent import Silent
from peers.sipp import Sipp

#: Longer than any of SIP's own timers, so that it is these that end the wait.
PATIENCE = 45.0


def _port_of(uri):
    """The port in a peer's URI."""
    return int(uri.rsplit(":", 1)[1])


class Background(object):
    """Endpoints in processes of their own.

    Attributes:
        silent: the peer that never answers, and
        asking: the endpoint that asks it: ``call``, ``message`` and ``registration`` are what it waits for.
        seeking: the endpoint that sends a MESSAGE twice, to a domain whose first server never answers, on
        seeker: this thread, and
        found: what came of it each time: "answered", or the kind of error.
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
        self._begin_to_seek()
        self.unacknowledged = self._keep(self._endpoint("unacknowledged", "sip:bob@sipbridge.test"))
        scenario = Caller().initial("INVITE", OFFER).expect(100, optional=True).expect(200)
        scenario = scenario.recv("BYE").reply(200)
        folder = str(self._tmpdir_factory.mktemp("never-acknowledges"))
        self.caller = self._keep(Sipp(scenario, folder, self.unacknowledged.host_port, seconds=60))
        self.unnotified = self._keep(self._endpoint("unnotified", "sip:carol@sipbridge.test"))
        self._grant_and_say_no_more(self.unnotified)
        self.unacknowledged.wait("incoming sdp")
        self.unacknowledged.call("answer", ANSWER)

    def _begin_to_seek(self):
        folder = str(self._tmpdir_factory.mktemp("seeking"))
        names, silent = self._keep(NameServer(folder)), self._keep(Silent())
        second = self._keep(ByHand())
        self._keep(Answering(second))
        targets = [(10, 1, _port_of(silent.uri), "a.test"), (20, 1, second.port, "a.test")]
        names.add_service("sipbridge.test", "udp", *targets)
        names.add("a.test", "A", "127.0.0.1")
        identity = "sip:alice@sipbridge.test"
        self.seeking = self._keep(RemotePhone(folder, identity=identity, resolv_conf=names.configuration))
        self.found = []
        self.seeker = threading.Thread(target=self._seek_twice)
        self.seeker.daemon = True
        self.seeker.start()

    def _seek_twice(self):
        for _ in range(2):
            try:
                seek = self.seeking.start("endpoint", "message", "sip:bob@sipbridge.test", "hello", timeout=PATIENCE)
                seek.result(PATIENCE + 5.0)
                self.found.append("answered")
            except RemoteError as error:
                self.found.append(error.kind)

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
