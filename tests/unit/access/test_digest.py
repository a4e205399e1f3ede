"""Digest credentials: what is read from a header, and what they should be (RFC 7616; RFC 2617, 3.5)."""

from __future__ import absolute_import, division, print_function

import os

import pytest

from sipbridge._access import digest
from sipbridge._access.digest import Credentials, parse, read

GOOD = (
    u'Digest username="bob", realm="example.com", nonce="n", uri="sip:a", response="%s", algorithm=MD5, cnonce="c",'
    u" qop=auth, nc=0000000A" % ("0" * 32)
)


def test_the_example_of_rfc_2617():
    secret = digest.digest("MD5", u"Mufasa:testrealm@host.com:Circle Of Life")
    found = Credentials(
        u"Mufasa", u"testrealm@host.com", "MD5", u"dcd98b7102dd2f0e8b11d0f600bfb0c093", 1, u"00000001", u"0a4f113b",
        u"/dir/index.html", u"",
    )  # fmt: skip
    assert found.expected(u"GET", secret) == "6629fae49393a05397450978507c4ef1"


def test_good_credentials():
    found = read(parse(GOOD))
    assert found == (u"bob", u"example.com", "MD5", u"n", 10, u"0000000A", u"c", u"sip:a", u"0" * 32)


@pytest.mark.parametrize("text, expected", [
    (u'digest  a=b', {u"a": u"b"}),
    (u'DIGEST a="b,c=d" ,B=e', {u"a": u"b,c=d", u"b": u"e"}),
    (u'Digest a="b\\"c\\\\"', {u"a": u'b"c\\'}),
    (u'Digest a="\u00e4"', {u"a": u"\u00e4"}),
    (u"Basic YTpi", {}),  # somebody else's
    (u"Bearer", {}),
    (u"", {}),
    (u"Digest a=b,a=c", None),
    (u'Digest a="b', None),
    (u'Digest a="b"c=d', None),
    (u"Digest a", None),
    (u"Digest =b", None),
    (u"Digest a=b,,c=d", None),
    (u"Digest a=b;c=d", None),
    (u'Digest a="%s"' % (u"x" * 5000), None),
])  # fmt: skip
def test_parameters(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize("old, new", [
    (u"nc=0000000A", u"nc=0"), (u"nc=0000000A", u"nc=00000000"), (u"nc=0000000A", u"nc=0000000g"),
    (u"nc=0000000A", u"nc=100000000"), (u", nc=0000000A", u""), (u" qop=auth,", u""), (u"qop=auth", u"qop=auth-int"),
    (u'cnonce="c"', u'cnonce=""'), (u'cnonce="c",', u""), (u'uri="sip:a", ', u""), (u'username="bob"', u'username=""'),
    (u'username="bob"', u"username*=UTF-8''bob"), (u"0" * 32, u"0" * 31), (u"0" * 32, u"x" * 32), (u"0" * 32, u""),
    (u"MD5", u"SHA-256"), (u'nonce="n", ', u""), (u'realm="example.com"', u'rm="example.com"'),
])  # fmt: skip
def test_what_is_missing_or_malformed(old, new):
    assert old in GOOD
    assert read(parse(GOOD.replace(old, new))) is None


@pytest.mark.parametrize("text", [
    u'Digest a="' + u"\\" * 4000, u"Digest " + u"a=b," * 1000, u"Digest " + u"a" * 4000, u" " * 100000 + u"Digest a=b",
    u"Digest a=" + u'"' * 4000, u"D" * 10 ** 6, u"Digest" + u" " * 10 ** 5 + u"a=b", u"Digest a=b," + u" " * 4000,
])  # fmt: skip
def test_no_header_takes_long(text):
    before = sum(os.times()[:2])
    for _ in range(10):
        parse(text)
    assert sum(os.times()[:2]) - before < 5.0  # seconds of processor time; it takes some milliseconds


def test_a_comparison_without_the_one_of_hmac():
    assert digest._same(b"secret", b"secret") and digest._same(b"", b"")
    assert not any(digest._same(b"secret", other) for other in (b"", b"secre", b"secreT", b"Secret", b"secret2"))
