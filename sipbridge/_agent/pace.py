"""Which of many things of the same kind the log and others are told of."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Tuple

#: Seconds without any of a kind after which the first ones are told of one by one again.
QUIET = 60.0


class Pace(object):
    """Says which of many things of the same kind are told of, so that a flood of them is not one of what tells.

    Args:
        single: how many of each kind are told of one by one; a minute of quiet begins that anew.
        seconds: of more, one is told of in so many seconds.
    """

    def __init__(self, single, seconds):
        # type: (int, float) -> None
        self._single, self._seconds = single, seconds
        self._kinds = {}  # type: Dict[str, Tuple[float, int, int]]  # of each: since when, told, left out

    def count(self, kind):
        # type: (str) -> int
        """One more happened: how many there were since this kind was told of, if it is to be told of now; else 0."""
        now = monotonic()
        since, told, left = self._kinds.get(kind, (now, 0, 0))
        if now - since >= QUIET:
            since, told = now, 0
        elif told >= self._single and now - since >= self._seconds:
            since, told = now, self._single - 1
        if told >= self._single:
            self._kinds[kind] = since, told, left + 1
            return 0
        self._kinds[kind] = since, told + 1, 0
        return left + 1
