"""What is hidden of a message, and of text for a terminal (sipbridge._text.masking, sipbridge._text.printable)."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge._text.masking import masked, masked_anywhere, masked_uri
from sipbridge._text.printable import printable
from sipbridge.headers import Headers

SECRET = u"6629fae49393a05397450978507c4ef1"
HEAD = u"REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n"
FIELDS = u'Digest username="alice", realm="r", nonce="n1", uri="sip:x", %s="%s", algorithm=MD5'


@pytest.mark.parametrize(
    "field",
    [
        u"Authorization: " + FIELDS % ("response", SECRET),
        u"AUTHORIZATION : " + FIELDS % ("response", SECRET),
        u"Proxy-Authorization: " + FIELDS % ("response", SECRET),
        u"Proxy-Authorization: " + FIELDS.replace(u", ", u",\r\n  ") % ("Response ", SECRET),
        u'Authentication-Info: qop=auth, rspauth="%s", nc=00000001' % SECRET,
        u"Authorization: Digest response=" + SECRET,
        u'Authorization: Digest response="' + SECRET,
        u'Authorization: Digest response="\\' + SECRET + u'\\',
        u"Authorization: Basic " + SECRET,
        u"Authorization: " + SECRET,
    ],
)
def test_credentials_are_masked_and_the_rest_stays(field):
    text = HEAD + field + u"\r\nContent-Length: 0\r\n\r\n"
    result = masked(text)
    assert SECRET not in result and u"***" in result
    assert result.startswith(HEAD) and result.endswith(u"\r\nContent-Length: 0\r\n\r\n")


def test_the_other_parameters_of_a_digest_stay():
    field = u"Authorization: " + FIELDS
    assert masked(HEAD + field % ("response", SECRET)) == HEAD + field % ("response", u"***")


def test_bodies_and_challenges_stay():
    text = HEAD + u'WWW-Authenticate: Digest realm="r", nonce="n"\r\n\r\nAuthorization: Basic abc\r\n'
    assert masked(text) == text


def test_what_steers_a_terminal_is_escaped():
    assert printable(u"a\x1b[2Jb\r\nc\x9b\u202ed\te\xe9") == u"a\\x1b[2Jb\\x0d\\x0ac\\x9b\\u202ed\te\xe9"


@pytest.mark.parametrize("uri, shown", [
    (u"sip:alice:%s@example.com;user=phone" % SECRET, u"sip:alice:***@example.com;user=phone"),
    (u"SIPS:a:%s:b@[::1]:5061" % SECRET, u"SIPS:a:***@[::1]:5061"),
    (u"sip:a@h?Authorization=%s" % SECRET, u"sip:a@h"),
    (u"sip:example.com:5060", u"sip:example.com:5060"),
    (u"sip:a:x@%s@h" % SECRET, u"sip:a:***@h"),
    (u"sip:a:x?%s@h" % SECRET, u"sip:a:***@h"),
    (u" sip:a:%s@h" % SECRET, u" sip:a:***@h"),
    (u"im:a:%s@h" % SECRET, u"im:a:***@h"),
    (u"http://a:%s@h/" % SECRET, u"http://a:***@h/"),
    (u"sip:192.0.2.1:5060?Subject=a@b", u"sip:192.0.2.1:5060"),
    (u"sip:[::1]:5060;transport=tcp", u"sip:[::1]:5060;transport=tcp"),
    (u"sip:a@[::1]:5060", u"sip:a@[::1]:5060"),
    (u"tel:+12015550123", u"tel:+12015550123"),
    (u"", u""),
])  # fmt: skip
def test_a_uri_keeps_all_but_its_password(uri, shown):
    assert masked_uri(uri) == shown


@pytest.mark.parametrize("value", [u"Basic " + SECRET, FIELDS % ("response", SECRET), SECRET])
@pytest.mark.parametrize("name", [u"Authorization", u"Proxy-Authorization"])
def test_what_a_program_prints_of_a_message_has_no_credentials(name, value):
    shown = repr(Headers([(name, value), ("To", "sip:bob@h")]))
    for text in (shown, u"%s: %s" % (name, value), u"%r" % ((name, value),)):
        assert SECRET not in masked_anywhere(text) and u"***" in masked_anywhere(text)
    assert SECRET not in repr(Headers([(name, value)]))


@pytest.mark.parametrize("text, shown", [
    (u"no route to <sip:alice:%s@h>, 'SIPS:b:%s@h:5061'" % (SECRET, SECRET),
     u"no route to <sip:alice:***@h>, 'SIPS:b:***@h:5061'"),
    (u"<sip:192.0.2.1:5060>, <sip:bob@h>", u"<sip:192.0.2.1:5060>, <sip:bob@h>"),
    (u"sip:192.0.2.1:5060 and bob@h", u"sip:192.0.2.1:5060 and bob@h"),
    (u"sip:a:" * 20000, u"sip:a:" * 20000),  # in linear time
])  # fmt: skip
def test_the_password_of_a_uri_within_a_text(text, shown):
    assert masked_anywhere(text) == shown
