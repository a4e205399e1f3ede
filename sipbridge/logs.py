"""The log lines of sipbridge as JSON, with the field names of the Elastic Common Schema (ECS).

>>> sipbridge.logs.write_json()

The loggers are ``sipbridge.call``, ``sipbridge.registration``, ``sipbridge.engine``, ``sipbridge.shield``, and
``sipbridge`` for faults. Their lines have their facts as attributes of the LogRecord (``extra``), so any other
formatter can use them, too: :data:`FIELDS` has their names. See docs/watching.md.

It needs ecs-logging: ``pip install sipbridge[logs]``.
"""

from __future__ import absolute_import, division, print_function

import logging
import os
import sys
import threading
import time
import weakref
from collections import deque

from sipbridge._compat import PY2, NamedTuple, text_type
from sipbridge._text.arguments import check_delay, check_whole
from sipbridge._text.checks import check_line
from sipbridge.errors import InputError, NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Deque, Dict, List, Optional, TextIO

    class _Base(logging.Formatter):
        def format_to_ecs(self, record):
            # type: (logging.LogRecord) -> Dict[str, Any]
            raise NotImplementedError

else:
    try:
        from ecs_logging import StdlibFormatter as _Base
    except ImportError:
        _Base = None


class Field(NamedTuple("Field", [("name", "str"), ("ecs", "str"), ("meaning", "str")])):
    """A fact in the lines of a logger.

    Attributes:
        name: of the attribute of the LogRecord.
        ecs: the name in JSON.
        meaning: what it tells.
    """

    __slots__ = ()


#: The facts in the lines of sipbridge's loggers. Names that begin with "sip." are those of Packetbeat's SIP fields,
#: those with "sipbridge." are of nobody else; all others are of ECS.
FIELDS = (
    Field("event", "event.action", "what happened, as `call-started`"),
    Field("call_id", "sip.call_id", "the Call-ID"),
    Field("direction", "network.direction", "`inbound` or `outbound`: who placed the call"),
    Field("from", "sip.from.uri.original", "the caller's URI"),
    Field("to", "sip.to.uri.original", "the callee's URI"),
    Field("source_address", "source.ip", "where the request came from (sources.md): the IP address"),
    Field("source_port", "source.port", "its port"),
    Field("transport", "network.transport", "`udp`, `tcp` or `tls`"),
    Field("cause", "event.reason", "why a call ended: the `cause` of CallEnded; why an engine was lost"),
    Field("status", "sip.code", "the status that goes with it"),
    Field("reason", "sip.status", "its reason phrase"),
    Field("seconds", "event.duration", "until the answer; from the answer to the end; from the loss of an engine to"
                                       " the next. In JSON in nanoseconds"),
    Field("aor", "sipbridge.registration.aor", "the address-of-record that is registered"),
    Field("registrar", "sipbridge.registration.registrar", "the registrar's URI"),
    Field("state", "sipbridge.registration.state", "the state of the registration"),
    Field("before", "sipbridge.registration.before", "its state before; none: it is new"),
    Field("expires", "sipbridge.registration.expires", "the seconds that the registrar granted"),
    Field("rule", "rule.name", "the rule by which a caller was refused"),
    Field("method", "sip.method", "the method of what was refused"),
    Field("count", "sipbridge.count", "how many refusals the line stands for; how many engines were lost in a row"),
    Field("worker_pid", "sipbridge.worker.pid", "the process id of the worker that was lost, or of the new one"),
)  # fmt: skip

_ECS = dict((field.name, field.ecs) for field in FIELDS)

#: What ECS has words for: the type of each event (its category is "network" but for engines) and its outcome.
_KINDS = {
    "call-started": ("network", ["connection", "start"], None),
    "call-answered": ("network", ["connection", "info"], None),
    "call-ended": ("network", ["connection", "end"], None),
    "registration-changed": ("network", ["protocol", "info"], None),
    "registration-refreshed": ("network", ["protocol", "info"], "success"),
    "refused": ("network", ["denied"], "failure"),
    "engine-lost": ("process", ["end"], "failure"),
    "engine-restarted": ("process", ["start"], "success"),
    "engine-failed": ("process", ["end"], "failure"),
}

