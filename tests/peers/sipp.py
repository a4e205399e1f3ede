"""sipp as the peer: one process runs one scenario once, and its exit code is its verdict."""

from __future__ import absolute_import, division, print_function

import io
import os
import time

from peers.ports import HOST, free_port, wait_until_bound
from peers.process import Process, read_text, require
from peers.wire import parse_sipp_log


class Sipp(object):
    """A running sipp.

    Args:
        scenario: a Callee or a Caller of peers.scenario.
        folder: where its files go.
        remote: ``"host:port"`` to send to, for a Caller.
        retransmissions: False: sipp neither retransmits nor hides what the other side does: each datagram is
            a step of the scenario.
        seconds: after which it gives up and fails.
        transport: "udp" or "tcp".
        host: its address.
    """

    def __init__(
        self, scenario, folder, remote=None, retransmissions=True, seconds=20, transport="udp", host=HOST
    ):
        self.port = free_port()
        self.host_port = ("[%s]:%d" if ":" in host else "%s:%d") % (host, self.port)
        self.uri = "sip:callee@" + self.host_port + ("" if transport == "udp" else ";transport=" + transport)
        self._seconds = seconds
        self._log_path, self._error_path = (os.path.join(folder, name) for name in ("messages", "errors"))
        path = os.path.join(folder, "scenario.xml")
        with io.open(path, "w", encoding="utf-8") as stream:
            stream.write(_text(_over(transport, scenario.xml())))
        command = [require("sipp"), "-sf", path, "-i", host, "-p", str(self.port), "-t", transport[0] + "1"]
        command += ["-m", "1", "-nostdin"]
        command += ["-timeout", str(seconds), "-timeout_error"]
        command += ["-trace_msg", "-message_file", self._log_path, "-trace_err", "-error_file", self._error_path]
        command += [] if retransmissions else ["-nr"]
        self._process = Process(command + ([remote] if remote else []), folder, "sipp")
        if remote is None and not wait_until_bound(self.port, self._process.is_alive, transport=transport):
            raise AssertionError("sipp did not start\n" + self.report())

    def wait(self):
        """Wait until it is through. Raises AssertionError, with all that it logged, when it failed."""
        code = self._process.wait(self._seconds + 5.0)
        if code != 0:
            self.stop()
            raise AssertionError("sipp failed the scenario: exit code %s\n%s" % (code, self.report()))
        return self

    def wait_for(self, name, count=1):
        """Wait until it has received so many messages of a method or status; AssertionError after 10 s."""
        deadline = time.time() + 10.0
        while len(self.received(name)) < count:
            assert time.time() < deadline, "%d of %s: %r" % (count, name, self.received_names())
            time.sleep(0.02)

    def stop(self):
        self._process.stop()

    def report(self):
        """What it logged, for a failure."""
        return "\n".join(
            [self._process.output()[-2500:], read_text(self._error_path), read_text(self._log_path)[-12000:]]
        )

    @property
    def messages(self):
        """Every message that passed, in order."""
        if not os.path.exists(self._log_path):
            return []
        with open(self._log_path, "rb") as stream:
            return parse_sipp_log(stream.read())

    def received(self, name=None):
        """The messages that it received, all or those of a method or status ("ACK", "200")."""
        return [each for each in self.messages if each.received and name in (None, each.name)]

    def received_names(self):
        """As ["INVITE", "ACK", "BYE"]."""
        return [each.name for each in self.received()]


def _over(transport, xml):
    """A scenario for UDP as one for another transport."""
    if transport == "udp":
        return xml
    xml = xml.replace("SIP/2.0/UDP", "SIP/2.0/" + transport.upper())
    return xml.replace("@[local_ip]:[local_port]>", "@[local_ip]:[local_port];transport=%s>" % transport)


def _text(value):
    return value if isinstance(value, type(u"")) else value.decode("utf-8")
