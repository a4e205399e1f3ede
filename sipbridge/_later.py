"""Modules that are loaded when they are first used: most programs never need most of them.

Python 2 has one lock for all imports. A program that runs inside an import (``import service``) holds it; were the
event thread to import anything then, it would wait for the program, which may be waiting for an event. So no import
is made for a module that is there, and an endpoint that is made inside an import loads all of them first.
"""

from __future__ import absolute_import, division, print_function

import importlib

from sipbridge._compat import PY2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, List, Optional

_all = []  # type: List[_Module]


class _Module(object):
    """Stands for a module, and loads it when the first of its names is asked for."""

    def __init__(self, name):
        # type: (str) -> None
        self._name = name
        self._module = None  # type: Optional[ModuleType]

    def __getattr__(self, name):
        # type: (str) -> Any
        return getattr(self._load(), name)

    def _load(self):
        # type: () -> ModuleType
        if self._module is None:
            self._module = importlib.import_module(self._name)
        return self._module


def later(*names):
    # type: (*str) -> Any
    """What stands for each of these modules."""
    modules = [_Module(name) for name in names]
    _all.extend(modules)
    return modules[0] if len(modules) == 1 else modules


def load_inside_import():
    # type: () -> None
    """Load them all where a thread, this one most likely, is in the middle of an import."""
    if PY2:
        import imp  # novm

        if imp.lock_held():
            for module in _all:  # which grows meanwhile
                module._load()