#: The causes and states that are a success; others of the same are a failure, if they are an end at all.
_GOOD = frozenset(["local-bye", "remote-bye", "active", "ended"])


def _outcome(event, facts):
    # type: (str, Dict[str, Any]) -> Optional[str]
    """The event.outcome of ECS where a call has ended or a registration has another state."""
    end = facts.get("cause") if event == "call-ended" else facts.get("state")
    if end in (None, "pending"):
        return "unknown" if end else None
    return "success" if end in _GOOD else "failure"


def _ecs_of(facts):
    # type: (Dict[str, Any]) -> Dict[str, Any]
    """The same facts by their names in ECS. The values of ``facts`` are those of one line's fields."""
    named = dict((_ECS[name], value) for name, value in facts.items() if value is not None)  # type: Dict[str, Any]
    if "seconds" in facts:
        named["event.duration"] = int(facts["seconds"] * 1e9)
    if named.get("network.transport") == "tls":
        named["network.transport"] = "tcp"
    kind = _KINDS.get(facts.get("event", ""))
    if kind is not None:
        category, types, outcome = kind
        named.update({"event.kind": "event", "event.category": [category], "event.type": types})
        outcome = outcome or _outcome(facts["event"], facts)
        if outcome is not None:
            named["event.outcome"] = outcome
        if category == "network":
            named["network.protocol"] = "sip"
    return named


class EcsFormatter(_Base or logging.Formatter):  # type: ignore[misc]
    """Formats log lines as JSON for the Elastic Common Schema: one object a line.

    It is the StdlibFormatter of ecs-logging, and gives the facts in the lines of sipbridge the names of ECS. It formats
    the lines of other loggers as that does.

    Args:
        service: the name of your service (``service.name``), or None.

    Raises NotSupportedError when ecs-logging is missing, and InputError.
    """

    def __init__(self, service=None):
        # type: (Optional[str]) -> None
        if _Base is None:
            raise NotSupportedError("JSON log lines need ecs-logging: pip install sipbridge[logs]")
        self._service = None if service is None else check_line(service, "service")
        _Base.__init__(self)

    def format_to_ecs(self, record):
        # type: (logging.LogRecord) -> Dict[str, Any]
        """The JSON object for a LogRecord, as a dict."""
        renamed = vars(record).copy()
        if record.name.partition(".")[0] == "sipbridge":
            facts = dict((name, renamed.pop(name)) for name in _ECS if name in renamed)
            renamed.update(_ecs_of(facts))
        if self._service is not None:
            renamed.setdefault("service.name", self._service)
        result = _Base.format_to_ecs(self, logging.makeLogRecord(renamed))  # type: Dict[str, Any]
        return result


#: Lines that are written without further waiting.
_MANY = 1000


def _checked_stream(stream):
    # type: (Optional[TextIO]) -> TextIO
    """A text stream, or standard error for None. Raises InputError."""
    if stream is not None and not hasattr(stream, "write"):
        raise InputError("stream must be a text stream, not %r" % (stream,))
    return sys.stderr if stream is None else stream


_process = []  # type: List[int]  # the id of this one: asking for it costs a system call


def _note_fork():
    # type: () -> None
    _process[:] = [os.getpid()]


_at_fork = getattr(os, "register_at_fork", None)  # not on Python 2
if _at_fork is not None:
    _note_fork()
    _at_fork(after_in_child=_note_fork)


