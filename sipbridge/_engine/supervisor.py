"""The thread that starts the process of an engine, watches it, and starts another one when it is lost."""

from __future__ import absolute_import, division, print_function

import logging
import threading

from sipbridge._compat import NamedTuple, monotonic
from sipbridge._engine.channel import Channel
from sipbridge._engine.ledger import unreported
from sipbridge._engine.records import ProtocolError
from sipbridge.errors import EngineLost, SipbridgeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Tuple

    from sipbridge._engine.process import Process
    from sipbridge._engine.records import RawEvent

log = logging.getLogger("sipbridge.engine")

#: The most seconds that a process may take to load and open its engine.
_START = 20.0

#: After this many seconds of life, a death counts as the first one; and the longest back-off in seconds.
_STABLE, _LONGEST = 60.0, 10.0

#: The seconds that a process may take to end once its stream has.
PATIENCE = 1.0

#: Each process has handles from a share of its own, of this many bits. So a handle of a dead process means nothing to
#: the next one.
_SHARE = 32


class Place(
    NamedTuple(
        "Place",
        [
            ("launch", "Callable[[], Process]"),
            ("opening", "Callable[[], List[Any]]"),
            ("restore", "Callable[[Callable[..., Any]], List[RawEvent]]"),
            ("install", "Callable[..., None]"),
            ("lose", "Callable[[Channel, EngineLost], None]"),
            ("miss", "Callable[[EngineLost], None]"),
            ("give_up", "Callable[[EngineLost], None]"),
            ("read_if_idle", "Callable[[Channel], None]"),
            ("closing", "threading.Event"),
        ],
    )
):
    """What a Supervisor asks and tells the one whose processes it keeps running: functions.

    Attributes:
        launch: start a process. Raises EngineLost.
        opening: the arguments of its command "open", but for the first one.
        restore: make the registrations again, by a function that sends a command to a new process and returns the
            result; the events of those that failed.
        install: use this channel from now on, after the events that are given.
        lose: the process of this channel is dead, for this reason.
        miss: another one is not there yet, for this reason.
        give_up: there will be none.
        read_if_idle: read what has come from this channel, unless another thread does.
        closing: set once the engine is to be closed.
    """

    __slots__ = ()


