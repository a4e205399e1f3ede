"""How long to wait before the next try, so that what failed together does not come back together."""

from __future__ import absolute_import, division, print_function

import random

#: Seconds between tries after a failure: the first, doubled with each further one, and the most (RFC 5626, 4.5).
BACKOFF, MAX_BACKOFF = 30.0, 1800.0

#: Seconds before the first try, at most: enough to spread those that were sent away in one moment.
AT_ONCE = 0.5


def backoff(failures):
    # type: (int) -> float
    """Seconds to wait after so many failures in a row (RFC 5626, 4.5): 50 to 100 % of a time that doubles."""
    upper = min(MAX_BACKOFF, BACKOFF * 2.0 ** min(failures - 1, 30))
    return random.uniform(upper / 2.0, upper)


def delay(tries, least=0.0):
    # type: (int, float) -> float
    """Seconds to wait when so many tries have failed: nearly none before the first, then as registrations do.

    ``least``: seconds that the peer asked for (Retry-After); they are not shortened.
    """
    return least + (backoff(tries) if tries > 0 else random.uniform(AT_ONCE / 2.0, AT_ONCE))
