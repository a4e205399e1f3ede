"""asyncio: the same names as in :mod:`sipbridge`, those that wait being coroutines. Python 3 only.

>>> async with aio.Endpoint("udp://127.0.0.1:0") as phone:
...     call = await phone.call("sip:bob@example.com", sdp)
...     async for event in phone.events():
...         print(event)

It needs greenlet: ``pip install sipbridge[aio]``. There is no thread and no polling: the event loop watches
the engine's descriptor. (A :class:`sipbridge.Worker` has threads of its own, and a command to it takes the
loop's time until the process has answered.) Nor is there a second implementation: a method that waits is the one
of :class:`sipbridge.Endpoint` or :class:`sipbridge.Call`, run in a greenlet that gives the control back to the
event loop while it waits. A coroutine that is cancelled does what the method does when it is interrupted:
``await phone.call(...)`` sends CANCEL, ``await phone.register(...)`` removes the binding.

What returns at once is a plain method here too: ``call.answer(sdp)``, ``call.hangup()``,
``phone.invite(...)``. Everything belongs to the loop in which the endpoint was made, and to its thread.
"""

from __future__ import absolute_import, division, print_function

import asyncio
import contextlib
import functools
import inspect
import sys
import weakref

import greenlet

from sipbridge import events
from sipbridge._agent import account as _account
from sipbridge._agent import dispatch, streams
from sipbridge._agent import endpoint as _endpoint
from sipbridge._agent import watch as _watch
from sipbridge._call import call as _call
from sipbridge._call import transfer as _transfer
from sipbridge._compat import monotonic
from sipbridge._kept import notifier as _notifier
from sipbridge._kept import publication as _publication
from sipbridge._kept import registration as _registration
from sipbridge._kept import subscription as _subscription
from sipbridge.errors import EngineError, SipbridgeError

#: The events are those of sipbridge, and have their names here, too; what they have in them is of this module.
Event = events.Event
globals().update(
    (name, each) for name, each in vars(events).items() if isinstance(each, type) and hasattr(each, "_fields")
)

# Events that are taken before other tasks get their turn.
_BATCH = 64


# -- from waiting to await -----------------------------------------------------------------------------


class _Waiting(greenlet.greenlet):
    """A method that waits, under way. It switches to its parent with what is to be awaited."""


async def _run(function, *args, **kwargs):
    """Run a method that waits; await what it waits for."""
    waiting = _Waiting(function)
    result = waiting.switch(*args, **kwargs)
    while not waiting.dead:
        try:
            value = await result
        except BaseException:  # a cancellation among others: it is the method's to clean up
            result = waiting.throw(*sys.exc_info())
        else:
            result = waiting.switch(value)
    return result


def _fulfil(future):
    if not future.done():
        future.set_result(None)


class EventStream(streams.Stream):
    """The events of an endpoint from the moment of its making; an asynchronous iterator and context manager.

    Ends when the endpoint is closed, when none came for ``timeout`` seconds, or by :meth:`close`; with an EngineError
    when the endpoint has failed.
    """

    def __aiter__(self):
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc_info):
        self.close()

    async def __anext__(self):
        self._dispatcher.owner.check()
        self._settle_last()
        if not await self._dispatcher.until(lambda: self._events, self._timeout):
            self.close()
            self._dispatcher.check()
            raise StopAsyncIteration
        return self._pop()

    def _put(self, event, results):
        super()._put(event, results)
        self._dispatcher._look()


