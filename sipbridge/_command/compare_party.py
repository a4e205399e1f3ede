"""The endpoint under test of ``sipbridge compare``, in a process of its own: an engine that dies is a finding.

:func:`main` reads one line of JSON with its part from standard input; with ``--app PROGRAM ARGUMENT...`` it runs that
program in place of a part, with nothing to read. To what was its standard output it writes what happens, a JSON object
per line. What a program prints goes to standard error. When standard input ends, so does this process, with all that a
program has started: it is a session of its own.
"""

from __future__ import absolute_import, division, print_function

import errno
import json
import os
import runpy
import signal
import sys
import threading

from sipbridge import events
from sipbridge._agent import observers
from sipbridge._agent.endpoint import Endpoint
from sipbridge._command.console import PASSWORD_VARIABLE
from sipbridge._compat import PY2, monotonic
from sipbridge._engine.libraries import choose
from sipbridge.errors import SipbridgeError
from sipbridge.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Sequence

    from sipbridge._call.call import Call

#: Where a REFER or a redirection of today names somebody: nobody is there, and nobody is asked.
_NOBODY = "sip:nobody@127.0.0.1:9"

#: Seconds for what was recorded to come today.
_PATIENCE = 10.0


class Lines(object):
    """Writes JSON objects to a descriptor, a line each."""

    def __init__(self, descriptor):
        # type: (int) -> None
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def tell(self, kind, **fields):
        # type: (str, **Any) -> None
        octets = (json.dumps(dict(fields, told=kind)) + "\n").encode("ascii")
        with self._lock:
            while octets:
                octets = octets[os.write(self._descriptor, octets) :]


def described(event):
    # type: (Any) -> Dict[str, Any]
    """An event as data for JSON: its name, and what of it should be the same with every engine."""
    fields = {}  # type: Dict[str, Any]
    headers = []  # type: List[Any]
    body = b""
    for name, value in zip(event._fields, event):
        if isinstance(value, Headers):
            headers = list(value)
        elif name in ("sdp", "body"):
            body = value or b""
            fields[name] = value is not None
        elif name != "reason" and (value is None or isinstance(value, (bool, int, str, type(u"")))):
            fields[name] = value
    call = getattr(event, "call", None)
    if isinstance(event, events.IncomingCall) and call is not None:
        fields.update(remote_uri=call.remote_uri, request_uri=call.request_uri)
    name = type(event).__name__
    return {"event": name, "fields": fields, "headers": headers, "body": body.decode("latin-1")}


class Teller(observers.Observer):
    """Tells of the events of each endpoint of this process, and of its engine.

    Attributes:
        seen: the names of the events, in their order.
        changed: notified with each of them.
    """

    def __init__(self, lines, engine):
        # type: (Lines, str) -> None
        self._lines = lines
        self.seen = []  # type: List[str]
        self.changed = threading.Condition()
        lines.tell("opened", engine=engine)

    def call_started(self, call):
        # type: (Call) -> None
        self._lines.tell("call")

    def event(self, event):
        # type: (Any) -> None
        self._lines.tell("event", **described(event))
        with self.changed:
            self.seen.append(type(event).__name__)
            self.changed.notify_all()

    def wait(self, condition):
        # type: (Callable[[List[str]], object]) -> None
        """Wait, not for ever, until what was seen meets a condition."""
        end = monotonic() + _PATIENCE
        with self.changed:
            while not condition(self.seen) and monotonic() < end:
                self.changed.wait(0.1 if PY2 else end - monotonic())


