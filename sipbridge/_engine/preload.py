"""The path of the shield's library, and the environment that preloads it. See :mod:`sipbridge.shield`."""

from __future__ import absolute_import, division, print_function

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Mapping, Optional

#: The path of the library. It is made absolute now: in Python 2 it may be relative, and the program may change folders.
_LIBRARY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "_shield.so")


def library():
    # type: () -> Optional[str]
    """The path of the library to preload, or None. Only Linux has it."""
    return _LIBRARY if os.path.exists(_LIBRARY) else None


def environment(environ=None):
    # type: (Optional[Mapping[str, str]]) -> Dict[str, str]
    """A copy of an environment (a mapping; None for this process's) that gives a new process the shield.

    When there is no library to preload, it is a plain copy.
    """
    copy = dict(os.environ if environ is None else environ)
    path = library()
    preloaded = [each for each in copy.get("LD_PRELOAD", "").split(os.pathsep) if each]
    if path is not None and path not in preloaded:
        copy["LD_PRELOAD"] = os.pathsep.join([path] + preloaded)
    return copy