class _Own(object):
    """What one process has of a BufferedHandler. A fork copies none of it: not the lines that wait in the parent, nor
    locks of the handler that the child would find held by threads which it does not have."""

    def __init__(self):
        # type: () -> None
        self.lines = deque()  # type: Deque[str]
        #: Held while lines are written; not the handler's lock, so nobody who logs waits for the stream. A thread takes
        #: it twice when an error is logged while it writes: by the stream, or by a signal handler.
        self.writing = threading.RLock()
        self.is_writing = self.is_asked = False
        #: Free when lines wait for the thread. An Event has a lock, for which a signal handler might wait for ever.
        self.idle = threading.Lock()
        self.idle.acquire()
        self.starting = threading.Lock()  # held by who starts the thread
        self.has_thread = False

    def wake(self):
        # type: () -> None
        """Have the thread write what waits."""
        try:
            self.idle.release()
        except (RuntimeError, threading.ThreadError):
            pass  # it is awake


class BufferedHandler(logging.Handler):
    """Writes log lines to a stream, many at a time: so a busy program does not pay for the writing of each.

    Args:
        stream: a text stream; None for standard error.
        seconds: the most that a line waits. One of ERROR or above is written at once, with those that wait.

    The lines that wait are written when the program exits, also when a process of ``multiprocessing`` does. They are
    lost when it is killed or calls ``os._exit()``: flush() before that. They are lost, too, when the stream fails. What
    its encoding does not have is written as ``\\xfc``.

    A forked process writes its own lines alone. If the fork comes while another thread writes to the stream, the child
    may find the stream's own lock held for ever, as with a StreamHandler. Raises InputError.
    """

    terminator = "\n"

    def __init__(self, stream=None, seconds=0.2):
        # type: (Optional[TextIO], float) -> None
        logging.Handler.__init__(self)
        self.stream = _checked_stream(stream)  # type: Any
        self._seconds = check_delay(seconds, "seconds")
        self._closed = False
        self._owns = {}  # type: Dict[int, _Own]
        self._own()

    def handle(self, record):
        # type: (logging.LogRecord) -> bool
        """Take the line of a record, and write it with the others if it must not wait."""
        taken = bool(logging.Handler.handle(self, record))
        try:
            if taken and self._is_urgent(record):
                self._write_all()
        except Exception:
            self.handleError(record)
        return taken

    def emit(self, record):
        # type: (logging.LogRecord) -> None
        """Take the line of a record. Under the handler's lock."""
        try:
            self._own().lines.append(self.format(record) + self.terminator)
        except Exception:
            self.handleError(record)

    def flush(self):
        # type: () -> None
        """Write the lines that wait. Where this thread writes already, they follow after its lines.

        It does not raise when the stream fails: standard error tells of it, if ``logging.raiseExceptions`` is set.
        """
        try:
            self._write_all()
        except Exception as error:  # a full disk: the lines are lost, as those of other handlers
            _tell(error)

    def _write_all(self):
        # type: () -> None
        """What flush() does, but raises what the stream raises."""
        own = self._own()
        with own.writing:
            if own.is_writing:
                own.is_asked = True
                self._write_soon(own)
                return
            try:
                own.is_writing, own.is_asked = True, False
                self._write(own.lines)
                if own.is_asked:  # only once: a stream that logs an error with each write would never end
                    self._write(own.lines)
            finally:
                own.is_writing = False

    def close(self):
        # type: () -> None
        """Write the lines that wait, and end the thread. The stream stays open, and later lines are written at once."""
        self._closed = True
        self._own().wake()
        try:
            self.flush()
        finally:
            logging.Handler.close(self)

    def _own(self):
        # type: () -> _Own
        """What this process has. The records do not tell of a fork: they may come from another process by a queue."""
        pid = _process[0] if _process else os.getpid()
        own = self._owns.get(pid)
        if own is None:
            before = list(self._owns)
            mine = _Own()
            own = self._owns.setdefault(pid, mine)  # one alone of the threads that come here
            for each in before:
                if each != pid:
                    self._owns.pop(each, None)
            if own is mine:
                _flush_with_multiprocessing(self)
        return own

    def _write(self, lines):
        # type: (Deque[str]) -> None
        text = "".join([_fitting(lines.popleft(), self.stream) for _ in range(len(lines))])  # the others only append
        if text:
            try:
                self.stream.write(text)
            except UnicodeError:  # nothing is written yet: the stream encodes all of it first
                self.stream.write(_encodable(text, self.stream))
            self.stream.flush()

    def _is_urgent(self, record):
        # type: (logging.LogRecord) -> bool
        """Whether lines must not wait any longer."""
        own = self._own()
        is_error = record.levelno is not None and record.levelno >= logging.ERROR  # as makeLogRecord() leaves it
        return is_error or self._closed or len(own.lines) >= _MANY or not self._write_soon(own)

    def _write_soon(self, own):
        # type: (_Own) -> bool
        """Have the thread write what waits. False where there can be none, as while the interpreter exits."""
        if not own.has_thread and own.starting.acquire(False):  # else another one starts it, or writes all
            try:
                if not own.has_thread:
                    thread = threading.Thread(target=self._run, args=(own,), name="sipbridge log lines")
                    thread.daemon = True
                    thread.start()
                    own.has_thread = True
            except (RuntimeError, threading.ThreadError):
                return False
            finally:
                own.starting.release()
        if own.idle.locked():
            own.wake()
        return True

    def _run(self, own):
        # type: (_Own) -> None
        while not self._closed:
            own.idle.acquire()
            time.sleep(self._seconds)
            self.flush()