class Actor(object):
    """Does what the recorded endpoint did."""

    #: The events that are told of requests of the far side.
    _HEARD = (
        "IncomingCall", "CallConfirmed", "CallReinvited", "InfoReceived", "MessageReceived", "SubscriptionRequested",
        "NotifyReceived", "TransferProgress",
    )  # fmt: skip

    def __init__(self, part, phone, teller, peer):
        # type: (Dict[str, Any], Endpoint, Teller, Optional[str]) -> None
        self._part = part
        self._phone = phone
        self._teller = teller
        self._peer = peer
        self._replies = list(part["replies"])
        self._call = None  # type: Optional[Call]
        self._kept = {}  # type: Dict[str, Any]  # registration, subscription and publication, by their method
        self._lock = threading.Lock()
        handlers = (
            (events.IncomingCall, self._incoming),
            (events.CallReinvited, self._reinvited),
            (events.RequestReceived, self._request),
            (events.SubscriptionRequested, self._subscribed),
        )  # type: Any  # pairs of a class of events and its handler
        for kind, handler in handlers:
            phone.on(kind, handler)

    # -- answers -------------------------------------------------------------------------------------------

    def _responses(self, method):
        # type: (str) -> List[Dict[str, Any]]
        """What was answered to the next request of that method."""
        with self._lock:
            for reply in self._replies:
                if reply["method"] == method:
                    self._replies.remove(reply)
                    found = reply["responses"]  # type: List[Dict[str, Any]]
                    return found
        return []

    def _incoming(self, event):
        # type: (events.IncomingCall) -> None
        call = self._call = event.call
        for each in self._responses("INVITE"):
            status, body = each["status"], each["body"].encode("latin-1") or None
            if status < 200:
                call.ring(status, body)
            elif status < 300:
                call.answer(body)
            elif status < 400:
                call.redirect(_NOBODY, status)
            else:
                call.reject(status)

    def _reinvited(self, event):
        # type: (events.CallReinvited) -> None
        for each in self._responses("INVITE"):
            if each["status"] >= 300:
                event.reject(each["status"])
            elif each["status"] >= 200:
                event.answer(each["body"].encode("latin-1") or None)

    def _request(self, event):
        # type: (events.RequestReceived) -> None
        for each in self._responses(event.method):
            if each["status"] < 200:
                continue
            if isinstance(event, events.TransferRequested):
                event.reject(each["status"] if each["status"] >= 300 else 603)
            else:
                event.answer(each["status"], None, each["body"].encode("latin-1") or None, each["type"])

    def _subscribed(self, event):
        # type: (events.SubscriptionRequested) -> None
        for each in self._responses("SUBSCRIBE"):
            if each["status"] >= 300:
                event.reject(each["status"])
            elif each["status"] >= 200:
                event.accept().notify()

    # -- requests ------------------------------------------------------------------------------------------

    def act(self):
        # type: () -> None
        """Ask what was asked. What fails is told by the engine's events, which are compared."""
        for request in self._part["requests"]:
            self._wait_for_heard(request["heard"])
            body = request["body"].encode("latin-1") or None
            act = (self._inside if request["inside"] or request["method"] == "CANCEL" else self._outside)
            try:
                act(request, body)
            except SipbridgeError as error:
                sys.stderr.write("%s: %s\n" % (request["method"], error))

    def _wait_for_heard(self, count):
        # type: (int) -> None
        self._teller.wait(lambda seen: sum(each in self._HEARD for each in seen) >= count)

    def _inside(self, request, body):
        # type: (Dict[str, Any], Optional[bytes]) -> None
        call, method = self._call, request["method"]
        if method in self._kept:
            self._again(method, request)
        elif call is None:
            return
        elif method in ("BYE", "CANCEL"):
            call.hangup()
            self._teller.wait(lambda seen: "CallEnded" in seen)
        elif method == "INVITE":
            call.reinvite(body, timeout=_PATIENCE)
        elif method == "UPDATE":
            call.update(body, timeout=_PATIENCE)
        elif method == "REFER":
            call.begin_transfer(_NOBODY, timeout=_PATIENCE)
        else:
            call.request(method, body, request["type"], timeout=_PATIENCE)

    def _outside(self, request, body):
        # type: (Dict[str, Any], Optional[bytes]) -> None
        method, peer, phone = request["method"], self._peer or "", self._phone
        if method in self._kept:
            self._again(method, request)
        elif method == "INVITE":
            self._place(request, body)
        elif method == "REGISTER":
            self._kept[method] = phone.register(peer, expires=request["expires"] or 3600, timeout=_PATIENCE)
            self._teller.wait(lambda seen: "RegistrationChanged" in seen)
        elif method == "SUBSCRIBE":
            self._kept[method] = phone.subscribe(peer, request["event"], expires=request["expires"] or 3600)
        elif method == "PUBLISH":
            self._kept[method] = phone.publish(peer, request["event"], body or b"", request["type"] or "text/plain")
        elif method == "MESSAGE":
            phone.message(peer, body or b"", request["type"] or "text/plain", timeout=_PATIENCE, large=True)
        else:
            phone.request(method, peer, body, request["type"], timeout=_PATIENCE)

    def _again(self, method, request):
        # type: (str, Dict[str, Any]) -> None
        """Refresh or end what is kept."""
        before = len(self._teller.seen)
        ending = {"REGISTER": "unregister", "SUBSCRIBE": "unsubscribe", "PUBLISH": "remove"}[method]
        getattr(self._kept[method], ending if request["expires"] == 0 else "refresh")(timeout=_PATIENCE)
        self._teller.wait(lambda seen: len(seen) > before)

    def _place(self, request, body):
        # type: (Dict[str, Any], Optional[bytes]) -> None
        call = self._call = self._phone.invite(self._peer or "", body)
        final = request["final"]
        if request["progress"] and final in (0, 487):
            self._teller.wait(lambda seen: "CallProgress" in seen or "CallEnded" in seen)
        elif 200 <= final < 300:
            call.wait_answered(_PATIENCE)
        elif final:
            self._teller.wait(lambda seen: "CallEnded" in seen)


