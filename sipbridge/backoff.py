"""How long to wait before the next try, so that what failed together does not come back together."""

from __future__ import absolute_import, division, print_function

import random

from sipbridge.registration import backoff

#: Seconds before the first try, at most: enough to spread those that were sent away in one moment.
AT_ONCE = 0.5


def delay(tries, least=0.0):
    """Seconds to wait when so many tries have failed: nearly none before the first, then as registrations do.

    ``least``: seconds that the peer asked for (Retry-After); they are not shortened.
    """
    return least + (backoff(tries) if tries > 0 else random.uniform(AT_ONCE / 2.0, AT_ONCE))
