"""A process with an endpoint that answers everything, for datagrams that may be its last.

Run as a program it prints the endpoint's port and then answers each line of its input with one of JSON:
"counters", "limits", "shielded", "calls" (incoming calls so far), "messages" (MESSAGEs so far),
"crowd" (take descriptors up to a number beyond those of select(), and tell it). At the end of the input it closes.
:class:`Victim` is the other side.
"""

from __future__ import absolute_import, division, print_function

import json
import os
import resource
import signal
import socket
import subprocess
import sys

_TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

if __name__ == "__main__":  # started by path
    sys.path[0] = _TESTS

import sipbridge  # noqa: E402
from conformance.sdp import ANSWER  # noqa: E402
from peers.process import read_text, stop_process, wait_for_exit  # noqa: E402
from shield import messages  # noqa: E402
from sipbridge import shield  # noqa: E402


class Victim(object):
    """The endpoint's process.

    Args:
        folder: where its output goes.
        shielded: whether the shield is preloaded.
        address: what it listens on.
        settings: more of its environment, text by name.

    Attributes:
        host: where it listens, without brackets.
        port: its port.
        pid: of its process.
    """

    def __init__(self, folder, shielded=True, address="udp://127.0.0.1:0", **settings):
        self.host = address.partition("://")[2].rpartition(":")[0].strip("[]")
        self._errors_path = os.path.join(folder, "victim.err")
        environment = dict(os.environ, EXOSIP_DOUBLE_CRASH="1", PYTHONUNBUFFERED="1")
        environment["SIPBRIDGE_SHIELD_COUNTERS"] = self.counters_path = os.path.join(folder, "counters")
        environment.pop("LD_PRELOAD", None)
        if shielded:
            environment = shield.environment(environment)
        environment.update(settings)
        with open(self._errors_path, "wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, os.path.abspath(__file__), address],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                close_fds=True,
            )
        line = self._process.stdout.readline()
        if not line.strip().isdigit():
            self.stop()
            raise AssertionError("the victim did not start\n" + self.errors())
        self.port = int(line)
        self.pid = self._process.pid

    def ask(self, what):
        """What it answers to a question."""
        line = b""
        try:
            self._process.stdin.write(what.encode("ascii") + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except EnvironmentError:  # a broken pipe
            pass
        if not line:
            raise AssertionError("the victim is gone: %s\n%s" % (self.exit_code(1.0), self.errors()))
        return json.loads(line.decode("ascii"))

    def counters(self):
        """A dict of rule and (passed, answered, dropped), of those that are not all 0."""
        return dict((each[0], tuple(each[1:])) for each in self.ask("counters") if any(each[1:]))

    def exit_code(self, seconds):
        """Its exit code, or None when it lives on after that many seconds."""
        return wait_for_exit(self._process, seconds)

    def kill(self):
        self._process.kill()

    def errors(self):
        """What it wrote to standard error."""
        return read_text(self._errors_path)

    def stop(self):
        try:
            self._process.stdin.close()
        except EnvironmentError:  # what it did not live to read
            pass
        wait_for_exit(self._process, 5.0)
        stop_process(self._process)
        self._process.stdout.close()


class Sender(object):
    """A UDP socket that talks to a victim, by hand, from the victim's own address or another."""

    def __init__(self, victim, host=None):
        self._victim = victim
        self._socket = socket.socket(socket.AF_INET6 if ":" in victim.host else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host or victim.host, 0))
        self.port = self._socket.getsockname()[1]
        self._asked = 0

    def send(self, octets):
        self._socket.sendto(octets, (self._victim.host, self._victim.port))

    def receive(self, seconds=5.0):
        """The next response, or None when there was none in time."""
        self._socket.settimeout(seconds)
        try:
            return messages.Reply(self._socket.recv(65536))
        except socket.timeout:
            return None

    def exchange(self, octets):
        """Send a request and return the final response. Those to earlier requests are passed over."""
        branch = octets.partition(b"branch=")[2].partition(b";")[0].partition(b"\r")[0].decode("latin-1")
        self.send(octets)
        while True:
            reply = self.receive()
            assert reply is not None, "no response to %r" % octets
            vias = [value + ";" for name, value in reply.fields if name == "via"]
            if reply.status >= 200 and "branch=%s;" % branch in vias[0]:
                return reply

    def replies_before(self, octets):
        """Send what may go unanswered, and an OPTIONS behind it; the responses that came before that one's."""
        self._asked += 1
        name = "after-%d-%d" % (self.port, self._asked)
        self.send(octets)
        self.send(messages.request("OPTIONS", name, self.port))
        replies = []
        while True:
            reply = self.receive()
            assert reply is not None, "it answers no more: exit code %s\n%s" % (
                self._victim.exit_code(0.1),
                self._victim.errors(),
            )
            if ("call-id", name + "@example.com") in reply.fields:
                return replies
            replies.append(reply)

    def stop(self):
        self._socket.close()


def _answers(endpoint, calls, texts):
    """What to say to each question."""
    return {
        "counters": lambda: [list(each) for each in shield.counters()],
        "limits": shield.limits,
        "shielded": shield.loaded,
        "engine": lambda: endpoint.engine_name,
        "calls": lambda: len(calls),
        "messages": lambda: len(texts),
        "crowd": _crowd,
    }


def _crowd():
    """Take descriptors, more than select() knows; the highest."""
    most = 1100
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    taken = [os.open(os.devnull, os.O_RDONLY)]
    while taken[-1] < most - 30:
        taken.append(os.dup(taken[0]))
    return taken[-1]


def _main():
    calls, texts = [], []
    if os.environ.get("SHIELD_VICTIM_SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)

    def take(event):
        calls.append(event)
        event.call.answer(ANSWER)

    def refuse(event):
        texts.append(event)
        event.answer(480)

    with sipbridge.Endpoint(sys.argv[1]) as endpoint:
        endpoint.on(sipbridge.IncomingCall, take)
        endpoint.on(sipbridge.MessageReceived, refuse)
        print(endpoint.port)
        sys.stdout.flush()
        answers = _answers(endpoint, calls, texts)
        while True:
            question = sys.stdin.readline().strip()
            if not question:
                return
            print(json.dumps(answers[question]()))
            sys.stdout.flush()


if __name__ == "__main__":
    _main()
