"""Kamailio with deploy/kamailio/ as it is shipped, and the engines behind it, each in a process of its own."""

from __future__ import absolute_import, division, print_function

import os
import re
import shutil
import tempfile

from peers.endpoint_process import RemotePhone
from peers.kamailio import Server
from peers.ports import HOST, free_port
from peers.waiting import wait_until

SHIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "deploy", "kamailio")

#: Seconds: only a test that fails waits that long.
LIMIT = 30.0


def configure(folder, ports, engines, carriers=(), pem=None):
    """Copy what is shipped into a folder, and change what an operator is told to change; the configuration's path.

    Args:
        ports: what stands for 5060, 5061 and 5070 of the shipped local.cfg.
        engines: the ports of the engines.
        carriers: addresses without limits.
        pem: peers.certificates.Certificates, for TLS; or None.
    """
    for name in os.listdir(SHIPPED):
        shutil.copy(os.path.join(SHIPPED, name), folder)
    ours = [("192.0.2.10:5060", "%s:%d" % (HOST, ports[0])), ("192.0.2.10:5061", "%s:%d" % (HOST, ports[1]))]
    ours += [("127.0.0.1:5070", "%s:%d" % (HOST, ports[2])), ("/run/kamailio/", folder + "/")]
    ours += [("children=4", "children=2"), ("/etc/kamailio/", folder + "/")]
    if pem is not None:
        ours += [("##!define WITH_TLS", "#!define WITH_TLS"), ("#listen=tls", "listen=tls")]
        tls = [("/etc/kamailio/tls/certificate.pem", pem.certificate), ("/etc/kamailio/tls/key.pem", pem.key)]
        _change(os.path.join(folder, "tls.cfg"), tls + [("/etc/ssl/certs/ca-certificates.crt", pem.ca)])
    _change(os.path.join(folder, "local.cfg"), ours)
    _write(os.path.join(folder, "dispatcher.list"), "".join("1 %s\n" % address(port) for port in engines))
    _write(os.path.join(folder, "carriers.list"), "".join("1 %s 32\n" % each for each in carriers))
    return os.path.join(folder, "kamailio.cfg")


def _change(path, changes):
    """Replace texts in a file, all of which have to be there."""
    with open(path) as source:
        text = source.read()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    _write(path, text)


def address(port):
    """How the list of engines has one."""
    return "sip:%s:%d" % (HOST, port)


def _write(path, text):
    with open(path, "w") as target:
        target.write(text)


class Balancer(Server):
    """A running Kamailio in front of engines.

    Args:
        engines: their ports.
        inside: its port for them.
        megabytes: its memory for transactions.
        options: of configure().

    Attributes:
        port, tls_port, inside: its ports.
        uri: of somebody whom the engines serve.
        list: the path of its list of engines.
    """

    def __init__(self, engines, inside, megabytes=32, **options):
        self.port, self.tls_port, self.inside = free_port(), free_port(), inside
        self.uri = "sip:bob@%s:%d" % (HOST, self.port)
        folder = tempfile.mkdtemp(prefix="kamailio-")
        self.list = os.path.join(folder, "dispatcher.list")
        path = configure(folder, (self.port, self.tls_port, inside), engines, **options)
        super(Balancer, self).__init__(folder, path, inside, megabytes)

    def flags(self):
        """What it thinks of each engine, by its port: "AP" is in, "IP" out, "DX" disabled."""
        code, output = self._command("dispatcher.list")
        assert code == 0, output
        found = re.findall(r"URI: sip:\S+:(\d+)\s+FLAGS: (\w+)", output)
        return dict((int(port), flags) for port, flags in found)

    def set_state(self, state, port):
        """What the README has for taking an engine out and back."""
        code, output = self._command("dispatcher.set_state", state, "1", address(port))
        assert code == 0, output

    def pause_probes(self):
        """From now on it asks no engine whether it is there."""
        code, output = self._command("dispatcher.ping_active", "0")
        assert code == 0, output

    def wait_flags(self, flags, *ports):
        """Wait until it thinks that of these engines."""
        return wait_until(lambda: all(self.flags()[port] == flags for port in ports), LIMIT)


class Since(object):
    """What an engine has seen since now.

    Attributes:
        engine: the RemotePhone.
    """

    def __init__(self, engine):
        self.engine = engine
        self._before = engine.labels

    def seen(self, wanted=None):
        """The labels of its events, or how many there are of one."""
        labels = self.engine.labels[len(self._before) :]
        return labels if wanted is None else labels.count(wanted)

    def wait(self, wanted, count=1):
        """As RemotePhone.wait(), for events from then on."""
        return self.engine.wait(wanted, self._before.count(wanted) + count)


class Fleet(object):
    """Engines in processes of their own, and a Kamailio in front of them.

    Args:
        folder: where their output goes.
        count: how many engines.
        options: of configure().

    Attributes:
        engines: a RemotePhone for each.
        ports: theirs.
        proxy: the Balancer.
    """

    def __init__(self, folder, count, **options):
        self._folder = folder
        self.ports = [free_port() for _ in range(count)]
        self._inside = free_port()
        self.engines = []
        self.proxy = None
        try:
            self.engines = [self._start(number) for number in range(count)]
            self.proxy = Balancer(self.ports, self._inside, **options)
            self.proxy.wait_flags("AP", *self.ports)
        except BaseException:
            self.stop()
            raise

    def _start(self, number):
        folder = os.path.join(self._folder, "engine-%d-%d" % (number, free_port()))
        os.makedirs(folder)
        engine = RemotePhone(
            folder,
            address="udp://%s:%d" % (HOST, self.ports[number]),
            identity="sip:engine@sipbridge.test",
            trusted_proxies=[HOST],
            source_header="X-Source-Address",
            outbound_proxy="sip:%s:%d;lr" % (HOST, self._inside),
        )
        engine.start("phone", "take_calls", description(number)).result()
        return engine

    def restart(self, number):
        """Have the engine end when its calls are over, and start it again."""
        assert self.engines[number].start("endpoint", "drain", LIMIT).result(LIMIT + 5.0)
        self.engines[number].stop()
        self.engines[number] = self._start(number)

    def since(self):
        """A Since for each engine."""
        return [Since(engine) for engine in self.engines]

    def stop(self):
        for each in self.engines + [self.proxy]:
            if each is not None:
                each.stop()

    def report(self):
        """What Kamailio logged, for a failure."""
        return self.proxy.report()


def description(number):
    """The answer of an engine, which tells its number."""
    lines = ["v=0", "o=engine %d 1 IN IP4 127.0.0.1" % number, "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
    return ("\r\n".join(lines + ["m=audio 40000 RTP/AVP 0", ""])).encode("ascii")


def engine_of(sdp):
    """The number of the engine that answered so."""
    return int(re.search(br"o=engine (\d+)", sdp).group(1))
