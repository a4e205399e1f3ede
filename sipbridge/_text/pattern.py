"""Regular expressions that are compiled when first used. Compiling takes a while, and many are never used."""

from __future__ import absolute_import, division, print_function

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    Pattern = re.compile
else:

    class Pattern(object):
        """For type checkers: the methods of what ``re.compile()`` returns."""

        __slots__ = ("_arguments", "_compiled")

        def __init__(self, text, flags=0):
            self._arguments = (text, flags)
            self._compiled = None

        def __getattr__(self, name):
            if self._compiled is None:
                self._compiled = re.compile(*self._arguments)
            return getattr(self._compiled, name)
