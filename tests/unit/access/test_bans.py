"""Ban lists: by hand, after wrong credentials, for a time, and in bounded memory."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge import access
from sipbridge._access import bans


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(bans, "monotonic", lambda: now[0])
    return now


def test_a_ban_by_hand_and_its_end(clock):
    banned = access.BanList(seconds=60.0)
    banned.ban(u"192.0.2.0/24")
    banned.ban(u"2001:db8::/32", 30.0)
    banned.ban(u"198.51.100.7", seconds=90.0)
    assert [tuple(each) for each in banned] == [
        (u"2001:db8::/32", 30.0), (u"192.0.2.0/24", 60.0), (u"198.51.100.7", 90.0)
    ]
    assert [banned.has(each) for each in (u"192.0.2.255", u"192.0.3.0", u"::ffff:192.0.2.1", u"2001:db8:1::1")] == [
        True, False, True, True
    ]
    clock[0] += 30.0
    assert len(banned) == 2 and not banned.has(u"2001:db8::1")
    banned.ban(u"192.0.2.0/24")  # again: it lasts for longer
    clock[0] += 59.0
    assert banned.has(u"192.0.2.1")
    assert banned.lift(u"192.0.2.0/24") is True and banned.lift(u"192.0.2.0/24") is False
    assert not banned.has(u"192.0.2.1")
    clock[0] += 1.0
    assert list(banned) == [] and banned._lengths == {}


def test_a_ban_after_failures(clock):
    banned = access.BanList(failures=3, within=10.0, seconds=60.0, exempt=[u"192.0.2.9"])
    assert [banned.failed(u"192.0.2.1") for _ in range(3)] == [False, False, True]
    assert banned.has(u"192.0.2.1") and not banned.has(u"192.0.2.2")
    assert not any(banned.failed(u"192.0.2.9") for _ in range(5))
    site = (u"2001:db8::1", u"2001:db8::2", u"2001:db8::3:4:5:6")
    assert [banned.failed(each) for each in site] == [False, False, True]
    assert banned.has(u"2001:db8::77") and not banned.has(u"2001:db8:0:1::1")
    assert [banned.failed(u"192.0.2.3") for _ in range(2)] == [False, False]
    clock[0] += 11.0
    assert [banned.failed(u"192.0.2.3") for _ in range(3)] == [False, False, True]  # the first ones are too old
    assert not any(banned.failed(each) for each in (u"nonsense", u"") * 9)
    assert not any(access.BanList(failures=None).failed(u"192.0.2.1") for _ in range(99))


def test_ten_thousand_sources(clock):
    banned = access.BanList(failures=2, most=100, seconds=60.0)
    banned.ban(u"203.0.113.7", 3600.0)
    for number in range(10000):
        clock[0] += 0.001
        address = u"10.0.%d.%d" % divmod(number, 256)
        banned.failed(address)
        assert banned.failed(address)
        banned.failed(u"10.1.%d.%d" % divmod(number, 256))
    assert len(banned) == 100 and len(banned._order) <= 200 and len(banned._counts) <= 100
    assert banned.has(u"203.0.113.7")  # those with the shortest time left went
    for _ in range(1000):
        banned.ban(u"203.0.113.7", 3600.0)
    assert len(banned._order) <= 200 and len(banned) == 100