class _Dispatcher(dispatch.Dispatcher):
    """Takes events from an engine when the event loop finds its descriptor readable."""

    _Stream = EventStream

    def start(self):
        self._waiters = {}  # future: the predicate that fulfils it
        self._tasks = set()  # handlers under way
        self._leaving = None  # what a handler has raised that ends the loop
        self._loop = asyncio.get_running_loop()
        self._descriptor = self._engine.fileno()
        self._loop.add_reader(self._descriptor, self._readable)

    def close(self, grace, timeout):
        """Close the engine at once: whoever closes has waited for the peers already, and in the loop."""
        self._closing = True
        if self._descriptor is not None:
            self._readable()
        self._detach()
        self._engine.close(0.0)
        self._end()

    def _detach(self):
        if self._descriptor is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._descriptor)
        self._descriptor = None

    def _readable(self):
        try:
            for _ in range(_BATCH):
                raw = self._engine.wait(0)
                if raw is None:
                    break
                self._advance(raw)
        except EngineError as error:
            dispatch.log.debug("no more events: %s", error)
            self._detach()
            if not self._closing:
                self._report("the engine tells no more", fatal=True)
            self._end()
        self._look()
        self._deliver_all()

    def _deliver_all(self):
        if not self._loop.is_closed():  # else nobody is left to deliver to
            while self._backlog:
                self._deliver(_wrapped(self._backlog.popleft()))
                self._look_for_failure()
        self._look_for_failure()

    # -- faults ----------------------------------------------------------------------------------------------

    def _handler_failed(self, error, handler, event):
        if isinstance(error, asyncio.CancelledError):  # somebody wanted it so
            dispatch.log.debug("handler %r was cancelled", handler)
        elif isinstance(error, KeyboardInterrupt):  # which came in the midst of it; the program's
            self._leaving = error
        else:
            if isinstance(error, SystemExit):
                self._leaving = error
            super()._handler_failed(error, handler, event)

    def _look_for_failure(self):
        super()._look_for_failure()
        leaving, self._leaving = self._leaving, None
        if leaving is not None:  # as asyncio has it: these end the loop
            raise leaving

    def _close_failed(self):
        self._look()
        if not self._loop.is_closed():
            self._keep(self._close_in_loop())

    async def _close_in_loop(self):
        try:
            await _run(self._abandon)
        except Exception:
            dispatch.log.exception("cannot close the endpoint that has failed")

    def _call_hook(self, fault):
        result = self._on_error(fault)
        if inspect.isawaitable(result):
            self._keep(self._finish_hook(result))

    async def _finish_hook(self, awaitable):
        try:
            await awaitable
        except Exception:
            dispatch.log.exception("on_error %r failed", self._on_error)

    def _keep(self, coroutine):
        """Run it as a task, and keep that: the loop itself keeps none of its tasks alive."""
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- time ------------------------------------------------------------------------------------------------

    def call_later(self, seconds, function):
        timer = dispatch.Timer(function)
        self._loop.call_later(seconds, self._run_timer, timer)
        return timer

    def _run_timer(self, timer):
        if not self.closed:
            self._fire(timer)
            self._look()
            self._deliver_all()

    # -- waiting ---------------------------------------------------------------------------------------------

    def _wake(self):
        """Once for many events: see _look()."""

    def _end(self):
        self.closed = True
        self._look()

    def _look(self):
        """Wake those who have what they wait for."""
        for future, predicate in list(self._waiters.items()):
            if self.closed or predicate():
                _fulfil(future)

    def linger(self, predicate, timeout):
        current = greenlet.getcurrent()
        if isinstance(current, _Waiting):
            return current.parent.switch(self.until(predicate, timeout))
        # The loop is over and the interpreter exits: see to what is left right here.
        return self._wait_and_take(predicate, None if timeout is None else monotonic() + timeout)

    async def until(self, predicate, timeout):
        """As :meth:`linger`, for a coroutine."""
        if predicate() or self.closed:
            return bool(predicate())
        future = self._loop.create_future()
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

    def _handle(self, handler, event):
        result = super()._handle(handler, event)
        if not inspect.isawaitable(result):
            return result
        return self._keep(self._finish(result, handler, event))

    async def _finish(self, awaitable, handler, event):
        try:
            return await awaitable
        except BaseException as error:
            self._handler_failed(error, handler, event)
            self._look_for_failure()
            if isinstance(error, asyncio.CancelledError):
                raise
            return dispatch.FAILED

    def _settle_after(self, results, event, seen):
        tasks = [result for result in results if isinstance(result, asyncio.Task) and not result.done()]
        if not tasks:
            super()._settle_after([_outcome(result) for result in results], event, seen)
            return
        left = len(tasks)

        def one_less(_):
            nonlocal left
            left -= 1
            if not left and not self.closed:
                self._settle_after(results, event, seen)

        for task in tasks:
            task.add_done_callback(one_less)


def _outcome(result):
    """What a handler returned, or the task that it runs in."""
    if not isinstance(result, asyncio.Task):
        return result
    return dispatch.FAILED if result.cancelled() or result.exception() is not None else result.result()


class _Core(_endpoint.Endpoint):
    """The endpoint itself, following its engine in the event loop."""

    _Dispatcher = _Dispatcher


# -- the facade ----------------------------------------------------------------------------------------


def _wrapped(value):
    """A call or the like as this module has it, alone, in an event or in a tuple; anything else as it is."""
    facade = _FACADES.get(type(value))
    if facade is not None:
        shown = _SHOWN.get(id(value))
        if shown is None:
            _SHOWN[id(value)] = shown = facade(value)
        return shown
    return _in_tuple(value, _wrapped, _FACADES)


def _unwrapped(value):
    """The other way round, for arguments."""
    return value._core if isinstance(value, _Facade) else _in_tuple(value, _unwrapped, _FACADES.values())