def _tell(error):
    # type: (Exception) -> None
    """Tell standard error that lines were lost. Where it is missing or fails, too, nobody hears of it."""
    if logging.raiseExceptions:
        try:
            sys.stderr.write("sipbridge: cannot write log lines: %s\n" % error)
        except Exception:  # nor may the thread that writes end for it
            pass


def _flush_with_multiprocessing(handler):
    # type: (BufferedHandler) -> None
    """Write the lines that wait when multiprocessing ends this process: by os._exit(), so the interpreter does not."""
    util = sys.modules.get("multiprocessing.util")  # it is there in each of its processes
    finalize = getattr(util, "Finalize", None)
    if finalize is not None:
        finalize(handler, _flush, (weakref.ref(handler),), exitpriority=-100)  # after others, who may log


def _flush(reference):
    # type: (weakref.ReferenceType[BufferedHandler]) -> None
    handler = reference()
    if handler is not None:
        handler.flush()


def _fitting(text, stream):
    # type: (str, Any) -> Any
    """Text as that stream takes it: Python 2 has two kinds of both."""
    if not PY2:
        return text
    if hasattr(stream, "errors") and not isinstance(stream, type(sys.__stderr__)):  # of io
        return text if isinstance(text, text_type) else text.decode("utf-8", "replace")
    return text.encode("utf-8") if isinstance(text, text_type) else text


def _encodable(text, stream):
    # type: (str, Any) -> str
    """Text with a backslash notation for all that the stream's encoding does not have."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def write_json(stream=None, level=logging.INFO, service=None, seconds=0.0):
    # type: (Optional[TextIO], int, Optional[str], float) -> logging.Handler
    """Write all log lines of this program to a stream, as JSON. Returns the handler of the root logger that does it.

    Args:
        stream: a text stream; None for standard error.
        level: of the root logger from now on, as ``logging.INFO``.
        service: as for :class:`EcsFormatter`.
        seconds: the most that a line may wait for others (see :class:`BufferedHandler`); 0: each is written at once.

    Raises NotSupportedError when ecs-logging is missing, and InputError.
    """
    check_whole(level, "level", 0, 100)
    if check_delay(seconds, "seconds"):
        handler = BufferedHandler(stream, seconds)  # type: logging.Handler
    else:
        handler = logging.StreamHandler(_checked_stream(stream))
    handler.setFormatter(EcsFormatter(service))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    return handler
