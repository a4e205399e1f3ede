"""Make the captures in this folder: calls of sipp, a registration of baresip at Kamailio, and a call of baresip.

    .venv/bin/python tests/data/captures/make.py [NAME...]

It needs tshark, sipp, kamailio and baresip, and the right to capture (root). The tests read the files; make them again
only to have others.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER.parents[1]), str(FOLDER.parents[2])]

from peers.baresip import Baresip  # noqa: E402
from peers.kamailio import Kamailio  # noqa: E402
from peers.ports import free_port, wait_until_bound  # noqa: E402


class Capture:
    """A context that captures what passes at some ports of this machine."""

    def __init__(self, name, device, kind, ports, link=None):
        command = ["dumpcap", "-q", "-i", device, "-w", str(FOLDER / name)] + (["-P"] if kind == "pcap" else [])
        command += ["-f", " or ".join("port %d" % port for port in ports)] + (["-y", link] if link else [])
        self._command = command

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE)
        for line in self._process.stderr:
            if line.startswith(b"File:"):
                return
        raise SystemExit("dumpcap did not start")

    def __exit__(self, *error):
        time.sleep(1.0)  # it writes a buffer at a time
        self._process.terminate()
        self._process.wait()


def _sipp(*arguments):
    command = ["sipp", "-i", "127.0.0.1", "-m", "1", "-nostdin", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _sipp_call(transport, name, device, kind, link=None):
    caller, callee = free_port(), free_port()
    with Capture(name, device, kind, [caller, callee], link):
        called = _sipp("-sn", "uas", "-p", str(callee), "-t", transport)
        assert wait_until_bound(callee, lambda: called.poll() is None, 10.0, "udp" if transport == "u1" else "tcp")
        calling = _sipp("-sn", "uac", "-p", str(caller), "-t", transport, "-d", "300", "127.0.0.1:%d" % callee)
        assert calling.wait(20) == 0
        called.wait(20)


def sipp_udp():
    """A call over UDP, on loopback."""
    _sipp_call("u1", "sipp-udp.pcapng", "lo", "pcapng")


def sipp_tcp():
    """The same over TCP: the callee is called from a port that is not the caller's own."""
    _sipp_call("t1", "sipp-tcp.pcap", "lo", "pcap")


def sipp_any():
    """The same over UDP, on every device of Linux, where each packet is seen twice."""
    _sipp_call("u1", "sipp-any.pcapng", "any", "pcapng", "LINUX_SLL2")


def kamailio():
    """A registration of baresip at Kamailio, with a challenge."""
    server = Kamailio({"bob": "builder"}, 3)
    try:
        capture = Capture("kamailio.pcap", "any", "pcap", [server.port], "LINUX_SLL")
        with tempfile.TemporaryDirectory() as folder, capture:
            aor = "sip:bob@%s" % server.domain
            parameters = ';auth_pass=builder;outbound="%s;transport=udp";regint=60' % server.uri
            phone = Baresip(folder, parameters, aor=aor)
            server.wait_for_binding("bob")
            phone.stop()
    finally:
        server.stop()


def baresip():
    """A call of baresip to sipp."""
    callee = free_port()
    with tempfile.TemporaryDirectory() as folder:
        phone = Baresip(folder)
        with Capture("baresip.pcapng", "lo", "pcapng", [phone.port, callee]):
            called = _sipp("-sn", "uas", "-p", str(callee))
            assert wait_until_bound(callee, lambda: called.poll() is None)
            phone.command("dial", "sip:service@127.0.0.1:%d" % callee)
            phone.wait("CALL_ESTABLISHED")
            phone.command("hangup")
            called.wait(20)
        phone.stop()


MADE = [sipp_udp, sipp_tcp, sipp_any, kamailio, baresip]

if __name__ == "__main__":
    for make in MADE:
        if not sys.argv[1:] or make.__name__ in sys.argv[1:]:
            make()
    for made in sorted(FOLDER.glob("*.pcap*")):
        print("%s: %d octets" % (made.name, os.path.getsize(made)))
