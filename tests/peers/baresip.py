"""baresip as the peer: a phone of others, told over TCP what to do (its module ctrl_tcp)."""

from __future__ import absolute_import, division, print_function

import glob
import json
import os
import socket
import threading
import time

from peers.ports import HOST, free_port
from peers.process import Process, require

#: Where Debian keeps its modules, and Homebrew.
_MODULES = ("/usr/lib/baresip/modules", "/usr/lib/*/baresip/modules", "/opt/homebrew/lib/baresip/modules",
            "/usr/local/lib/baresip/modules")  # fmt: skip

# No sound card: what it hears is what it speaks, on ports that peers.ports does not give out. ctrl_tcp comes last:
# once it listens, all else is there. The interface's address, since "lo" is none to it.
_CONFIGURATION = """\
sip_listen %(host_port)s
net_interface %(host)s
call_max_calls 8
rtp_ports 10000-19999
audio_player aubridge,nowhere
audio_source aubridge,nowhere
audio_alert aubridge,nowhere
ringback_disabled yes
ctrl_tcp_listen %(control)s
module_path %(modules)s
module g711.so
module aubridge.so
%(more)s
module_app contact.so
module_app account.so
module_app menu.so
module_app mwi.so
module_app presence.so
module_app ctrl_tcp.so
"""


class Baresip(object):
    """A running baresip with one account, "sip:bob@<host>:<port>".

    Args:
        folder: where its files go.
        parameters: of the account, as ";auth_pass=secret"; it registers nowhere unless they say so.
        transport: "udp", "tcp" or "tls"; what it listens on and calls over.
        contacts: the lines of its contacts.
        settings: more lines of its configuration.
        aor: the account's address-of-record, if another one.
        host: the address that it is at, "::1" for one.

    Attributes:
        uri: where it is called.
        host, port: of its transport.
        events: what it told, dicts as ctrl_tcp documents them.
    """

    def __init__(self, folder, parameters="", transport="udp", contacts=(), settings=(), aor=None, host=HOST):
        own, following = free_port(), free_port()
        while following != own + 1:  # which is its port for TLS
            own, following = following, free_port()
        control = free_port()
        self.port = own + 1 if transport == "tls" else own
        self.host = host
        named = "[%s]" % host if ":" in host else host
        self.uri = "sip:bob@%s:%d" % (named, self.port)
        if transport != "udp":
            self.uri += ";transport=" + transport
        self.aor = aor or self.uri
        values = {"host": host, "host_port": "%s:%d" % (named, own), "control": "%s:%d" % (HOST, control)}
        modules = [found for pattern in _MODULES for found in glob.glob(pattern)]  # a name of its own: Python 2
        values.update(modules=modules[0], more="\n".join(settings))
        _write(folder, "config", _CONFIGURATION % values)
        # Registered before its timers run, version 1.0 subscribes to message-summary again and again.
        parameters += ";mwi=no" + ("" if "regint" in parameters else ";regint=0")
        _write(folder, "accounts", "<%s>;ptime=20;audio_codecs=PCMU,PCMA%s\n" % (self.aor, parameters))
        _write(folder, "contacts", "".join(line + "\n" for line in contacts))
        self._process = Process([require("baresip"), "-f", folder, "-s"], folder, "baresip")
        self.events = []
        self._answers = {}
        self._changed = threading.Condition()
        self._control = self._connect(control)
        self._reader = threading.Thread(target=self._read)
        self._reader.daemon = True
        self._reader.start()

    def _connect(self, port):
        """The control connection, within ten seconds."""
        deadline = time.time() + 10.0
        while time.time() < deadline and self._process.is_alive():
            try:
                return socket.create_connection((HOST, port), 5.0)
            except socket.error:
                time.sleep(0.02)
        self._process.stop()
        raise AssertionError("baresip did not start\n" + self._process.output())

    def _read(self):
        """Take what it tells: netstrings of JSON."""
        self._control.settimeout(None)
        waiting = b""
        while True:
            length, colon, rest = waiting.partition(b":")
            end = int(length) if colon else 0
            if colon and len(rest) > end:  # the comma, too
                self._tell(json.loads(rest[:end].decode("utf-8")))
                waiting = rest[end + 1 :]
                continue
            try:
                octets = self._control.recv(65536)
            except socket.error:  # it was stopped
                return
            if not octets:
                return
            waiting += octets

    def _tell(self, told):
        with self._changed:
            if "event" in told:
                self.events.append(told)
            else:
                self._answers[told.get("token")] = told
            self._changed.notify_all()

    def command(self, name, parameters=""):
        """What it answers to a command, as "dial", with the parameters. Raises AssertionError when it fails."""
        token = "%s %d" % (name, len(self._answers))
        octets = json.dumps({"command": name, "params": parameters, "token": token}).encode("utf-8")
        self._control.sendall(b"%s:%s," % (str(len(octets)).encode("ascii"), octets))
        answer = self._wait(lambda: self._answers.get(token), token)
        assert answer["ok"], answer
        return answer["data"]

    def wait(self, kind, count=1):
        """Wait until it has told of an event of that type so often, as "CALL_ESTABLISHED". Returns the last."""

        def found():
            events = [each for each in self.events if each["type"] == kind]
            return events[count - 1] if len(events) >= count else None

        return self._wait(found, kind)

    def _wait(self, found, what):
        deadline = time.time() + 10.0
        with self._changed:
            while found() is None:
                left = deadline - time.time()
                if left <= 0:
                    raise AssertionError("baresip: no %s: %r" % (what, [each["type"] for each in self.events]))
                self._changed.wait(left)
            return found()

    def wait_until(self, condition):
        """Wait until that holds; AssertionError after ten seconds."""
        deadline = time.time() + 10.0
        while not condition():
            assert time.time() < deadline, self.report()
            time.sleep(0.05)

    def wait_for_output(self, text):
        """Wait until it has said that."""
        self.wait_until(lambda: text in self._process.output())

    def report(self):
        """What it logged, messages among it, for a failure."""
        return self._process.output()[-12000:]

    def stop(self):
        self._process.stop()
        self._control.close()


def _write(folder, name, text):
    with open(os.path.join(folder, name), "w") as stream:
        stream.write(text)
