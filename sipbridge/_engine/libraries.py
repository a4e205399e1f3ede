"""Find and load the extension modules of the engines."""

from __future__ import absolute_import, division, print_function

import importlib
import os

from sipbridge.errors import EngineError, InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Dict, Optional

#: The names of the engines, in the order in which they are tried.
NAMES = ("sofia", "exosip")

#: What helps without any library.
_ELSEWHERE = (
    " Or have the engine elsewhere (docs/places.md): engine=sipbridge.Container(...), for which you run pip install"
    " sipbridge[docker]; or engine=sipbridge.Sidecar(...)"
)

#: What the user can do when an engine is missing, by its name; None when both are missing.
HOW_TO_GET = {
    None: "Install libsofia-sip-ua-dev (Debian, Ubuntu), sofia-sip-devel (Fedora) or sofia-sip (Homebrew) and build"
    " sipbridge again (pip install --no-binary sipbridge sipbridge; in a checkout: make develop), or run in the image."
    + _ELSEWHERE,
    "exosip": "It is built where libeXosip2 3.x or 5.3 is installed with its headers: run in the image (make shell), or"
    " install that library and build sipbridge again (make develop, in a checkout)." + _ELSEWHERE,
}
HOW_TO_GET["sofia"] = HOW_TO_GET[None]


def load(name):
    # type: (str) -> ModuleType
    """The extension module of an engine. Raises ImportError."""
    return importlib.import_module("sipbridge._" + name)


def available():
    # type: () -> Dict[str, str]
    """The engines that this Python can load: a dict of name and version of the library."""
    found = {}
    for name in NAMES:
        try:
            module = load(name)
        except ImportError:
            continue
        found[name] = module.ffi.string(module.lib.sb_engine_version()).decode("ascii", "replace")
    return found


def choose(name):
    # type: (Optional[str]) -> ModuleType
    """The extension module of the named engine; for None, of the one that SIPBRIDGE_ENGINE names, else of the first
    that loads. Raises InputError and EngineError.
    """
    wanted = name or os.environ.get("SIPBRIDGE_ENGINE")
    if wanted and wanted not in NAMES:
        raise InputError("unknown engine %r (there are %s)" % (wanted, ", ".join(NAMES)))
    reasons = []
    for candidate in (wanted,) if wanted else NAMES:
        try:
            return load(candidate)
        except ImportError as error:
            reasons.append("%s: %s" % (candidate, error))
    what = "the %s engine cannot be loaded" % wanted if wanted else "no SIP engine can be loaded"
    raise EngineError("%s (%s). %s" % (what, "; ".join(reasons), HOW_TO_GET[wanted or None]))
