"""What ``sipbridge listen`` does."""

from __future__ import absolute_import, division, print_function

import threading

from sipbridge._command.commands import DESCRIPTIONS, OK, opened, sdp_for, size_of
from sipbridge._command.console import Interrupted
from sipbridge.errors import CallStateError, EngineError, SipbridgeError
from sipbridge.events import (
    CallEnded,
    IncomingCall,
    InfoReceived,
    MessageReceived,
    RequestReceived,
    TransferRequested,
)


def listen(options, console):
    """Take calls and messages until interrupted, or until as many calls as asked for are over."""
    with opened(options, console, options.address) as phone:
        listener = Listener(options, console, sdp_for(options, phone))
        listener.attach(phone)
        try:
            console.event("listening on %s (%s %s)" % (phone.address, phone.engine_name, phone.engine_version))
            while not listener.finished.is_set() and not console.broken.is_set():
                listener.finished.wait(1.0)
                phone.wait_closed(0.0)  # raises where it has failed
        except Interrupted:
            console.event("interrupted: hanging up")
    return OK


class Listener(object):
    """Answers what arrives and tells about it. Its handlers run on the endpoint's event thread.

    Attributes:
        finished: set when as many calls as wanted are over.
    """

    def __init__(self, options, console, sdp):
        self._options = options
        self._console = console
        self._sdp = sdp
        self._numbers = {}  # of the live calls that were taken
        self._taken = 0
        self.finished = threading.Event()

    def attach(self, phone):
        phone.on(IncomingCall, self._incoming)
        for kind, describe in DESCRIPTIONS.items():
            phone.on(kind, lambda event, describe=describe: self._of_call(event, describe))
        phone.on(CallEnded, self._ended)
        phone.on(MessageReceived, self._message)
        phone.on(TransferRequested, self._transfer)
        phone.on(RequestReceived, self._request)

    def _say(self, call, text):
        self._console.event("call %d  %s" % (self._numbers[call], text))

    def _is_full(self):
        return self._options.max_calls is not None and self._taken >= self._options.max_calls

    def _incoming(self, event):
        call = event.call
        if self._is_full():
            call.reject(486)
            self._console.event("refused %s: enough calls" % call.remote_uri)
            return
        self._taken += 1
        self._numbers[call] = self._taken
        self._say(call, "from %s to %s%s" % (call.remote_uri, call.request_uri, size_of(event.sdp)))
        if self._options.reject is not None:
            call.reject(self._options.reject)
        elif self._options.ring_seconds:
            self._ring(call)
        else:
            self._answer(call)

    def _ring(self, call):
        call.ring()
        self._say(call, "ringing")
        timer = threading.Timer(self._options.ring_seconds, self._answer, [call])
        timer.daemon = True
        timer.start()

    def _answer(self, call):
        number = self._numbers.get(call)
        try:
            call.answer(self._sdp)
        except (CallStateError, EngineError):  # the caller, or we, gave up meanwhile
            return
        self._console.event("call %d  answered" % number)

    def _of_call(self, event, describe):
        if event.call in self._numbers:
            self._say(event.call, describe(event))

    def _ended(self, event):
        if self._numbers.pop(event.call, None) is not None and self._is_full() and not self._numbers:
            self.finished.set()

    def _message(self, event):
        self._console.event("MESSAGE from %s: %s" % (event.from_uri, event.text))

    def _transfer(self, event):
        if not self._options.take_transfers:
            self._say(event.call, "asked to call %s, refused" % event.target)
            return
        self._say(event.call, "asked to call %s" % event.target)
        try:
            placed = event.accept(self._sdp)
        except SipbridgeError as error:
            self._console.event("cannot call %s: %s" % (event.target, error))
            return
        self._numbers[placed] = self._numbers[event.call]

    def _request(self, event):
        if not isinstance(event, (MessageReceived, InfoReceived, TransferRequested)):
            self._console.event("%s from %s, not supported" % (event.method, event.from_uri))
