"""asyncio: the names of :mod:`sipbridge`; methods that wait are coroutines here. Python 3 only.

>>> async with aio.Endpoint("udp://127.0.0.1:0") as phone:
...     call = await phone.call("sip:bob@example.com", sdp)
...     async for event in phone.events():
...         print(event)

It needs greenlet: ``pip install sipbridge[aio]``. No thread runs and nothing polls: the event loop watches the
engine's descriptor. (A :class:`sipbridge.Worker` has threads of its own. A command to a worker blocks the loop until
the worker's process has answered.)

No method is implemented twice. A coroutine here runs the method of :class:`sipbridge.Endpoint` or
:class:`sipbridge.Call` in a greenlet, which hands the control to the event loop while the method waits. When you
cancel the coroutine, it does what the method does on an interrupt: ``await phone.call(...)`` sends CANCEL (RFC 3261,
9.1), ``await phone.register(...)`` removes the binding.

A method that returns at once is a plain method here, too: ``call.answer(sdp)``, ``call.hangup()``,
``phone.invite(...)``. Use all objects in the loop in which the endpoint was made, and in its thread.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from sipbridge import events
from sipbridge._agent import account as _account
from sipbridge._agent import endpoint as _endpoint
from sipbridge._agent import watch as _watch
from sipbridge._aio import dispatcher as _dispatcher
from sipbridge._aio import facade as _facade
from sipbridge._call import bridge as _bridge
from sipbridge._call import call as _call
from sipbridge._call import keys as _keys
from sipbridge._call import transfer as _transfer
from sipbridge._kept import notifier as _notifier
from sipbridge._kept import publication as _publication
from sipbridge._kept import registration as _registration
from sipbridge._kept import subscription as _subscription

#: The events of sipbridge have the same names here. The calls and other objects in them are those of this module.
Event = events.Event
_EVENTS = dict(
    (name, each) for name, each in vars(events).items() if isinstance(each, type) and hasattr(each, "_fields")
)
globals().update(_EVENTS)

EventStream = _dispatcher.EventStream


class _Core(_endpoint.Endpoint):
    """An endpoint that follows its engine in the event loop."""

    _Dispatcher = _dispatcher.Dispatcher


@_facade.of(_call.Call)
class Call(_facade.Facade):
    """A call, with the attributes of :class:`sipbridge.Call`. An endpoint makes it, never you."""

    __slots__ = ()

    events = _facade.plain(_call.Call.events)  # its timeout is the iterator's, as is that of keys
    keys = _facade.plain(_call.Call.keys)
    _accept_transfer = _facade.plain(_call.Call._accept_transfer)  # TransferRequested calls it
    _defer = _facade.plain(_call.Call._defer)  # as IncomingCall does this
    _listeners = property(lambda self: self._core._listeners)  # for those of the endpoint

    @property
    def data(self) -> Any:
        return self._core.data

    @data.setter
    def data(self, value: Any) -> None:
        self._core.data = value


@_facade.of(_keys.KeyStream)
class KeyStream(_facade.Facade):
    """The keys that the peer of a call presses: an asynchronous iterator. See :meth:`sipbridge.Call.keys`."""

    __slots__ = ()

    _take = _facade.coroutine(_keys.KeyStream._take)

    def __aiter__(self) -> KeyStream:
        return self

    async def __anext__(self) -> str:
        key: str | None = await self._take()
        if key is None:
            raise StopAsyncIteration
        return key


@_facade.of(_bridge.Bridge)
class Bridge(_facade.Facade):
    """Two calls whose peers talk to each other, with the attributes of :class:`sipbridge.Bridge`."""

    __slots__ = ()


@_facade.of(_registration.Registration)
class Registration(_facade.Facade):
    """A binding at a registrar, with the attributes of :class:`sipbridge.Registration`."""

    __slots__ = ()


@_facade.of(_subscription.Subscription)
class Subscription(_facade.Facade):
    """A subscription that this endpoint has made, with the attributes of :class:`sipbridge.Subscription`."""

    __slots__ = ()


@_facade.of(_notifier.Notifier)
class Notifier(_facade.Facade):
    """A subscriber to state of this endpoint, with the attributes of :class:`sipbridge.Notifier`."""

    __slots__ = ()

    _defer = _facade.plain(_notifier.Notifier._defer)  # and SubscriptionRequested this


@_facade.of(_publication.Publication)
class Publication(_facade.Facade):
    """State that this endpoint has published, with the attributes of :class:`sipbridge.Publication`."""

    __slots__ = ()


@_facade.of(_transfer.Transfer)
class Transfer(_facade.Facade):
    """A transfer under way, with the attributes of :class:`sipbridge.Transfer`."""

    __slots__ = ()


@_facade.of(_watch.Watch)
class Watch(_facade.Facade):
    """A peer that is asked in intervals whether it is there, with the attributes of :class:`sipbridge.Watch`."""

    __slots__ = ()


@_facade.of(_account.Account, ("call", "message", "options", "publish", "request", "subscribe"))
class Account(_facade.Facade):
    """An address-of-record of an endpoint, with the attributes of :class:`sipbridge.Account`."""

    __slots__ = ()


@_facade.of(_endpoint.Endpoint)
class Endpoint(_facade.Facade):
    """A SIP user agent in an event loop, and an asynchronous context manager.

    It takes the arguments of :class:`sipbridge.Endpoint` and raises the same errors. Make it in the running loop in
    which you use it; without one it raises RuntimeError.

    Handlers run in that loop. A handler may be a coroutine function; it then runs as a task of its own. A request
    that no handler answers gets its default answer when all handlers have returned.
    """

    __slots__ = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        asyncio.get_running_loop()  # raises before a socket is opened
        super().__init__(_Core(*args, **kwargs))

    functools.update_wrapper(__init__, _endpoint.Endpoint.__init__)

    async def __aenter__(self) -> Endpoint:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    events = _facade.plain(_endpoint.Endpoint.events)  # its timeout is the iterator's


__all__ = ["Event", "EventStream"] + [facade.__name__ for facade in _facade.FACADES.values()] + list(_EVENTS)


def __dir__() -> list[str]:
    """The public names, for editors."""
    return sorted(__all__)
