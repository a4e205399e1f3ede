"""A PostgreSQL server on loopback, which stops and starts again as a test wants it."""

import glob
import os
import pwd
import shutil
import subprocess
import tempfile

from peers.ports import HOST, free_port, wait_until_bound
from peers.process import MissingPeer


def _program(name):
    """Debian keeps the server's programs in a folder of their release."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/" + name)) or [shutil.which(name)]
    if not found[-1]:
        raise MissingPeer("%s is missing: apt-get install postgresql, brew install postgresql" % name)
    return found[-1]


class PostgreSQL:
    """It has no password, and listens on loopback alone. Where we are root it runs as the system's user for it."""

    def __init__(self):
        self.port = free_port()
        self._folder = tempfile.mkdtemp(prefix="telephony-")  # pytest's own folders are for nobody else
        self._data, self._log = self._folder + "/data", self._folder + "/log"
        self._user = {}
        if os.getuid() == 0:  # which initdb refuses
            owner = pwd.getpwnam("postgres")
            self._user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "-D", self._data, "-U", "telephony", "-A", "trust", "--no-sync")

    def _run(self, name, *words):
        done = subprocess.run(
            [_program(name), *words],
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **self._user,
        )
        assert done.returncode == 0, done.stdout

    def make(self, name):
        """Make a database; its URL."""
        self._run("createdb", "-h", HOST, "-p", str(self.port), "-U", "telephony", name)
        return "postgresql+asyncpg://telephony@%s:%d/%s" % (HOST, self.port, name)

    def do(self, name, statement):
        """Let a database do something."""
        self._run("psql", "-h", HOST, "-p", str(self.port), "-U", "telephony", "-d", name, "-c", statement)

    def start(self):
        options = "-p %d -c listen_addresses=%s -c unix_socket_directories= -c fsync=off" % (self.port, HOST)
        command = ["-D", self._data, "-l", self._log, "-o", options, "-w", "-t", "60"]
        self._run("pg_ctl", "start", *command)
        assert wait_until_bound(self.port, lambda: True, transport="tcp")

    def stop(self):
        self._run("pg_ctl", "stop", "-D", self._data, "-m", "immediate", "-w", "-t", "60")

    def remove(self):
        """Stop, and leave nothing behind."""
        self.stop()
        shutil.rmtree(self._folder)
