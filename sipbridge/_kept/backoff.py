"""How long to wait before the next try. The times are partly random, so that many endpoints do not try at once."""

from __future__ import absolute_import, division, print_function

import random

#: The seconds after the first failure, which double with each further one, and the most seconds (RFC 5626, 4.5).
BACKOFF, MAX_BACKOFF = 30.0, 1800.0

#: The most seconds before the first try: enough to spread the tries of many whom a server ended at one moment.
AT_ONCE = 0.5


def backoff(failures):
    # type: (int) -> float
    """Seconds to wait after this number of failures in a row: 50 to 100 % of a time that doubles (RFC 5626, 4.5)."""
    upper = min(MAX_BACKOFF, BACKOFF * 2.0 ** min(failures - 1, 30))
    return random.uniform(upper / 2.0, upper)


def delay(tries, least=0.0):
    # type: (int, float) -> float
    """Seconds to wait when this number of tries has failed: a few before the first try, then those of :func:`backoff`.

    ``least``: the seconds that the peer asked for (Retry-After); the result is not less.
    """
    return least + (backoff(tries) if tries > 0 else random.uniform(AT_ONCE / 2.0, AT_ONCE))
