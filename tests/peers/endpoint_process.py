"""A Phone in a process of its own: libeXosip2 has one stack per process, so a second endpoint lives here.

Run as a program it reads requests, one JSON object per line, and answers each with a line:

    {"id": 1, "on": "call", "name": "answer", "arguments": [{"bytes": "v=0..."}], "options": {}}
    {"id": 1, "result": null}    or    {"id": 1, "error": "CallStateError", "text": "..."}

``on`` is "phone", "endpoint", or what was made or received last of "call", "registration", "subscription", "notifier"
and "publication"; ``name`` one of its methods or attributes. A SUBSCRIBE for "presence" is accepted. Bytes are
{"bytes": text in Latin-1}. Requests run side by side; at the end of the input the endpoint is closed.
:class:`RemotePhone` is the other side.
"""

from __future__ import absolute_import, division, print_function

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading

_TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

if __name__ == "__main__":  # started by path: its own folder would hide the package that it belongs to
    sys.path[0] = _TESTS

import sipbridge  # noqa: E402
from peers.phone import Phone, label  # noqa: E402
from peers.process import freeze, read_text, stop_process, wait_for_exit  # noqa: E402

_KINDS = {
    sipbridge.Call: "call",
    sipbridge.Registration: "registration",
    sipbridge.Subscription: "subscription",
    sipbridge.Notifier: "notifier",
    sipbridge.Publication: "publication",
}