def _play_part(lines):
    # type: (Lines) -> int
    line = sys.stdin.readline()
    options = json.loads(line or "null")
    if options is None:  # nobody needs this process any more
        return 0
    part = options["part"]
    try:
        phone = Endpoint(options["address"], part["identity"] or None)
    except SipbridgeError as error:
        lines.tell("failed", failure="%s" % error)
        return 0
    with phone:
        if part["user"]:
            phone.add_credentials(part["user"], os.environ.get(PASSWORD_VARIABLE, "secret"))
        actor = Actor(part, phone, phone.observe(Teller(lines, phone.engine_name)), options["peer"])
        lines.tell("ready", uri=phone.uri)
        thread = threading.Thread(target=_act, args=(actor, lines))
        thread.daemon = True
        thread.start()
        sys.stdin.read()
    return 0


def _act(actor, lines):
    # type: (Actor, Lines) -> None
    try:
        actor.act()
    finally:
        lines.tell("done")


def _keep_input():
    # type: () -> None
    """End with standard input, which a program does not get: it ends with ``sipbridge compare``, however that ends."""
    kept = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    thread = threading.Thread(target=_end_with, args=(kept,))
    thread.daemon = True
    thread.start()


def _end_with(descriptor):
    # type: (int) -> None
    """Kill this process and those that it has started, when there is no more to read."""
    while True:
        try:
            if not os.read(descriptor, 1024):
                break
        except OSError as error:
            if error.errno != errno.EINTR:
                break
    os.killpg(0, signal.SIGKILL)
    os._exit(1)


def main(argv=None):
    # type: (Optional[Sequence[str]]) -> int
    """Run until standard input ends, or as long as the program runs. Returns the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if os.getpgrp() != os.getpid():
        os.setsid()
    lines = Lines(os.dup(1))
    os.dup2(2, 1)
    module = choose(None)
    lines.tell("started", version=module.ffi.string(module.lib.sb_engine_version()).decode("ascii", "replace"))
    if arguments[:1] != ["--app"]:
        return _play_part(lines)
    _keep_input()
    observers.everywhere.append(lambda endpoint: Teller(lines, endpoint.engine_name))
    sys.argv = arguments[1:]
    sys.path[0] = os.path.dirname(os.path.abspath(arguments[1]))
    runpy.run_path(arguments[1], run_name="__main__")
    return 0
