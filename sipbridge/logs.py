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
from collections import deque

from sipbridge._compat import PY2, NamedTuple, text_type
from sipbridge._text.arguments import check_delay, check_whole
from sipbridge._text.checks import check_line
from sipbridge.errors import InputError, NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Deque, Dict, Optional, TextIO

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


class BufferedHandler(logging.Handler):
    """Writes log lines to a stream, many at a time: so a busy program does not pay for the writing of each.

    Args:
        stream: a text stream; None for standard error.
        seconds: the most that a line waits. One of ERROR or above is written at once, with those that wait.

    The lines that wait are written when the program exits, and lost when it is killed. Raises InputError.
    """

    terminator = "\n"

    def __init__(self, stream=None, seconds=0.2):
        # type: (Optional[TextIO], float) -> None
        logging.Handler.__init__(self)
        self.stream = _checked_stream(stream)  # type: Any
        self._seconds = check_delay(seconds, "seconds")
        self._lines = deque()  # type: Deque[str]
        self._writing = threading.Lock()  # not the handler's own: nobody who logs waits for the stream
        self._due = threading.Event()  # lines wait
        self._closed = False
        self._pid = 0  # of the process that has the thread which writes them in time

    def handle(self, record):
        # type: (logging.LogRecord) -> bool
        """Take the line of a record, and write it with the others if it must not wait."""
        taken = bool(logging.Handler.handle(self, record))
        try:
            if taken and self._is_urgent(record):
                self.flush()
        except Exception:
            self.handleError(record)
        return taken

    def emit(self, record):
        # type: (logging.LogRecord) -> None
        """Take the line of a record. Under the handler's lock."""
        try:
            self._lines.append(self.format(record) + self.terminator)
        except Exception:
            self.handleError(record)

    def flush(self):
        # type: () -> None
        """Write the lines that wait."""
        self._look_for_fork(os.getpid())
        with self._writing:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]  # the others only append
            if lines:
                self.stream.write(_fitting("".join(lines), self.stream))
                self.stream.flush()

    def close(self):
        # type: () -> None
        """Write the lines that wait, and end the thread. The stream stays open."""
        self.flush()
        self._closed = True
        self._due.set()
        logging.Handler.close(self)

    def _is_urgent(self, record):
        # type: (logging.LogRecord) -> bool
        """Whether lines must not wait any longer."""
        is_error = record.levelno is not None and record.levelno >= logging.ERROR  # as makeLogRecord() leaves it
        return is_error or len(self._lines) >= _MANY or not self._write_soon(record)

    def _write_soon(self, record):
        # type: (logging.LogRecord) -> bool
        """Have the thread write what waits. False where there can be none, as while the interpreter exits."""
        pid = record.process or os.getpid()  # the record has it unless logging.logProcesses is off
        if self._due.is_set() and self._pid == pid:
            return True
        self._look_for_fork(pid)
        self._due.set()
        if self._pid != pid:
            thread = threading.Thread(target=self._run, name="sipbridge log lines")
            thread.daemon = True
            try:
                thread.start()
            except (RuntimeError, threading.ThreadError):
                return False
            self._pid = pid
        return True

    def _look_for_fork(self, pid):
        # type: (int) -> None
        """A fork takes no thread along, but the lock that one of them may hold."""
        if self._pid not in (0, pid):
            self._pid, self._writing = 0, threading.Lock()

    def _run(self):
        # type: () -> None
        while not self._closed:
            self._due.wait()
            time.sleep(self._seconds)
            self._due.clear()  # first: a line that comes now waits for the next time
            try:
                self.flush()
            except Exception as error:  # a full disk: the lines are lost, as those of other handlers
                if logging.raiseExceptions:
                    sys.stderr.write("sipbridge: cannot write log lines: %s\n" % error)


def _fitting(text, stream):
    # type: (str, Any) -> Any
    """Text as that stream takes it: Python 2 has two kinds of both."""
    if not PY2:
        return text
    if hasattr(stream, "errors") and not isinstance(stream, type(sys.__stderr__)):  # of io
        return text if isinstance(text, text_type) else text.decode("utf-8", "replace")
    return text.encode("utf-8") if isinstance(text, text_type) else text


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
