"""The telephony service in a process of its own, as it runs in production, and a telephone to talk to it."""

import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys

import httpx

import sipbridge
from peers.ports import HOST, free_port
from peers.waiting import wait_until
from sipbridge.testing import SDP

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "telephony"
PACKAGE = pathlib.Path(sipbridge.__file__).resolve().parents[1]

#: Seconds: only a test that fails waits that long.
LIMIT = 60.0

SECRET, PASSWORD = "k" * 32, "correct horse battery staple"


class Running:
    """One copy of the service. `api` is an httpx.Client with a token that may do everything.

    Args:
        folder: its data.
        settings: environment variables beside those that every copy has here.
    """

    def __init__(self, folder, **settings):
        self.folder = folder
        self.http_port, self.sip_port = free_port(), free_port()
        self.environment = dict(
            os.environ,
            PYTHONPATH=os.pathsep.join((str(PACKAGE), str(EXAMPLE))),
            HTTP_PORT=str(self.http_port),
            SIP_ADDRESS="udp://%s:%d" % (HOST, self.sip_port),
            DATA=str(folder),
            SECRET_KEY=SECRET,
            ADMIN_PASSWORD=PASSWORD,
            LOG_JSON="true",
            DRAIN_SECONDS="5",
        )
        self.environment.update(settings)
        self.url = "http://%s:%d" % (HOST, self.http_port)
        self.uri = "sip:%s:%d" % (HOST, self.sip_port)
        self.api = httpx.Client(base_url=self.url, timeout=LIMIT, trust_env=False)
        self.process = None

    def run(self, *words):
        """Run `python -m telephony` with these words, to its end."""
        command = [sys.executable, "-m", "telephony", *words]
        return subprocess.run(
            command, cwd=str(self.folder), env=self.environment, capture_output=True, text=True
        )

    def begin(self, log, *words):
        """The same in a session of its own; what it prints goes to that file in the folder. A Popen."""
        command = [sys.executable, "-m", "telephony", *words]
        with open(str(self.folder / log), "ab") as output:
            return subprocess.Popen(
                command,
                cwd=str(self.folder),
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def command(self, *words):
        """Run `python -m telephony` with these words; what it printed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def token(self, name="tests", *words):
        """Make a token; the header that has it."""
        return {"Authorization": "Bearer " + self.command("token", name, *words)}

    def taken_token(self, name, *words):
        """The same, once the running service takes it: it reads its tokens again every few seconds."""
        header = self.token(name, *words)
        wait_until(lambda: self.api.get("/trunks", headers=header).status_code != 401, LIMIT)
        return header

    def start(self):
        """Start it, and wait until it takes calls."""
        self.process = self.begin("log", "serve")
        wait_until(self._is_ready, LIMIT)
        return self

    def _is_ready(self):
        assert self.process.poll() is None, self.log()[-3000:]
        try:
            return self.api.get("/health/live").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, signum=signal.SIGTERM):
        """End it; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signum)
        return self.process.wait(LIMIT)

    def log(self):
        """All that it has logged, as text."""
        return (self.folder / "log").read_text(errors="replace")

    def lines(self):
        """Its log lines, each a dict."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    def wait_call(self, id, **facts):
        """Wait until the record of a call has these facts; the record."""
        found = {}

        def has_facts():
            found.update(self.api.get("/calls/" + id).json())
            return all(found.get(name) == value for name, value in facts.items())

        wait_until(has_facts, LIMIT)
        return found

    def listen(self, last=None, **headers):
        """What `GET /events` tells: the number, the kind and the facts of each event."""
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        event = {}
        with self.api.stream("GET", "/events", headers=headers) as stream:
            for line in stream.iter_lines():
                name, _, value = line.partition(": ")
                event[name] = value
                if not line and "data" in event:
                    yield int(event["id"]), event["event"], json.loads(event["data"])
                    event = {}

    def rows(self, query="SELECT id, state, cause FROM calls"):
        """What its SQLite has."""
        with sqlite3.connect(str(self.folder / "telephony.sqlite3")) as database:
            return database.execute(query).fetchall()


class Telephone:
    """Endpoints of one process that answer, ring, reject or are busy, by the user in the Request-URI."""

    def __init__(self):
        self.endpoint = sipbridge.Endpoint(identity="sip:telephone@example.com")
        self.messages = []
        self.endpoint.on(sipbridge.IncomingCall, self._called)
        self.endpoint.on(sipbridge.MessageReceived, lambda event: self.messages.append(event.text))
        self.endpoint.on(sipbridge.TransferRequested, lambda event: event.accept(SDP))

    def uri(self, user):
        return "sip:%s@%s:%d" % (user, HOST, self.endpoint.port)

    def _called(self, event):
        user = sipbridge.uri.parse_uri(event.call.request_uri).user
        if user == "busy":
            event.call.reject(486)
        elif user == "rings":
            event.call.ring()
        else:
            event.call.answer(SDP)
