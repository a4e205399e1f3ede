"""What the library under test cannot do, so that tests of it are skipped."""

from __future__ import absolute_import, division, print_function

import os

import sipbridge
from sipbridge import shield

#: The engine under test is in the image, whatever this machine has.
_IN_CONTAINER = os.environ.get("SIPBRIDGE_TEST_PLACE") == "container"


def is_exosip(line):
    """True when the engine is on a libeXosip2 of that line: "3.3"."""
    if os.environ.get("SIPBRIDGE_ENGINE") != "exosip":
        return False
    if _IN_CONTAINER:
        return line == "3.6"
    return sipbridge.engines().get("exosip", "").startswith(line + ".")


def has_tcp():
    """True when endpoints can be on TCP."""
    return not is_exosip("3.3") and not is_exosip("5.3")


def _reason(usual, of_5_3):
    """Why the engine lacks something, in the words for the library under test."""
    return of_5_3 if is_exosip("5.3") else usual


NO_TCP = _reason(
    "libeXosip2 3.3 takes what it reads from a connection at a time for one message, so TCP is not offered on it",
    "libeXosip2 5.3, as it is packaged, accepts no connection, so TCP is not offered on it",
)
NO_TLS = _reason(
    "libeXosip2 3.x speaks TLS 1.0 and nothing newer",
    "libeXosip2 5.3, as it is packaged, accepts no connection, so TLS is not offered on it",
)
NO_SHA_256 = _reason("libeXosip2 3.x knows MD5 alone", "libeXosip2 5.3 without OpenSSL knows MD5 alone")


def knows_sources():
    """True when the engine knows where a message came from: libeXosip2 needs the shield for that."""
    name = os.environ.get("SIPBRIDGE_ENGINE") or sorted(sipbridge.engines(), reverse=True)[0]
    if name != "exosip" or _IN_CONTAINER:  # in the image each process has the shield
        return True
    try:
        return bool(shield.counters())
    except sipbridge.EngineError:
        return False
