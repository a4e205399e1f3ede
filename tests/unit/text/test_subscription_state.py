"""Subscription-State (RFC 6665, sipbridge._text.subscription_state)."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge._text.subscription_state import SubscriptionState, parse_subscription_state


@pytest.mark.parametrize(
    "value, parsed",
    [
        ("active", ("active", None, None, None)),
        ("Active ; expires = 60", ("active", 60, None, None)),
        ("terminated;reason=giveup;retry-after=30", ("terminated", None, "giveup", 30)),
        ("pending;expires=-1;retry-after=x", ("pending", None, None, None)),
        ("active;expires=99999999999;expires=1", ("active", None, None, None)),
        ("", ("", None, None, None)),
    ],
)
def test_subscription_state_is_parsed(value, parsed):
    assert parse_subscription_state(value) == parsed


def test_subscription_state_as_a_header():
    for value in ("active;expires=60", "terminated;reason=noresource", "terminated;reason=giveup;retry-after=1"):
        assert parse_subscription_state(value).value == value
    assert SubscriptionState("active", None, None, None).terminated is False
