"""Limits for each source: calls per second, calls at once, and bounded memory."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge import access
from sipbridge._access import limits

HERE, THERE = u"192.0.2.1", u"192.0.2.2"


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(limits, "monotonic", lambda: now[0])
    return now


def came(limited, number, address=HERE, is_call=True):
    """How many of so many calls may come."""
    return [limited.refusal(is_call, address) for _ in range(number)].count(None)


def test_calls_per_second(clock):
    limited = access.SourceLimits(calls_per_second=4, requests_per_second=0.5)
    assert came(limited, 9) == 4 and came(limited, 9, THERE) == 4
    assert limited.refusal(True, HERE) == "source-rate"
    clock[0] += 0.5
    assert came(limited, 9) == 2
    clock[0] += 60.0
    assert came(limited, 9) == 4
    assert came(limited, 9, is_call=False) == 1
    clock[0] += 1.0
    assert came(limited, 9, is_call=False) == 0
    clock[0] += 1.0
    assert came(limited, 9, is_call=False) == 1


def test_a_burst_and_those_without_limits(clock):
    limited = access.SourceLimits(calls_per_second=1, burst=10, exempt=[u"192.0.2.2/32"])
    assert came(limited, 20) == 10 and came(limited, 20, THERE) == 20
    assert came(limited, 20, is_call=False) == 20


def test_a_second_try_with_credentials_is_not_counted_twice(clock):
    limited = access.SourceLimits(calls_per_second=2)
    assert came(limited, 2) == 2
    limited.give_back(True, HERE)
    assert came(limited, 2) == 1


def test_calls_at_once():
    limited = access.SourceLimits(calls_at_once=2)
    for _ in range(2):
        assert limited.refusal(True, HERE) is None
        limited.begin(HERE)
    assert limited.refusal(True, HERE) == "source-calls"
    assert limited.refusal(True, THERE) is None and limited.refusal(False, HERE) is None
    limited.end(HERE)
    assert limited.refusal(True, HERE) is None
    limited.end(HERE)
    assert limited._up == {}


def test_a_source_is_a_site_of_ipv6_and_whom_nobody_knows(clock):
    limited = access.SourceLimits(calls_per_second=2)
    assert [came(limited, 1, each) for each in (u"2001:db8::1", u"2001:db8::2", u"2001:db8::3")] == [1, 1, 0]
    assert came(limited, 1, u"2001:db8:0:1::1") == 1
    assert came(limited, 3, None) == 2 and came(limited, 1, u"nonsense") == 0


def test_ten_thousand_sources(clock):
    limited = access.SourceLimits(calls_per_second=1, most=100)
    for number in range(10000):
        clock[0] += 0.001
        assert came(limited, 2, u"10.0.%d.%d" % divmod(number, 256)) == 1
    assert len(limited._calls) == 100
    clock[0] += 2.0
    assert came(limited, 1) == 1
    assert len(limited._calls) == 1  # the others could have come again
