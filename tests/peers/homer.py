"""A capture server as Homer has it: Kamailio's module sipcapture, which reads HEP and fills a database."""

from __future__ import absolute_import, division, print_function

import os
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing

from peers.kamailio import require_module
from peers.ports import free_port, wait_until_bound
from peers.process import Process, require
from peers.waiting import wait_until

_CONFIGURATION = os.path.join(os.path.dirname(os.path.abspath(__file__)), "homer.cfg")

#: The columns that sipcapture fills.
_COLUMNS = (
    "date micro_ts method reply_reason ruri ruri_user ruri_domain from_user from_domain from_tag to_user to_domain"
    " to_tag pid_user contact_user auth_user callid callid_aleg via_1 via_1_branch cseq reason content_type auth"
    " user_agent source_ip source_port destination_ip destination_port contact_ip contact_port originator_ip"
    " originator_port proto family rtp_stat type node correlation_id diversion msg custom_field1 custom_field2"
    " custom_field3"
).split()


class CaptureServer(object):
    """A running capture server, which stores the messages. It takes any authentication key.

    Attributes:
        address: what ``Endpoint(hep=...)`` is given.
    """

    def __init__(self):
        require_module("db_sqlite.so", "kamailio-sqlite-modules")
        self._port = free_port()
        self.address = "udp://127.0.0.1:%d" % self._port
        self._folder = tempfile.mkdtemp(prefix="homer-")
        self._database = os.path.join(self._folder, "homer.sqlite")
        with closing(sqlite3.connect(self._database)) as database:
            database.execute("PRAGMA journal_mode=WAL")  # a row that is being read keeps none from being written
            database.execute("CREATE TABLE sip_capture (%s)" % ", ".join(_COLUMNS))
        command = [require("kamailio"), "-DD", "-E", "-f", self._write_configuration(), "-Y", self._folder, "-m", "32"]
        self._process = Process(command + ["-w", self._folder], self._folder, "kamailio")
        if not wait_until_bound(self._port, self._process.is_alive):
            output = self._process.output()
            self.stop()
            raise AssertionError("Kamailio did not start\n" + output)

    def _write_configuration(self):
        with open(_CONFIGURATION) as source:
            text = source.read()
        values = {"PORT": self._port, "DATABASE": self._database}
        path = os.path.join(self._folder, "kamailio.cfg")
        with open(path, "w") as target:
            target.write(re.sub("@([A-Z_]+)@", lambda found: str(values[found.group(1)]), text))
        return path

    def messages(self, number, columns):
        """These columns of the messages that it has stored, in their order, once there are so many."""
        rows = []

        def look():
            with closing(sqlite3.connect(self._database, 10.0)) as database:
                rows[:] = database.execute("SELECT %s FROM sip_capture ORDER BY rowid" % columns).fetchall()
            return len(rows) >= number

        wait_until(look)
        return rows

    def report(self):
        """What it logged, for a failure."""
        return self._process.output()[-8000:]

    def stop(self):
        self._process.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
