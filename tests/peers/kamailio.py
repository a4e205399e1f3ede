"""Kamailio: as registrar, proxy and event server, with a table of users; and the process alone."""

from __future__ import absolute_import, division, print_function

import glob
import os
import re
import shutil
import subprocess
import tempfile
import time

from peers.ports import HOST, free_port, wait_until_bound
from peers.process import MissingPeer, Process, require, stop_process, wait_for_exit

_CONFIGURATION = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kamailio.cfg")
_COLUMNS = "id(int,auto) username(string) domain(string) password(string)"
_VERSIONS = ("version:1", "subscriber:7", "presentity:5", "active_watchers:12", "watchers:3")
_SCHEMAS = "/usr/share/kamailio/dbtext/kamailio"  # of the tables for presence
#: The control socket of each, in the folder of its own.
CONTROL = "kamailio_ctl"

_MODULES = ("/usr/lib/*/kamailio/modules", "/usr/lib/kamailio/modules", "/usr/lib64/kamailio/modules")


def require_module(name, package):
    """Raises MissingPeer when Kamailio lacks a module, as "presence.so", that is in this ``package`` of Debian."""
    if not any(glob.glob(os.path.join(folder, name)) for folder in _MODULES):
        raise MissingPeer(
            "Kamailio's module %s is not installed, and the conformance tests need it: apt-get install %s"
            " (Debian, Ubuntu)" % (name, package)
        )


class Server(object):
    """A Kamailio that runs with some configuration.

    Args:
        folder: a new folder of its own, for its output and its control socket; it goes when the Kamailio does. Not in
            pytest's: the path of a Unix socket has to be short.
        configuration: the path of its configuration.
        port: a UDP port that it listens on.
        megabytes: its memory for transactions; each is there for five seconds after its end.

    Attributes:
        kamcmd: the words of the command that talks to it.
    """

    def __init__(self, folder, configuration, port, megabytes=32):
        self._folder = folder
        self.kamcmd = [require("kamcmd"), "-s", "unix:%s/%s" % (folder, CONTROL)]
        self._program = [require("kamailio"), "-DD", "-E", "-f", configuration, "-Y", folder]
        self._program += ["-m", str(megabytes), "-w", folder]
        self._port = port
        self._start()

    def _start(self):
        self._process = Process(self._program, self._folder, "kamailio")
        if not wait_until_bound(self._port, self._process.is_alive) or not self._answers():
            output = self._process.output()
            self.stop()
            raise AssertionError("Kamailio did not start\n" + output)

    @property
    def pid(self):
        """Of its first process; the others are its children."""
        return self._process.pid

    def _answers(self):
        """Whether its control socket answers, within five seconds."""
        deadline = time.time() + 5.0
        while time.time() < deadline and self._process.is_alive():
            if self._command("core.version")[0] == 0:
                return True
            time.sleep(0.05)
        return False

    def _command(self, *arguments):
        """Exit code and output of a kamcmd."""
        process = subprocess.Popen(self.kamcmd + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            code = wait_for_exit(process, 5.0)
            return code, process.stdout.read().decode("utf-8", "replace") if code is not None else ""
        finally:
            stop_process(process)
            process.stdout.close()

    def restart(self):
        """End it and start another one, which knows nothing of what the first one did."""
        self._process.stop()
        self._start()

    def report(self):
        """What it logged, for a failure."""
        return self._process.output()[-8000:]

    def stop(self):
        self._process.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


class Kamailio(Server):
    """A running Kamailio.

    It registers the users of its table (401, qop=auth, nonce counts checked), relays calls and messages to
    what is registered, asks its own users for credentials (407), and stays on the route of calls. What is published
    it keeps, and notifies who has subscribed to it: presence, dialog, message-summary and reg.

    Args:
        users: user names and their passwords.
        nonce_seconds: how long a nonce is good for; then it is stale.
        algorithm: of the digest, as "SHA-256"; "" is MD5, unsaid.
    """

    domain = "sipbridge.test"

    def __init__(self, users, nonce_seconds, algorithm=""):
        self.port = free_port()
        self.host_port = "%s:%d" % (HOST, self.port)
        self.uri = "sip:" + self.host_port
        self._folder = tempfile.mkdtemp(prefix="kamailio-")
        self._write_users(users)
        super(Kamailio, self).__init__(self._folder, self._write_configuration(nonce_seconds, algorithm), self.port)

    def _write_users(self, users):
        folder = os.path.join(self._folder, "db")
        os.mkdir(folder)
        rows = ["%d:%s:%s:%s" % (i, user, self.domain, users[user]) for i, user in enumerate(sorted(users), 1)]
        with open(os.path.join(folder, "subscriber"), "w") as table:
            table.write("\n".join([_COLUMNS] + rows) + "\n")
        with open(os.path.join(folder, "version"), "w") as table:
            table.write("id(int,auto) table_name(string) table_version(int)\n")
            table.write("".join("%d:%s\n" % each for each in enumerate(_VERSIONS, 1)))
        for name in ("presentity", "active_watchers", "watchers"):
            shutil.copy(os.path.join(_SCHEMAS, name), folder)

    def _write_configuration(self, nonce_seconds, algorithm):
        with open(_CONFIGURATION) as source:
            text = source.read()
        values = {"PORT": self.port, "DOMAIN": self.domain, "FOLDER": self._folder}
        values.update(NONCE_SECONDS=nonce_seconds, ALGORITHM=algorithm)
        path = os.path.join(self._folder, "kamailio.cfg")
        with open(path, "w") as target:
            target.write(re.sub("@([A-Z_]+)@", lambda found: str(values[found.group(1)]), text))
        return path

    def aor(self, user):
        """The address-of-record of a user."""
        return "sip:%s@%s" % (user, self.domain)

    def bindings(self, user):
        """The contact URIs that are bound to the user's address-of-record right now, as Kamailio tells."""
        _, output = self._command("ul.lookup", "location", "%s@%s" % (user, self.domain))
        if "AOR not found" in output:
            return []
        found = re.findall(r"Address:\s*(\S+)", output)
        if not found:
            raise AssertionError("kamcmd ul.lookup says:\n" + output)
        return found

    def wait_for_binding(self, user):
        """The contact URI, once there is one, within five seconds."""
        deadline = time.time() + 5.0
        while True:
            found = self.bindings(user)
            if found:
                return found[0]
            if time.time() > deadline:
                raise AssertionError("%s did not register" % user)
            time.sleep(0.05)

    def close_registrar(self, closed):
        """From now on refuse every REGISTER with 503 and Retry-After, or no longer."""
        code, output = self._command("pv.shvSet", "closed", "int", "%d" % closed)
        if code != 0:
            raise AssertionError("kamcmd pv.shvSet says:\n" + output)
