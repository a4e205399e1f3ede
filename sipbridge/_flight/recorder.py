"""A flight recorder: has the last messages of an endpoint, and writes them to a folder when something goes wrong."""

from __future__ import absolute_import, division, print_function

import logging
import signal as signals
import threading
import time
import traceback
from collections import deque

from sipbridge._agent import observers
from sipbridge._capture.passed import call_id_of, host_port
from sipbridge._compat import monotonic
from sipbridge._engine import flight
from sipbridge._engine.local_address import Ends
from sipbridge._flight import facts, settings
from sipbridge._flight.folder import IncidentFolder, check_reason
from sipbridge._flight.incident import Incident
from sipbridge._text.arguments import check_delay, check_text, check_whole
from sipbridge.errors import EngineError, InputError, TimeoutError
from sipbridge.record import Passed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Deque, Dict, FrozenSet, Iterable, Iterator, List, Optional

    from sipbridge import events
    from sipbridge._agent.endpoint import Endpoint
    from sipbridge._agent.fault import Fault
    from sipbridge._agent.observers import Crash
    from sipbridge._agent.telling import Observers
    from sipbridge._call.call import Call
    from sipbridge._flight.pieces import Piece

log = logging.getLogger("sipbridge.flight")

#: Seconds after which an incident that nobody waits for is written, so that it has what the endpoint sent then.
_AFTER = 0.6

#: The most incidents that wait to be written. Of more, those that come last are counted.
_MOST = 20


class _Report(object):
    """An incident on its way to the folder.

    Attributes:
        about: what it is about, as of a Written.
        after: seconds to wait before it is written.
        path: where it is, once ``done`` is set.
        error: why it is nowhere, or None.
    """

    def __init__(self, reason, call_id, text, trace, more, about=None, after=0.0):
        # type: (str, str, str, str, Dict[str, Any], Any, float) -> None
        self.reason = reason
        self.call_id = call_id
        self.text = text
        self.trace = trace
        self.more = more
        self.about = about
        self.after = after
        self.time = time.time()
        self.done = threading.Event()
        self.path = None  # type: Optional[str]
        self.error = None  # type: Optional[Exception]


class _Witness(observers.Observer):
    """Sees what is an incident."""

    def __init__(self, report, causes):
        # type: (Callable[..., None], FrozenSet[str]) -> None
        self._report = report
        self._causes = causes

    def fault(self, fault):
        # type: (Fault) -> None
        lines = traceback.format_exception(*fault.exc_info)
        reason = "fault" if fault.handler is None else "handler-failed"
        self._report(reason, fault.call_id, lines[-1].strip(), "".join(lines), {}, fault)

    def engine_lost(self, crash):
        # type: (Crash) -> None
        more = {"pid": crash.pid, "core": crash.core}
        self._report("engine-lost", "", crash.reason, crash.backtrace, more, crash)

    def call_ended(self, ended):
        # type: (events.CallEnded) -> None
        if ended.cause in self._causes:
            text = "call ended: %s (%d %s)" % (ended.cause, ended.status, ended.reason)
            self._report("call-ended", ended.call.call_id, text, "", facts.of_call(ended.call, ended), ended)


