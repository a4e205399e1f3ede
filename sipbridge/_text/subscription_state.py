"""The Subscription-State header (RFC 6665, 8.2.3)."""

from __future__ import absolute_import, division, print_function

from collections import namedtuple

from sipbridge._text.parameters import number


class SubscriptionState(namedtuple("SubscriptionState", "state expires reason retry_after")):
    """What a NOTIFY says of its subscription.

    ``state`` is "active", "pending", "terminated" or another; ``expires`` and ``retry_after`` are seconds or None,
    ``reason`` is text, as "noresource", or None.
    """

    __slots__ = ()

    @property
    def terminated(self):
        """True when no more NOTIFYs follow."""
        return self.state == "terminated"

    @property
    def value(self):
        """The value of the header."""
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
    """A :class:`SubscriptionState` of the header's value; parameters that make no sense are None."""
    state, _, rest = value.partition(";")
    parameters = {}
    for part in rest.split(";"):
        name, _, text = part.partition("=")
        parameters.setdefault(name.strip().lower(), text.strip().strip('"'))
    return SubscriptionState(
        state.strip().lower(),
        number(parameters.get("expires", "")),
        parameters.get("reason") or None,
        number(parameters.get("retry-after", "")),
    )
