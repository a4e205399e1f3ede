"""The controls of the double (exosip_double.h) from Python."""

from __future__ import absolute_import, division, print_function

import ctypes
import os

#: What libeXosip2 5.3 calls otherwise than 3.x.
NAMES_OF_5_3 = {
    "eXosip_subscribe_build_initial_request": "eXosip_subscription_build_initial_subscribe",
    "eXosip_subscribe_send_initial_request": "eXosip_subscription_send_initial_request",
    "eXosip_subscribe_remove": "eXosip_subscription_remove",
}


class Control(object):
    """The library that the engine has loaded; rules broken are counted from here on."""

    def __init__(self):
        self._library = ctypes.CDLL(os.path.join(os.environ["SIPBRIDGE_DOUBLE"], "lib", "libeXosip2.so"))
        self._library.exosip_double_first_complaint.restype = ctypes.c_char_p
        self._library.exosip_double_abort_on_complaint(0)
        self._before = self._library.exosip_double_complaints()

    def fail(self, function, nth=1, null=False):
        """Let the nth call of a function, by the name that it has in 3.x, from now on fail; None: none."""
        if hasattr(self._library, "eXosip_malloc"):
            function = NAMES_OF_5_3.get(function, function)
        name = None if function is None else function.encode("ascii")
        self._library.exosip_double_fail(name, nth, 1 if null else 0)

    def failed(self):
        """Whether that call has come."""
        return bool(self._library.exosip_double_failed())

    def complaints(self):
        """How many rules have been broken since this object was made."""
        return self._library.exosip_double_complaints() - self._before

    def first_complaint(self):
        return self._library.exosip_double_first_complaint().decode("utf-8", "replace")

    def __getattr__(self, name):
        """A function of the library itself, for calls that break a rule."""
        return getattr(self._library, name)