def _encode(value):
    """A result as JSON has it."""
    if type(value) in _KINDS or isinstance(value, sipbridge.Transfer):
        return None
    if isinstance(value, sipbridge.Response):
        return {"status": value.status, "reason": value.reason, "body": _encode(value.body)}
    if isinstance(value, sipbridge.Source):
        return list(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        fields = ("sdp", "body", "status", "reason", "text", "source")
        found = dict((name, _encode(getattr(value, name))) for name in fields if hasattr(value, name))
        return dict(found, label=label(value))
    if isinstance(value, bytes):  # all of Python 2's str too: it comes out as such again
        return {"bytes": value.decode("latin-1")}
    return value


def _decode(value):
    """The other way round."""
    if isinstance(value, dict) and list(value) == ["bytes"]:
        return value["bytes"].encode("latin-1")
    if isinstance(value, dict):
        return dict((str(name), _decode(each)) for name, each in value.items())
    return [_decode(each) for each in value] if isinstance(value, list) else value


class _Server(object):
    """The process's side."""

    def __init__(self, options, output):
        self._output = output
        self._lock = threading.Lock()
        self._phone = Phone(**options)
        self._made = {}  # what came of a request last, by kind
        self._phone.preparations[sipbridge.IncomingCall] = lambda event: self._keep(event.call)
        self._phone.preparations[sipbridge.SubscriptionRequested] = self._accept

    def _keep(self, value):
        if type(value) in _KINDS:
            self._made[_KINDS[type(value)]] = value

    def _accept(self, event):
        if event.package == "presence":
            self._keep(event.accept())

    def serve(self, lines):
        self._say({"id": 0, "result": [self._phone.uri, self._phone.host_port]})
        for line in iter(lines.readline, ""):
            thread = threading.Thread(target=self._perform, args=(json.loads(line),))
            thread.daemon = True
            thread.start()
        self._phone.close()

    def _perform(self, request):
        target = {"phone": self._phone, "endpoint": self._phone.endpoint}.get(request["on"])
        try:
            member = getattr(target or self._made[request["on"]], request["name"])
            options = _decode(request["options"])
            result = member(*_decode(request["arguments"]), **options) if callable(member) else member
            self._keep(result)
            self._say({"id": request["id"], "result": _encode(result)})
        except Exception as error:  # it is the other side's to judge
            self._say({"id": request["id"], "error": type(error).__name__, "text": str(error)})

    def _say(self, answer):
        with self._lock:
            self._output.write(json.dumps(answer) + "\n")
            self._output.flush()


class RemoteError(Exception):
    """What was asked for raised an exception there. ``kind`` is the name of its type."""

    def __init__(self, kind, text):
        super(RemoteError, self).__init__("%s: %s" % (kind, text))
        self.kind = kind


class Pending(object):
    """A request whose answer has yet to come."""

    def __init__(self):
        self._arrived = threading.Event()
        self._answer = None

    def set(self, answer):
        self._answer = answer
        self._arrived.set()

    def result(self, timeout=20.0):
        """What it returned; raises what it raised, as RemoteError."""
        self._arrived.wait(timeout)
        if self._answer is None:
            raise AssertionError("the endpoint process did not answer in %g s" % timeout)
        if self._answer.get("error") == "AssertionError":
            raise AssertionError("in the other process: " + self._answer["text"])
        if "error" in self._answer:
            raise RemoteError(self._answer["error"], self._answer["text"])
        return _decode(self._answer["result"])


class RemotePhone(object):
    """A Phone in another process, with the same engine.

    Args:
        folder: where its errors go.
        options: of the Endpoint.
    """

    def __init__(self, folder, **options):
        self._error_path = os.path.join(folder, "endpoint.err")
        started = Pending()
        self._pending = {0: started}
        self._lock = threading.Lock()
        self._last_id = 0
        with open(self._error_path, "wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, os.path.abspath(__file__).replace(".pyc", ".py"), json.dumps(options)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(os.environ, PYTHONPATH=_package_path()),
                close_fds=True,
            )
        self._reader = threading.Thread(target=self._read)
        self._reader.daemon = True
        self._reader.start()
        try:
            self.uri, self.host_port = started.result()
        except BaseException as error:
            self.stop()
            raise AssertionError("the endpoint process did not start: %s\n%s" % (error, self.report()))

    def _read(self):
        for line in iter(self._process.stdout.readline, b""):
            answer = json.loads(line.decode("utf-8"))
            with self._lock:
                self._pending.pop(answer["id"]).set(answer)
        with self._lock:
            lost, self._pending = self._pending, {}
        for pending in lost.values():
            pending.set({"error": "Died", "text": "exit code %s\n%s" % (self._process.poll(), self.report())})

    def start(self, on, name, *arguments, **options):
        """Ask for something that takes a while; returns a :class:`Pending`."""
        pending = Pending()
        with self._lock:
            self._last_id += 1
            self._pending[self._last_id] = pending
            request = {"id": self._last_id, "on": on, "name": name}
            request["arguments"] = [_encode(each) for each in arguments]
            request["options"] = dict((key, _encode(value)) for key, value in options.items())
            self._process.stdin.write((json.dumps(request) + "\n").encode("ascii"))
            self._process.stdin.flush()
        return pending

    def call(self, name, *arguments, **options):
        """A method or an attribute of the call that was placed or received last."""
        return self.start("call", name, *arguments, **options).result()

    def endpoint(self, name, *arguments, **options):
        """A method or an attribute of the endpoint."""
        return self.start("endpoint", name, *arguments, **options).result()

    def registration(self, name, *arguments, **options):
        """A method or an attribute of the registration that was made last."""
        return self.start("registration", name, *arguments, **options).result()

    def notifier(self, name, *arguments, **options):
        """A method or an attribute of the subscription from outside that came last."""
        return self.start("notifier", name, *arguments, **options).result()

    @contextlib.contextmanager
    def paused(self):
        """It neither reads nor answers meanwhile; what was sent to it then is there afterwards."""
        freeze(self._process.pid)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def kill(self):
        """End the process with SIGKILL: nobody is told."""
        self._process.kill()
        self._process.wait()

    @property
    def labels(self):
        return self.start("phone", "labels").result()

    def expect(self, *labels):
        """As Phone.expect()."""
        self.start("phone", "expect", *labels).result()

    def wait(self, wanted, count=1, timeout=10.0):
        """As Phone.wait(); the event is a dict of what there was of label, sdp, body, status, reason, text, source."""
        return self.start("phone", "wait", wanted, count, timeout).result(timeout + 10.0)

    def report(self):
        """What it wrote to stderr, for a failure."""
        return read_text(self._error_path)

    def stop(self):
        """Close the endpoint and end the process."""
        try:
            self._process.stdin.close()
        except (IOError, OSError):  # it is gone already
            pass
        wait_for_exit(self._process, 5.0)
        stop_process(self._process)
        self._reader.join(2.0)
        self._process.stdout.close()


def _package_path():
    """PYTHONPATH for the child: where this process has the package from comes first."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(sipbridge.__file__)))
    return os.pathsep.join([package] + [path for path in [os.environ.get("PYTHONPATH")] if path])


if __name__ == "__main__":
    _Server(_decode(json.loads(sys.argv[1])), sys.stdout).serve(io.open(0, encoding="utf-8"))
