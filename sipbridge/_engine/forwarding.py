"""The methods of an engine, as commands to the process that has it."""

from __future__ import absolute_import, division, print_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

#: The methods of an engine that only its server calls.
_BETWEEN = frozenset(["vocabulary", "take_frames", "take_flight", "probe", "keep"])


def forward(kind, remote):
    # type: (type, type) -> None
    """Give a class each public method of an engine's class that it lacks, as a command of that name."""
    for name in vars(kind):
        if not name.startswith("_") and name not in _BETWEEN and not hasattr(remote, name):
            setattr(remote, name, _forwarded(name))


def _forwarded(name):
    # type: (str) -> Callable[..., Any]
    def method(self, *arguments):
        # type: (Any, *Any) -> Any
        return self._command(name, *arguments)

    method.__name__ = str(name)
    return method
