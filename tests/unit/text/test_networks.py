"""Networks and addresses as numbers."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge._text.networks import Networks, check_network, parse_address


@pytest.mark.parametrize("text, shown", [
    (u"192.0.2.7", u"192.0.2.7"), (u"192.0.2.7/32", u"192.0.2.7"), (u"192.0.2.0/24", u"192.0.2.0/24"),
    (u"0.0.0.0/0", u"0.0.0.0/0"), (u"2001:DB8:0:0::1", u"2001:db8::1"), (u"2001:db8::/32", u"2001:db8::/32"),
    (u"::/0", u"::/0"), (b"192.0.2.7".decode("ascii"), u"192.0.2.7"),
])  # fmt: skip
def test_how_a_network_is_written(text, shown):
    assert check_network(text, "x").text == shown


@pytest.mark.parametrize("value", [
    u"",
    u"192.0.2.7/33", u"192.0.2.7/24", u"192.0.2.0/", u"192.0.2.0/-1", u"192.0.2", u"example.com", u"::1/129", u":::",
    u"192.0.2.0/24/24", u"::ffff:192.0.2.1", u"::ffff:192.0.2.0/120", 5, None, b"\xff",
])  # fmt: skip
def test_what_is_no_network(value):
    with pytest.raises(ValueError):
        check_network(value, "x")


def test_the_source_of_an_address():
    assert parse_address(u"192.0.2.7").site.text == u"192.0.2.7"
    assert parse_address(u"2001:db8::7:8").site.text == u"2001:db8::/64"
    assert parse_address(u"::ffff:192.0.2.7").site.text == u"192.0.2.7"
    assert parse_address(u"example.com") is None


def test_many_networks():
    kept = Networks([u"10.%d.0.0/16" % number for number in range(256)] + [u"2001:db8::/32", u"192.0.2.7"], "x")
    assert kept and not Networks([], "x")
    inside = (u"10.77.1.2", u"2001:db8::1", u"192.0.2.7", u"::ffff:10.0.0.1")
    assert [kept.has(each) for each in inside] == [True] * 4
    assert not any(kept.has(each) for each in (u"11.0.0.1", u"2001:db9::1", u"192.0.2.8", u"", u"x", u"fe80::1%eth0"))