class FlightRecorder(object):
    """Keeps the last messages of one endpoint, and writes an incident when something goes wrong there.

    Give it to ``Endpoint(flight=...)``. An incident is written when a handler raises something, an engine is lost, a
    call ends for one of ``causes``, somebody calls :meth:`dump`, or the signal comes. It is a folder of its own: see
    docs/flight.md. Each reason has one incident in ``interval`` seconds at most; the next one tells how many there were
    since.

    Args:
        folder: the path of the folder for incidents. It is made where it is missing.
        minutes: how old the messages may be that an incident has.
        megabytes: how much memory they may take.
        causes: the causes of CallEnded after which a call is an incident, as ``["failed", "timeout"]``.
        signal: a signal that writes one, as ``signal.SIGUSR1``, or None. Make the endpoint on the main thread then.
        interval: seconds between two incidents of one reason.
        keep, keep_megabytes, keep_days: how many incidents stay in the folder, how large they are together, how old.
        mask_numbers: True to mask telephone numbers and other users in URIs.
        mask_bodies: True to mask bodies.

    Raises NotSupportedError when dpkt is missing (``pip install sipbridge[pcap]``), and InputError.
    """

    def __init__(
        self,
        folder,  # type: str
        minutes=5.0,  # type: float
        megabytes=32,  # type: int
        causes=(),  # type: Iterable[str]
        signal=None,  # type: Optional[int]
        interval=10.0,  # type: float
        keep=50,  # type: int
        keep_megabytes=500,  # type: int
        keep_days=30,  # type: float
        mask_numbers=False,  # type: bool
        mask_bodies=False,  # type: bool
    ):
        # type: (...) -> None
        self._seconds = check_delay(minutes, "minutes") * 60.0
        self.octets = check_whole(megabytes, "megabytes", 1, 1024) * 1024 * 1024  # type: int
        self._causes = facts.check_causes(causes)
        self._signal = None if signal is None else facts.check_signal(signal)
        self._interval = check_delay(interval, "interval")
        self._folder = IncidentFolder(folder, keep, keep_megabytes, keep_days, mask_numbers, mask_bodies)
        self._endpoint = None  # type: Any  # the Endpoint
        self._engine = None  # type: Any
        self._observers = None  # type: Any
        self._settings = {}  # type: Dict[str, Any]
        self._transport, self._ends = "udp", Ends("", 0)
        self._changed = threading.Condition()
        self._reports = deque()  # type: Deque[_Report]
        self._writing = False
        self._gate = threading.Lock()  # open when there is something to write
        self._gate.acquire()
        self._closing = threading.Event()
        self._is_over = False
        self._last = {}  # type: Dict[str, float]  # when there was an incident for this reason
        self._left_out = {}  # type: Dict[str, int]  # how many there were since
        self._before = None  # type: Any  # the handler of the signal before

    # -- the endpoint's ------------------------------------------------------------------------------------

    def begin(self, endpoint, engine, told, given, transport, host, port):
        # type: (Endpoint, Any, Observers, Dict[str, Any], str, str, int) -> None
        """Record this endpoint, which opens and was given these arguments. Raises InputError."""
        if self._endpoint is not None:
            raise InputError("flight: this FlightRecorder is of another endpoint; make one for each")
        self._endpoint, self._engine, self._observers = endpoint, engine, told
        self._settings = settings.of_arguments(given)
        self._transport, self._ends = "udp" if transport == "udp" else "tcp", Ends(host, port)
        if self._signal is not None:
            try:
                self._before = signals.signal(self._signal, self._take_signal)
            except ValueError:
                raise InputError("signal: open the endpoint on the main thread, which alone may set a signal's handler")
        thread = threading.Thread(target=self._run, name="sipbridge flight recorder")
        thread.daemon = True
        thread.start()
        endpoint.observe(_Witness(self._report, self._causes))

    def settle(self, timeout):
        # type: (float) -> None
        """Wait until what has happened is written, at most so many seconds."""
        deadline = monotonic() + timeout
        self._closing.set()
        with self._changed:
            while (self._reports or self._writing) and monotonic() < deadline:
                self._changed.wait(max(0.0, deadline - monotonic()))

    def close(self):
        # type: () -> None
        """Give the signal back. The endpoint is closed; what has happened is still written."""
        if self._signal is not None and self._before is not None:
            try:
                if signals.getsignal(self._signal) == self._take_signal:
                    signals.signal(self._signal, self._before)
            except ValueError:  # not on the main thread
                log.debug("the handler of signal %d stays", self._signal)
            self._before = None
        self._is_over = True
        self._open_gate()

    # -- what happens --------------------------------------------------------------------------------------

    def _take_signal(self, number, frame):
        # type: (int, Any) -> None
        self._report("signal", "", "signal %d" % number, "", {})
        if callable(self._before):
            self._before(number, frame)

    def dump(self, reason="dump", call=None, text="", timeout=30.0):
        # type: (str, Optional[Call], str, float) -> str
        """Write an incident now, whatever was written before. Returns the path of its folder.

        Args:
            reason: a word for the folder's name.
            call: the Call that it is about, or None.
            text: a line that says what happened.
            timeout: seconds to wait until it is written.

        Raises InputError, also when it cannot be written; TimeoutError; and EngineError when no endpoint has this
        recorder.
        """
        check_reason(check_text(reason, "reason"))
        check_text(text, "text")
        check_delay(timeout)
        about = getattr(call, "_core", call)
        if about is not None and not hasattr(about, "call_id"):
            raise InputError("call must be a Call, not %r" % (call,))
        if self._endpoint is None:
            raise EngineError("dump: give this FlightRecorder to an endpoint first: Endpoint(flight=...)")
        more = {} if about is None else facts.of_call(about)
        report = _Report(reason, "" if about is None else about.call_id, text, "", more)
        self._put(report)
        if self._is_over:  # the endpoint is closed, and the thread has ended
            self._write_all()
        if not report.done.wait(timeout):
            raise TimeoutError("dump: the incident was not written in %g s" % timeout)
        if report.error is not None:
            raise InputError("cannot write the incident: %s" % report.error)
        return str(report.path)

    def _report(self, reason, call_id, text, trace, more, about=None):
        # type: (str, str, str, str, Dict[str, Any], Any) -> None
        now = monotonic()
        if now - self._last.get(reason, -1e9) < self._interval or len(self._reports) >= _MOST:
            self._left_out[reason] = self._left_out.get(reason, 0) + 1
            return
        self._last[reason] = now
        left_out = self._left_out.pop(reason, 0)
        if left_out:
            more = dict(more, left_out=left_out)
        self._put(_Report(reason, call_id, text, trace, more, about, _AFTER))

    # -- writing, on a thread of its own -------------------------------------------------------------------

    def _put(self, report):
        # type: (_Report) -> None
        """Have it written. From any thread, also within a signal handler: so it takes no lock and starts no thread."""
        self._reports.append(report)
        self._open_gate()

    def _open_gate(self):
        # type: () -> None
        try:
            self._gate.release()
        except (RuntimeError, threading.ThreadError):  # it is open
            pass

    def _run(self):
        # type: () -> None
        while not self._is_over:
            self._gate.acquire()
            self._write_all()

    def _write_all(self):
        # type: () -> None
        while True:
            with self._changed:
                if not self._reports:
                    self._writing = False
                    self._changed.notify_all()
                    return
                self._writing = True
                report = self._reports.popleft()
            if report.after:
                self._closing.wait(max(0.0, report.time + report.after - time.time()))
            self._write(report)

    def _write(self, report):
        # type: (_Report) -> None
        try:
            found = dict(facts.of_endpoint(self._endpoint, self._engine), settings=self._settings)
            found.update(report.more)
            messages = self._messages()
            call_id = report.call_id or (_last_call(messages, report.time) if report.reason == "engine-lost" else "")
            incident = Incident(report.reason, report.time, call_id, report.text, report.trace, found)
            report.path = self._folder.write(incident, messages)
            log.warning("incident %s: %s", report.reason, report.path, extra={"event": "incident"})
        except Exception as error:
            report.error = error
            log.error("cannot write an incident (%s) to %s: %s", report.reason, self._folder.path, error)
            return
        finally:
            report.done.set()
        if self._observers.incident_written:

            def files(mask_numbers, mask_bodies):
                # type: (bool, bool) -> Iterator[Piece]
                return self._folder.pieces(incident, messages, mask_numbers, mask_bodies)

            told = observers.Incident(report.path, incident.reason, incident.call_id, report.about, files)
            self._observers.tell_now("incident_written", told)

    def _messages(self):
        # type: () -> List[Passed]
        """The messages that are not too old, the oldest first."""
        first, transport = time.time() - self._seconds, self._transport
        found = []
        for record in flight.parse(self._engine.flight_records()):
            if record.time >= first:
                source, target = self._ends.of(record.outgoing, record.peer)
                ends = host_port(*source), host_port(*target)
                found.append(Passed(record.time, ends[0], ends[1], record.data, transport, False))
        return found


def _last_call(messages, until):
    # type: (List[Passed], float) -> str
    """The Call-ID of the last message until then, of which an engine that was lost may have died."""
    found = (call_id_of(each.data) for each in reversed(messages) if each.time <= until)
    return next((call_id for call_id in found if call_id), "")