def _in_tuple(value, change, kinds):
    """The value with what it has of these types changed, where it is a tuple."""
    if not isinstance(value, tuple) or not any(type(part) in kinds for part in value):
        return value
    parts = [change(part) for part in value]
    return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)


@contextlib.contextmanager
def _own_errors():
    """What is raised in here is about a call as this module has it."""
    try:
        yield
    except SipbridgeError as error:
        error.call = _wrapped(error.call)
        raise


def _coroutine(method):
    """A coroutine function with the name, arguments and errors of a method that waits."""

    @functools.wraps(method)
    async def run(self, *args, **kwargs):
        with _own_errors():
            return _wrapped(await _run(method, self._core, *map(_unwrapped, args), **kwargs))

    return run


def _plain(method):
    """A method that returns at once, with its name, arguments and errors."""

    @functools.wraps(method)
    def run(self, *args, **kwargs):
        with _own_errors():
            return _wrapped(method(self._core, *map(_unwrapped, args), **kwargs))

    return run


def _attribute(name, core):
    return property(lambda self: _wrapped(getattr(self._core, name)), doc=core.__doc__)


class _Facade(object):
    """What a class of this module has in common with the one that it is a facade of: ``core``."""

    __slots__ = ("_core", "__weakref__")

    def __init__(self, core):
        self._core = core

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return _wrapped(getattr(self._core, name))

    def __repr__(self):
        return repr(self._core).replace("<", "<aio.", 1)


def _of(core, waiting=()):
    """Give a facade every public method of its core: a coroutine for what takes a timeout or is named here."""

    members = {}
    for kind in reversed(core.__mro__[:-1]):
        members.update(vars(kind))

    def complete(facade):
        for name, member in members.items():
            if name.startswith("_") or name in vars(facade):
                continue
            if isinstance(member, property):
                setattr(facade, name, _attribute(name, member))
            elif inspect.isfunction(member):
                waits = name in waiting or "timeout" in inspect.signature(member).parameters
                setattr(facade, name, (_coroutine if waits else _plain)(member))
        _FACADES[core] = facade
        return facade

    return complete


_FACADES = {}

#: What users have of each, by the id of the core: as long as there is the former, there is the latter.
_SHOWN = weakref.WeakValueDictionary()


@_of(_call.Call)
class Call(_Facade):
    """One call; see :class:`sipbridge.Call`, whose attributes it has. Made by an endpoint, never by hand."""

    __slots__ = ()

    _accept_transfer = _plain(_call.Call._accept_transfer)  # for the event that asks for it


@_of(_registration.Registration)
class Registration(_Facade):
    """A binding at a registrar; see :class:`sipbridge.Registration`, whose attributes it has."""

    __slots__ = ()


@_of(_subscription.Subscription)
class Subscription(_Facade):
    """A subscription of ours; see :class:`sipbridge.Subscription`, whose attributes it has."""

    __slots__ = ()


@_of(_notifier.Notifier)
class Notifier(_Facade):
    """A subscriber of ours; see :class:`sipbridge.Notifier`, whose attributes it has."""

    __slots__ = ()


@_of(_publication.Publication)
class Publication(_Facade):
    """State of ours at a compositor; see :class:`sipbridge.Publication`, whose attributes it has."""

    __slots__ = ()


@_of(_transfer.Transfer)
class Transfer(_Facade):
    """A transfer under way; see :class:`sipbridge.Transfer`, whose attributes it has."""

    __slots__ = ()


@_of(_watch.Watch)
class Watch(_Facade):
    """A peer that is asked whether it is there; see :class:`sipbridge.Watch`, whose attributes it has."""

    __slots__ = ()


@_of(_account.Account, ("call", "message", "options", "publish", "request", "subscribe"))
class Account(_Facade):
    """One address-of-record of an endpoint; see :class:`sipbridge.Account`, whose attributes it has."""

    __slots__ = ()


@_of(_endpoint.Endpoint)
class Endpoint(_Facade):
    """A SIP user agent in an event loop; arguments and errors as of :class:`sipbridge.Endpoint`.

    An asynchronous context manager. Has to be made in the running loop that it is to live in.

    Handlers are called in that loop; one may be a coroutine function, and then runs as a task of its own.
    What it was called for gets its default answer when it has returned, unless it answered itself.
    """

    __slots__ = ()

    @functools.wraps(_endpoint.Endpoint.__init__)
    def __init__(self, *args, **kwargs):
        asyncio.get_running_loop()  # raises before a socket is opened
        super().__init__(_Core(*args, **kwargs))

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc_info):
        await self.close()

    events = _plain(_endpoint.Endpoint.events)  # its timeout is the iterator's
