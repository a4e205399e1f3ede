"""Where the shield's library is, and the environment of a process that has it. See :mod:`sipbridge.shield`."""

from __future__ import absolute_import, division, print_function

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Mapping, Optional

#: Its path. Found out now: to Python 2 it may be relative to a folder that the program leaves.
_LIBRARY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "_shield.so")


def library():
    # type: () -> Optional[str]
    """The path of the library to preload, or None where there is none: it is built on Linux alone."""
    return _LIBRARY if os.path.exists(_LIBRARY) else None


def environment(environ=None):
    # type: (Optional[Mapping[str, str]]) -> Dict[str, str]
    """A copy of an environment (a mapping; None: this process's) in which a new process has the shield.

    Where there is no library to preload it is a plain copy.
    """
    copy = dict(os.environ if environ is None else environ)
    path = library()
    preloaded = [each for each in copy.get("LD_PRELOAD", "").split(os.pathsep) if each]
    if path is not None and path not in preloaded:
        copy["LD_PRELOAD"] = os.pathsep.join([path] + preloaded)
    return copy
