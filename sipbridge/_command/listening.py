"""The command ``sipbridge listen``."""

from __future__ import absolute_import, division, print_function

import signal
import threading
from contextlib import contextmanager
from functools import partial

from sipbridge._agent.observers import Observer
from sipbridge._command.commands import DESCRIPTIONS, OK, opened, sdp_for, size_of
from sipbridge._command.console import Interrupted
from sipbridge._later import later
from sipbridge.errors import CallStateError, EngineError, SipbridgeError
from sipbridge.events import (
    CallEnded,
    IncomingCall,
    InfoReceived,
    MessageReceived,
    RequestReceived,
    TransferRequested,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Callable, Dict, Iterator, List

    from sipbridge import health, metrics
    from sipbridge._agent.endpoint import Endpoint
    from sipbridge._agent.observers import Refusal
    from sipbridge._agent.web import Server
    from sipbridge._call.call import Call
    from sipbridge._command.console import Console
else:
    health, metrics = later("sipbridge.health", "sipbridge.metrics")


def listen(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Take calls and messages until the user interrupts, or until the given number of calls has ended."""
    with opened(options, console, options.address, allow=options.allow) as phone, watched(options, phone):
        listener = Listener(options, console, sdp_for(options, phone))
        listener.attach(phone)
        try:
            console.event("listening on %s (%s %s)" % (phone.address, phone.engine_name, phone.engine_version))
            while not listener.finished.is_set() and not console.broken.is_set():
                listener.finished.wait(1.0)
                phone.wait_closed(0.0)  # raises an error if the endpoint has failed
        except Interrupted as interrupted:
            if interrupted.args[0] == signal.SIGTERM and options.drain:
                drain(phone, options, console)
            else:
                console.event("interrupted: hanging up")
    return OK


@contextmanager
def watched(options, phone):
    # type: (argparse.Namespace, Endpoint) -> Iterator[None]
    """A context in which the pages are served that the options ask for."""
    servers = []  # type: List[Server]
    try:
        for place, pages in ((options.health, health), (options.metrics, metrics)):
            if place is not None:
                servers.append(pages.serve(phone, place[1], place[0]))
        yield
    finally:
        for server in servers:
            server.close()


def drain(phone, options, console):
    # type: (Endpoint, argparse.Namespace, Console) -> None
    """Let the calls that are up finish, unless another signal comes."""
    try:
        options.interrupts.heed()  # before the user is told: the next signal may come at once
        number = len(phone.calls)
        console.event("taking no more calls: %d to finish, at most %g s for that" % (number, options.drain))
        phone.drain(options.drain)
    except Interrupted:
        console.event("interrupted: hanging up")


class _Refusals(Observer):
    """Prints what was refused before any handler saw it."""

    def __init__(self, console):
        # type: (Console) -> None
        self._console = console

    def refused(self, refusal):
        # type: (Refusal) -> None
        where = "" if refusal.source is None else " from %s" % refusal.source.address
        self._console.event("refused %s%s: %s (%d)" % (refusal.method, where, refusal.rule, refusal.status))


class Listener(object):
    """Answers calls and messages, and prints them. Its handlers for different calls run at the same time.

    Attributes:
        finished: set when the given number of calls has ended.
    """

    def __init__(self, options, console, sdp):
        # type: (argparse.Namespace, Console, bytes) -> None
        self._options = options
        self._console = console
        self._sdp = sdp
        self._numbers = {}  # type: Dict[Call, int]  # the numbers of the answered calls that are up
        self._taken = 0
        self._lock = threading.Lock()  # of both
        self.finished = threading.Event()  # type: threading.Event

    def attach(self, phone):
        # type: (Endpoint) -> None
        phone.observe(_Refusals(self._console))
        phone.on(IncomingCall, self._incoming)
        for kind, describe in DESCRIPTIONS.items():
            phone.on(kind, partial(self._of_call, describe))
        phone.on(CallEnded, self._ended)
        phone.on(MessageReceived, self._message)
        phone.on(TransferRequested, self._transfer)
        phone.on(RequestReceived, self._request)

    def _say(self, call, text):
        # type: (Call, str) -> None
        """Tell something of a call that was taken; nothing of any other."""
        with self._lock:
            number = self._numbers.get(call)
        if number is not None:
            self._console.event("call %d  %s" % (number, text))

    def _is_full(self):
        # type: () -> bool
        return self._options.max_calls is not None and self._taken >= self._options.max_calls

    def _takes(self, call):
        # type: (Call) -> bool
        """Whether there is room for this call, which has a number then."""
        with self._lock:
            if self._is_full():
                return False
            self._taken += 1
            self._numbers[call] = self._taken
        return True

    def _incoming(self, event):
        # type: (IncomingCall) -> None
        call = event.call
        if not self._takes(call):
            call.reject(486)
            self._console.event("refused %s: enough calls" % call.remote_uri)
            return
        self._say(call, "from %s to %s%s" % (call.remote_uri, call.request_uri, size_of(event.sdp)))
        if self._options.reject is not None:
            call.reject(self._options.reject)
        elif self._options.ring_seconds:
            self._ring(call)
        else:
            self._answer(call)

    def _ring(self, call):
        # type: (Call) -> None
        call.ring()
        self._say(call, "ringing")
        timer = threading.Timer(self._options.ring_seconds, self._answer, [call])
        timer.daemon = True
        timer.start()

    def _answer(self, call):
        # type: (Call) -> None
        try:
            call.answer(self._sdp)
        except (CallStateError, EngineError):  # the call has ended meanwhile, or the endpoint closes
            return
        self._say(call, "answered")

    def _of_call(self, describe, event):
        # type: (Callable[[Any], str], Any) -> None
        self._say(event.call, describe(event))

    def _ended(self, event):
        # type: (CallEnded) -> None
        with self._lock:
            if self._numbers.pop(event.call, None) is not None and self._is_full() and not self._numbers:
                self.finished.set()

    def _message(self, event):
        # type: (MessageReceived) -> None
        self._console.event("MESSAGE from %s: %s" % (event.from_uri, event.text))

    def _transfer(self, event):
        # type: (TransferRequested) -> None
        if not self._options.take_transfers:
            self._say(event.call, "asked to call %s, refused" % event.target)
            return
        self._say(event.call, "asked to call %s" % event.target)
        try:
            with self._lock:  # so that what comes of the new call finds its number
                placed = event.accept(self._sdp)
                self._numbers[placed] = self._numbers[event.call]
        except SipbridgeError as error:
            self._console.event("cannot call %s: %s" % (event.target, error))

    def _request(self, event):
        # type: (RequestReceived) -> None
        if not isinstance(event, (MessageReceived, InfoReceived, TransferRequested)):
            self._console.event("%s from %s, not supported" % (event.method, event.from_uri))
