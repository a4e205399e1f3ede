"""Events in an event loop: no thread takes them from the engine, the loop watches the engine's descriptor."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import inspect
import sys
from typing import TYPE_CHECKING, Any

from sipbridge._agent import delivery, dispatch, streams
from sipbridge._aio import waiting
from sipbridge._aio.facade import wrapped
from sipbridge._compat import monotonic
from sipbridge.errors import EngineError
from sipbridge.events import TraceMessage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from sipbridge._agent.fault import Fault
    from sipbridge.events import Event

# Events that are taken before other tasks get their turn.
_BATCH = 64


def _fulfil(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class EventStream(streams.Stream):
    """The events of an endpoint or a call, one by one, from when this was made: an asynchronous iterator and context
    manager.

    It ends when the endpoint is closed, after the CallEnded of the call, when no event comes for ``timeout`` seconds,
    and when you call :meth:`close`. It raises EngineError when the endpoint has failed.
    """

    _dispatcher: Dispatcher

    def __aiter__(self) -> EventStream:
        return self

    async def __aenter__(self) -> EventStream:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()

    async def __anext__(self) -> Event:
        self._dispatcher.owner.check()
        self._settle_last()
        if not await self._dispatcher.until(self._may_go_on, self._timeout) or not self._events:
            self.close()
            self._dispatcher.check()
            raise StopAsyncIteration
        event: Event = self._pop()
        return event

    def _put(self, event: Any, results: list[object]) -> None:
        super()._put(event, results)
        self._dispatcher._look()

    def _end_with(self, ended: Any) -> None:
        super()._end_with(wrapped(ended))


class Dispatcher(dispatch.Dispatcher):
    """Takes events from an engine when the event loop finds its descriptor readable."""

    waits_in_engine = False  # the event loop can be told from any thread

    def start(self) -> None:
        self._backlog: collections.deque[Any] = collections.deque()  # events to deliver
        #: Each future with the predicate that it waits for.
        self._waiters: dict[asyncio.Future[None], Callable[[], object]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()  # handlers that are running
        self._leaving: BaseException | None = None  # what a handler raised to end the loop
        self._loop = asyncio.get_running_loop()
        self._descriptor: int | None = self._engine.fileno()
        self._loop.add_reader(self._descriptor, self._readable)

    def close(self, grace: float, timeout: float) -> None:
        """Close the engine at once: whoever calls this has waited for the peers already, in the loop."""
        self._closing = True
        if self._descriptor is not None:
            self._readable()
        self._detach()
        self._engine.close(0.0)
        self._end()

    def _detach(self) -> None:
        if self._descriptor is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._descriptor)
        self._descriptor = None

    def _readable(self) -> None:
        try:
            for _ in range(_BATCH):
                raw = self._engine.wait(0)
                if raw is None:
                    break
                self._advance(raw)
        except EngineError as error:
            delivery.log.debug("no more events: %s", error)
            self._detach()
            if not self._closing:
                self._report("the engine tells no more", fatal=True)
            self._end()
        self._look()
        self._deliver_all()

    def _deliver_all(self) -> None:
        if not self._loop.is_closed():  # else nobody is left to deliver to
            while self._backlog:
                event = wrapped(self._backlog.popleft())
                if self.is_served(event):
                    self._keep(self._serve_call(event))
                self._deliver(event, self._handlers_of(event))
                self._look_for_failure()
        self._look_for_failure()

    async def _serve_call(self, event: Any) -> None:
        """Run the function that serves the endpoint, for one call."""
        if self.server is not None:
            await waiting.run(self.server.run, event)
        self._look_for_failure()

    def run_function(self, handler: Callable[[Any], object], call: Any) -> None:
        result = handler(call)
        if inspect.isawaitable(result):
            waiting.wait_here(result)

    def _hand_out(self, event: Any) -> None:
        if isinstance(event, TraceMessage):
            for tap in self._taps:
                self._handle(tap, event)
        elif self.observers.event:
            self.observers.tell_now("event", event)
        self._backlog.append(event)

    def post(self, event: Any) -> None:
        self._hand_out(event)

    def call_next(self, function: Callable[[], object]) -> None:
        function()

    def _make_stream(self, timeout: float | None, listeners: Any) -> EventStream:
        return EventStream(self, timeout, listeners)

    def complete(self, result: Any, then: Callable[[Callable[[], Any]], object]) -> None:
        if inspect.isawaitable(result):
            self._keep(self._complete(result, then))
        else:
            then(lambda: result)

    async def _complete(self, awaitable: Awaitable[Any], then: Callable[[Callable[[], Any]], object]) -> None:
        task = asyncio.ensure_future(awaitable)
        await asyncio.wait([task])
        self._run_timer(dispatch.Timer(lambda: then(task.result)))

    # -- faults ----------------------------------------------------------------------------------------------

    def handler_failed(self, error: BaseException, handler: Callable[[Any], object], event: Any) -> None:
        if isinstance(error, asyncio.CancelledError):  # somebody wanted it so
            delivery.log.debug("handler %r was cancelled", handler)
        elif isinstance(error, KeyboardInterrupt):  # it is for the program, not for the handler that it met
            self._leaving = error
        else:
            if isinstance(error, SystemExit):
                self._leaving = error
            super().handler_failed(error, handler, event)

    def lookup_failed(self, lookup: Callable[..., object]) -> None:
        error = sys.exc_info()[1]
        if error is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._lookup_failed, lookup, error)

    def _lookup_failed(self, lookup: Callable[..., object], error: BaseException) -> None:
        try:
            raise error
        except BaseException:
            super().lookup_failed(lookup)

    def _look_for_failure(self) -> None:
        super()._look_for_failure()
        leaving, self._leaving = self._leaving, None
        if leaving is not None:  # as in asyncio, it ends the loop
            raise leaving

    def _close_failed(self) -> None:
        self._look()
        if not self._loop.is_closed():
            self._keep(self._close_in_loop())

    async def _close_in_loop(self) -> None:
        try:
            await waiting.run(self._abandon)
        except Exception:
            delivery.log.exception("cannot close the endpoint that has failed")

    def _call_hook(self, told: Fault) -> None:
        result = None if self._on_error is None else self._on_error(told)
        if inspect.isawaitable(result):
            self._keep(self._finish_hook(result))

    async def _finish_hook(self, awaitable: Awaitable[object]) -> None:
        try:
            await awaitable
        except Exception:
            delivery.log.exception("on_error %r failed", self._on_error)

    def _keep(self, coroutine: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
        """Run a coroutine as a task, and keep the task: the event loop holds weak references alone."""
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- time ------------------------------------------------------------------------------------------------

    def follow_clock(self) -> None:
        loop, ahead = self._loop, monotonic() - self._loop.time()
        with contextlib.suppress(AttributeError):  # uvloop's has a clock of its own
            loop.time = lambda: monotonic() - ahead  # type: ignore[method-assign]

    def call_later(self, seconds: float, function: Callable[[], object]) -> dispatch.Timer:
        timer = dispatch.Timer(function)
        asyncio.get_running_loop().call_later(seconds, self._run_timer, timer)  # also before start()
        return timer

    def _ask_again(self, seconds: float, function: Callable[[], object]) -> None:
        if not self._loop.is_closed():  # also from a thread for lookups
            self._loop.call_soon_threadsafe(self.call_later, seconds, function)

    def _run_timer(self, timer: dispatch.Timer) -> None:
        if not self.closed:
            self._fire(timer)
            self._look()
            self._deliver_all()

    # -- waiting ---------------------------------------------------------------------------------------------

    def wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._look)

    def _wake(self) -> None:
        """Do nothing for one event: :meth:`_look` wakes once for many."""

    def _end(self) -> None:
        self.closed = self.over = True
        self._look()

    def _look(self) -> None:
        """Wake each coroutine whose predicate has become true."""
        for future, predicate in list(self._waiters.items()):
            if self.closed or predicate():
                _fulfil(future)

    def _wait_for(self, predicate: Callable[[], object], timeout: float | None) -> bool:
        return self.linger(predicate, timeout)

    def linger(self, predicate: Callable[[], object], timeout: float | None) -> bool:
        if waiting.can_wait():
            return bool(waiting.wait_here(self.until(predicate, timeout)))
        # The loop has ended and the interpreter exits: take the remaining events here.
        return self._wait_and_take(predicate, None if timeout is None else monotonic() + timeout)

    async def until(self, predicate: Callable[[], object], timeout: float | None) -> bool:
        """Do what :meth:`linger` does, in a coroutine."""
        if predicate() or self.closed:
            return bool(predicate())
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiters[future] = predicate
        alarm = None if timeout is None else self._loop.call_later(timeout, _fulfil, future)
        try:
            await future
        finally:
            del self._waiters[future]
            if alarm is not None:
                alarm.cancel()
        return bool(predicate())

    # -- delivering ------------------------------------------------------------------------------------------

    def _handle(self, handler: Callable[[Any], object], event: Any) -> object:
        result = super()._handle(handler, event)
        if not inspect.isawaitable(result):
            return result
        since = monotonic()
        task = self._keep(self._finish(result, handler, event))
        if self.observers.handler_ended:
            task.add_done_callback(lambda task: super(Dispatcher, self)._handler_returned(event, since, _outcome(task)))
        return task

    def _handler_returned(self, event: Any, since: float | None, result: object) -> None:
        if not inspect.isawaitable(result):  # else when it is done
            super()._handler_returned(event, since, result)

    async def _finish(
        self, awaitable: Awaitable[object], handler: Callable[[Any], object], event: Any
    ) -> object:
        try:
            return await awaitable
        except BaseException as error:
            self.handler_failed(error, handler, event)
            self._look_for_failure()
            if isinstance(error, asyncio.CancelledError):
                raise
            return delivery.FAILED

    def _settle_after(self, results: list[object], event: Any, seen: bool) -> None:
        tasks = [result for result in results if isinstance(result, asyncio.Task) and not result.done()]
        if not tasks:
            super()._settle_after([_outcome(result) for result in results], event, seen)
            return
        left = len(tasks)

        def one_less(_: object) -> None:
            nonlocal left
            left -= 1
            if not left and not self.closed:
                self._settle_after(results, event, seen)

        for task in tasks:
            task.add_done_callback(one_less)


def _outcome(result: object) -> object:
    """What a handler returned; for the task of a handler, what the task returned, or FAILED."""
    if not isinstance(result, asyncio.Task):
        return result
    return delivery.FAILED if result.cancelled() or result.exception() is not None else result.result()
