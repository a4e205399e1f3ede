"""The flows that take SIP's 32 seconds (64*T1), begun early and looked at late."""

from __future__ import absolute_import, division, print_function

from conformance.sdp import ANSWER, OFFER
from peers.endpoint_process import RemotePhone
from peers.name_server import NameServer
from peers.scenario import Callee, Caller
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
        seeking: the endpoint that asks for ``found`` at a domain whose first server never answers, and
        second: the next one.
        unacknowledged: the endpoint whose 200 is never acknowledged, by
        caller: this sipp.
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
        self.unacknowledged.wait("incoming sdp")
        self.unacknowledged.call("answer", ANSWER)

    def _begin_to_seek(self):
        folder = str(self._tmpdir_factory.mktemp("seeking"))
        names, silent = self._keep(NameServer(folder)), self._keep(Silent())
        self.second = self._keep(Sipp(Callee().recv("MESSAGE").reply(200), folder, seconds=90))
        targets = [(10, 1, _port_of(silent.uri), "a.test"), (20, 1, _port_of(self.second.uri), "a.test")]
        names.add_service("sipbridge.test", "udp", *targets)
        names.add("a.test", "A", "127.0.0.1")
        identity = "sip:alice@sipbridge.test"
        self.seeking = self._keep(RemotePhone(folder, identity=identity, resolv_conf=names.configuration))
        self.found = self.seeking.start("endpoint", "message", "sip:bob@sipbridge.test", "hello", timeout=PATIENCE)

    def _endpoint(self, name, identity):
        return RemotePhone(str(self._tmpdir_factory.mktemp(name)), identity=identity)

    def _keep(self, peer):
        self._peers.append(peer)
        return peer

    def stop(self):
        for peer in reversed(self._peers):
            peer.stop()
