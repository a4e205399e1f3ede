"""How long to wait before the next try, so that what failed together does not come back together."""

from __future__ import absolute_import, division, print_function

import random

#: Seconds: before the second try, and the longest.
FIRST, LONGEST = 2.0, 300.0

#: Seconds before the first try, at most: enough to spread those that were sent away in one moment.
_AT_ONCE = 0.5


def delay(tries, least=0.0):
    """Seconds to wait when so many tries have failed: doubled each time, at random between half of it and all.

    ``least``: seconds that the peer asked for (Retry-After); they are not shortened.
    """
    longest = _AT_ONCE if tries < 1 else min(LONGEST, FIRST * 2.0 ** min(tries - 1, 30))
    return least + random.uniform(longest / 2, longest)