class Supervisor(object):
    """Keeps a process running.

    Args:
        place: whose processes they are.
        hang_timeout, beat, max_restarts, backoff: as for the Remote.

    Attributes:
        port: the local port of the engine, once a process has opened it.
        starting: a process that is starting and that is not installed yet, or None.
        deaths: the number of processes that died in a row.
    """

    def __init__(self, place, hang_timeout, beat, max_restarts, backoff):
        # type: (Place, float, float, Optional[int], float) -> None
        self._place = place
        self._hang_timeout = hang_timeout
        self._beat = beat
        self._max_restarts = max_restarts
        self._backoff = backoff
        self._generation = 0
        self._channel = None  # type: Optional[Channel]  # to the process that is watched
        self._pid = None  # type: Optional[int]  # of that process
        self._thread = None  # type: Optional[threading.Thread]
        self.port = None  # type: Optional[int]
        self.starting = None  # type: Optional[Process]
        self.deaths = 0

    @property
    def has_begun(self):
        # type: () -> bool
        """True once the thread was started."""
        return self._thread is not None

    @property
    def last_id(self):
        # type: () -> int
        """The highest handle of the present process's share."""
        return (self._generation + 1 << _SHARE) - 1

    def begin(self, channel):
        # type: (Channel) -> None
        """Start the thread, which watches the process of this channel first."""
        self._channel = channel
        thread = threading.Thread(target=self._run, name="sipbridge engine")
        thread.daemon = True
        thread.start()
        self._thread = thread

    def join(self):
        # type: () -> None
        """Wait for the end of the thread."""
        if self._thread is not None:
            self._thread.join()

    def start(self):
        # type: () -> Tuple[Channel, List[str], List[RawEvent]]
        """Start a process, open its engine, and make the registrations again.

        Returns its :class:`Channel`, a list of warnings, and events of registrations that failed. Raises
        SipbridgeError.
        """
        self._generation += 1
        channel = Channel(self._place.launch())
        self.starting = channel.process
        try:
            if self._place.closing.is_set():
                raise EngineLost("the endpoint is being closed")
            channel.greet(_START)
            last_id = self._generation << _SHARE
            opened = channel.request(_START, "open", last_id, *self._place.opening())
            self.port, complaints = _parsed(opened)
            failed = self._place.restore(lambda *command: channel.request(_START, *command))
        except BaseException:
            end(channel)
            raise
        finally:
            self.starting = None
        return channel, complaints, failed

    # -- the thread ------------------------------------------------------------------------------------------

    def _run(self):
        # type: () -> None
        try:
            self._keep_alive()
        except Exception as error:  # end everything here, or threads would wait for ever
            log.exception("the thread that watches the engine has failed")
            channel = self._channel
            if channel is not None:
                channel.process.kill()
                channel.process.reap(0.0)
                self._place.lose(channel, EngineLost("the engine is lost: %r" % error))
            self._give_up("%r" % error)

    def _keep_alive(self):
        # type: () -> None
        while self._channel is not None:
            channel, started = self._channel, monotonic()
            self._pid = channel.process.pid
            reason = self._watch(channel)
            died = monotonic()
            reason = channel.problem or reason
            self._channel = None
            self._place.lose(channel, EngineLost("the engine is lost: " + reason))
            if died - started > _STABLE:
                self.deaths = 0
            if self._place.closing.is_set() or not self._revive(reason, died):
                return

    def _watch(self, channel):
        # type: (Channel) -> str
        """Wait until the process is dead. End it when no sign of life comes. Returns what happened, as text.

        Everything that comes from the process is a sign of life.
        """
        process = channel.process
        silent = 0.0  # the sum of short waits, so that the time in which the machine sleeps does not count
        while silent < self._hang_timeout and (process.close_by is None or monotonic() < process.close_by):
            heard = channel.heard
            if process.stream.ends_within(self._beat) or channel.ended:
                return process.reap(PATIENCE)
            if process.gives_signs:
                channel.give_sign()
            if channel.heard == heard:
                self._place.read_if_idle(channel)
            if channel.heard == heard and process.has_ended():
                return process.reap(PATIENCE)
            silent = 0.0 if channel.heard != heard or process.close_by else silent + self._beat
        return process.end_hung(silent)

    def _revive(self, reason, died):
        # type: (str, float) -> bool
        """Start another process. Returns False after too many deaths, and when the endpoint closes."""
        closing = self._place.closing
        while True:
            self.deaths += 1
            pid, self._pid = self._pid, None
            facts = dict(event="engine-lost", cause=reason, worker_pid=pid, count=self.deaths)  # type: Dict[str, Any]
            log.error("%s; %d in a row", reason, self.deaths, extra=facts)
            if self._max_restarts is not None and self.deaths > self._max_restarts:
                return self._give_up(reason)
            if closing.wait(self._delay()):
                return False
            try:
                channel, complaints, failed = self.start()
                break
            except SipbridgeError as error:
                reason = "%s" % error
                self._place.miss(EngineLost("the engine is lost: " + reason))
            if closing.is_set():
                return False
        seconds = monotonic() - died
        told = (channel.facts or {}).get("before")  # a sidecar tells how the last engine died
        reason = "%s: %s" % (reason, told) if told else reason
        facts = dict(event="engine-restarted", cause=reason, worker_pid=channel.process.pid, seconds=round(seconds, 3))
        log.warning("%s is in its place after %.3f s", channel.process.name, seconds, extra=facts)
        for text in complaints:
            log.warning("%s", text)
        self._channel = channel
        self._place.install(channel, unreported("engine-restarted", reason=reason, expires=seconds), *failed)
        if closing.is_set():  # the thread that closes has not seen this process
            channel.process.kill()
        return True

    def _delay(self):
        # type: () -> float
        """Seconds to wait before the next start."""
        return 0.0 if self.deaths < 2 else min(_LONGEST, self._backoff * 2.0 ** min(self.deaths - 2, 30))

    def _give_up(self, reason):
        # type: (str) -> bool
        error = EngineLost("the engine is lost for good, after %d deaths in a row: %s" % (self.deaths, reason))
        self._place.give_up(error)
        log.critical("%s", error, extra={"event": "engine-failed", "cause": reason, "count": self.deaths})
        return False


def end(channel):
    # type: (Channel) -> None
    """End a process that is not installed."""
    channel.process.kill()
    channel.process.reap(0.0)
    channel.close()


def _parsed(result):
    # type: (Any) -> Tuple[int, List[str]]
    """The port and the list of warnings in the result of "open". Raises ProtocolError."""
    try:
        port, complaints = result
        return int(port), ["%s" % each for each in complaints]
    except (TypeError, ValueError) as error:
        raise ProtocolError("malformed result of open: %s" % error)
