"""The Subscription-State header (RFC 6665, 8.2.3)."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import NamedTuple
from sipbridge._text.parameters import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional


class SubscriptionState(NamedTuple("SubscriptionState", [
    ("state", "str"),
    ("expires", "Optional[int]"),
    ("reason", "Optional[str]"),
    ("retry_after", "Optional[int]"),
])):
    """The state of a subscription, as a NOTIFY tells it.

    ``state`` is "active", "pending", "terminated" or another token. ``expires`` and ``retry_after`` are seconds or
    None. ``reason`` is text like "noresource", or None.
    """

    __slots__ = ()

    @property
    def terminated(self):
        # type: () -> bool
        """True when no more NOTIFYs follow."""
        return self.state == "terminated"

    @property
    def value(self):
        # type: () -> str
        """The text for the header."""
        parts = [self.state]
        for name, value in (
            ("reason", self.reason),
            ("expires", self.expires),
            ("retry-after", self.retry_after),
        ):
            if value is not None:
                parts.append("%s=%s" % (name, value))
        return ";".join(parts)


def parse_subscription_state(value):
    # type: (str) -> SubscriptionState
    """The :class:`SubscriptionState` in a header value. Malformed parameters are None."""
    state, _, rest = value.partition(";")
    parameters = {}  # type: Dict[str, str]
    for part in rest.split(";"):
        name, _, text = part.partition("=")
        parameters.setdefault(name.strip().lower(), text.strip().strip('"'))
    return SubscriptionState(
        state.strip().lower(),
        number(parameters.get("expires", "")),
        parameters.get("reason") or None,
        number(parameters.get("retry-after", "")),
    )
