"""What crashes leave in a folder: core dumps and tracebacks, of which the last few are kept."""

from __future__ import absolute_import, division, print_function

import glob
import os

from sipbridge._text.arguments import check_path
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

#: The number of crash files of each kind to keep, so that a worker that dies again and again does not fill the disk.
KEPT = 5


#: The most octets of a traceback that go into the event of a lost engine.
BACKTRACE = 16384


def remove_oldest(folder, what):
    # type: (str, str) -> None
    """Remove all but the last crash files of each kind that ``what`` ("worker") has left."""
    for kind in ("traceback", "core"):
        paths = glob.glob(os.path.join(folder, "%s-*.%s" % (what, kind)))
        found = [path for path in paths if os.path.getsize(path)]  # an empty traceback belongs to a live process
        for path in sorted(found, key=os.path.getmtime)[:-KEPT]:
            os.unlink(path)


def check_crash_folder(folder):
    # type: (Optional[str]) -> Optional[str]
    """The absolute path of the folder, which is made if it is missing; None for None. Raises InputError."""
    if folder is None:
        return None
    if not _made_writable(check_path(folder, "crash_folder")):
        raise InputError("crash_folder is no folder that can be written to: %r" % (folder,))
    return os.path.abspath(folder)


def _made_writable(folder):
    # type: (str) -> bool
    """Make the folder if it is missing, for this user alone, because a core dump holds the memory of a worker. Returns
    True when this process can write to it.
    """
    try:
        os.makedirs(folder, 0o700)
    except OSError:  # it exists, or cannot be made
        pass
    return os.path.isdir(folder) and os.access(folder, os.W_OK)
