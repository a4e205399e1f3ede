"""Replaces, and Refer-To with one (RFC 3891, sipbridge.replaces)."""

from __future__ import absolute_import, division, print_function

from sipbridge.headers import Headers
from sipbridge.replaces import Replaces, parse_replaces, replaces_of, target_of, with_replaces


def test_replaces_is_built_and_parsed():
    replaces = Replaces(u"a@b", u"1", u"2", False)
    assert str(replaces) == "a@b;to-tag=1;from-tag=2"
    assert parse_replaces(u"a@b;from-tag=2;to-tag=1;early-only") == replaces._replace(early_only=True)
    for text in (u"", u"a@b", u"a@b;to-tag=1", u"a@b;to-tag=;from-tag=2", u"a b;to-tag=1;from-tag=2"):
        assert parse_replaces(text) is None


def test_refer_to_with_replaces_is_built_and_read():
    replaces = Replaces(u"a%b@c", u"1", u"2", False)
    uri = with_replaces(u"sip:carol@example.com;transport=tcp?Subject=x", replaces)
    assert uri == "sip:carol@example.com;transport=tcp?Replaces=a%25b%40c%3Bto-tag%3D1%3Bfrom-tag%3D2"
    headers = Headers([(u"Refer-To", u"<%s&Require=replaces>" % uri)])
    assert replaces_of(headers) == replaces
    assert target_of(headers) == "sip:carol@example.com;transport=tcp"
    assert replaces_of(Headers([(u"r", u"<sip:a@b?Replaces=%FF%zz>")])) is None
    assert replaces_of(Headers([])) is None and target_of(Headers([])) == ""
