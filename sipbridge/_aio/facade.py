"""Classes with the methods of those in sipbridge, in which each method that waits is a coroutine.

A facade holds the object of sipbridge that it stands for, its core. The methods of the core run with arguments, and
give results, in which facades and cores have changed places.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import weakref
from typing import TYPE_CHECKING, Any

from sipbridge._aio.waiting import run as run_waiting
from sipbridge._engine.records import Told, tell
from sipbridge.errors import SipbridgeError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterator
    from typing import TypeVar

    _F = TypeVar("_F", bound=type["Facade"])


class Facade:
    """What all facades have in common."""

    __slots__ = ("_core", "__weakref__")

    def __init__(self, core: Any) -> None:
        self._core = core

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return wrapped(getattr(self._core, name))

    def __repr__(self) -> str:
        return repr(self._core).replace("<", "<aio.", 1)


#: The facade of each class.
FACADES: dict[type, type[Facade]] = {}

# The facade of each core, by the id of the core. As long as a facade lives, so does its core.
_SHOWN: weakref.WeakValueDictionary[int, Facade] = weakref.WeakValueDictionary()


def wrapped(value: Any) -> Any:
    """The facade of a core; a tuple (an event, say) with facades in place of cores; any other value as it is."""
    facade = FACADES.get(type(value))
    if facade is not None:
        shown = _SHOWN.get(id(value))
        if shown is None:
            _SHOWN[id(value)] = shown = facade(value)
        return shown
    return _in_tuple(value, wrapped, FACADES)


def _unwrapped(value: Any) -> Any:
    """The opposite of :func:`wrapped`, for arguments."""
    return value._core if isinstance(value, Facade) else _in_tuple(value, _unwrapped, FACADES.values())


def _in_tuple(value: Any, change: Callable[[Any], Any], kinds: Collection[type]) -> Any:
    """A tuple with its parts changed, if one of them is of these types; any other value as it is."""
    if not isinstance(value, tuple) or not any(type(part) in kinds for part in value):
        return value
    parts = [change(part) for part in value]
    if not hasattr(value, "_fields"):
        return tuple(parts)
    changed = type(value)(*parts)
    if isinstance(value, Told) and isinstance(changed, Told):  # an event knows more than its fields say
        tell(changed, value.time, value.source, value.user)
    return changed


@contextlib.contextmanager
def _own_errors() -> Iterator[None]:
    """Let the ``call`` of an error that is raised inside be a facade."""
    try:
        yield
    except SipbridgeError as error:
        error.call = wrapped(error.call)
        raise


def coroutine(method: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """A method of a facade, for a method that waits: a coroutine function with its name, arguments and errors."""

    @functools.wraps(method)
    async def run(self: Facade, *args: Any, **kwargs: Any) -> Any:
        with _own_errors():
            return wrapped(await run_waiting(method, self._core, *map(_unwrapped, args), **kwargs))

    return run


def plain(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a facade, for a method that returns at once, with its name, arguments and errors."""

    @functools.wraps(method)
    def run(self: Facade, *args: Any, **kwargs: Any) -> Any:
        with _own_errors():
            return wrapped(method(self._core, *map(_unwrapped, args), **kwargs))

    return run


def _attribute(name: str, core: property) -> property:
    return property(lambda self: wrapped(getattr(self._core, name)), doc=core.__doc__)


def of(core: type, waiting: Collection[str] = ()) -> Callable[[_F], _F]:
    """A class decorator that gives a facade each public method of its core, unless the facade has one itself.

    A method that has an argument ``timeout``, or is named in ``waiting``, becomes a coroutine function.
    """
    members: dict[str, Any] = {}
    for kind in reversed(core.__mro__[:-1]):
        members.update(vars(kind))

    def complete(facade: _F) -> _F:
        for name, member in members.items():
            if name.startswith("_") or name in vars(facade):
                continue
            if isinstance(member, property):
                setattr(facade, name, _attribute(name, member))
            elif inspect.isfunction(member):
                waits = name in waiting or "timeout" in inspect.signature(member).parameters
                setattr(facade, name, (coroutine if waits else plain)(member))
        FACADES[core] = facade
        return facade

    return complete
