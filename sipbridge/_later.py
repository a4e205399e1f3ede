"""Modules that are loaded when they are first used. Most programs never need most of them.

Python 2 has one lock for all imports. A program that runs inside an import (``import service``) holds that lock. If
the event thread then imported a module, it would wait for the program, while the program may wait for an event. So a
module that is loaded is never imported again, and an endpoint that is made inside an import loads all of them first.
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
    """Stands for a module, and loads it when you first use one of its names."""

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
    """An object in place of each of these modules, which loads the module when it is first used."""
    modules = [_Module(name) for name in names]
    _all.extend(modules)
    return modules[0] if len(modules) == 1 else modules


def load_inside_import():
    # type: () -> None
    """In Python 2, load all modules if some thread, most likely this one, is in the middle of an import."""
    if PY2:
        import imp  # novm

        if imp.lock_held():
            for module in _all:  # loading a module may add others
                try:
                    module._load()
                except ImportError:  # of an extra that is not installed: whoever uses the module is told
                    pass
