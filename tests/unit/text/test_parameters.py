# -*- coding: utf-8 -*-
"""Header values with parameters, and what is made of them: Reason, identities, Replaces, Refer-To."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge._call.session_timer import SessionTimer
from sipbridge._text.parameters import number, parse_parameters, split_list, tag, tokens
from sipbridge.errors import InputError
from sipbridge.headers import Headers
from sipbridge.identity import asserted_identities, identity_headers, privacy
from sipbridge.reason import Reason, parse_reasons, with_reason
from sipbridge.replaces import Replaces, parse_replaces, replaces_of, target_of, with_replaces
from sipbridge.uri import address_uri


@pytest.mark.parametrize(
    "text, value, parameters",
    [
        (u"", u"", {}),
        (u"90", u"90", {}),
        (u"90;refresher=uac", u"90", {"refresher": u"uac"}),
        (u" 90 ; Refresher = uac ;flag;", u"90", {"refresher": u"uac", "flag": u""}),
        (u'"A;b=c" <sip:a@b;c=d>;tag=1', u'"A;b=c" <sip:a@b;c=d>', {"tag": u"1"}),
        (u'x;text="a;\\"b";y=1', u"x", {"text": u'a;"b', "y": u"1"}),
        (u'x;text="open', u"x", {"text": u'"open'}),
        (u"<sip:a@b;tag=2", u"<sip:a@b;tag=2", {}),
        (u";;;", u"", {}),
    ],
)
def test_parameters(text, value, parameters):
    assert parse_parameters(text) == (value, parameters)


def test_lists():
    assert split_list([u'"A, b" <sip:a@b>, <sip:c,d@e>;q=1', u"", u" ,x,, "]) == [
        u'"A, b" <sip:a@b>', u"<sip:c,d@e>;q=1", u"x",
    ]  # fmt: skip
    headers = Headers([(u"Supported", u"Timer, replaces"), (u"k", u"100rel")])
    assert tokens(headers, "Supported") == set(["timer", "replaces", "100rel"])


def test_long_garbage_takes_no_time():
    for text in (u'"' * 50000, u"<" * 50000, u'\\' * 50000, u";" * 50000, u'"\\' * 25000):
        parse_parameters(text)
        split_list([text])
    for text in (u"x" + u" " * 60000 + u"x", u" " * 60000, u'"' + u"\\x" * 30000, u"<a>" + u" " * 60000 + u"x"):
        assert address_uri(text) is not None


@pytest.mark.parametrize("text, value", [("90", 90), ("", None), ("-1", None), ("1.5", None), ("9" * 10, None),
                                         ("9" * 500, None), (u"\u0661", None)])  # fmt: skip
def test_numbers(text, value):
    assert number(text) == value


def test_tags():
    assert tag(u'"a;tag=x" <sip:a@b;tag=y>;Tag=z') == "z"
    assert tag(u"<sip:a@b>") is None


def test_reasons():
    assert Reason("SIP", 200, u'a "b" \\ c').value == u'SIP;cause=200;text="a \\"b\\" \\\\ c"'
    assert parse_reasons(Headers([(u"Reason", Reason("SIP", 200, u'a "b" \\ c').value)])) == (
        Reason("SIP", 200, u'a "b" \\ c'),
    )
    assert Reason("X").value == "X"
    assert parse_reasons(Headers([(u"Reason", u"a b;cause=1, ;, Q.850;cause=999999999999")])) == (
        Reason("Q.850", None, ""),
    )
    assert with_reason({"A": "b"}, None) == [("A", "b")]
    with pytest.raises(InputError):
        with_reason((), "SIP")


def test_identities():
    assert identity_headers("sip:a@b", [u'"P" <sip:p@b>'], "id") == [
        ("P-Asserted-Identity", "<sip:a@b>"), ("P-Preferred-Identity", u'"P" <sip:p@b>'), ("Privacy", "id"),
    ]  # fmt: skip
    assert identity_headers() == []
    assert asserted_identities(Headers([])) == () and privacy(Headers([])) == frozenset()


def test_replaces():
    replaces = Replaces(u"a@b", u"1", u"2", False)
    assert str(replaces) == "a@b;to-tag=1;from-tag=2"
    assert parse_replaces(u"a@b;from-tag=2;to-tag=1;early-only") == replaces._replace(early_only=True)
    for text in (u"", u"a@b", u"a@b;to-tag=1", u"a@b;to-tag=;from-tag=2", u"a b;to-tag=1;from-tag=2"):
        assert parse_replaces(text) is None


def test_refer_to():
    replaces = Replaces(u"a%b@c", u"1", u"2", False)
    uri = with_replaces(u"sip:carol@example.com;transport=tcp?Subject=x", replaces)
    assert uri == "sip:carol@example.com;transport=tcp?Replaces=a%25b%40c%3Bto-tag%3D1%3Bfrom-tag%3D2"
    headers = Headers([(u"Refer-To", u"<%s&Require=replaces>" % uri)])
    assert replaces_of(headers) == replaces
    assert target_of(headers) == "sip:carol@example.com;transport=tcp"
    assert replaces_of(Headers([(u"r", u"<sip:a@b?Replaces=%FF%zz>")])) is None
    assert replaces_of(Headers([])) is None and target_of(Headers([])) == ""


@pytest.mark.parametrize(
    "fields, expires, refreshing, answer",
    [
        ({"Supported": "timer", "Session-Expires": "1800"}, 600, False, ["600;refresher=uac", "timer"]),
        ({"Supported": "timer", "Session-Expires": "120;refresher=uas"}, 120, True, ["120;refresher=uas", "timer"]),
        ({"Supported": "timer", "Session-Expires": "1800", "Min-SE": "900"}, 900, False,
         ["900;refresher=uac", "timer"]),
        ({"Supported": "timer"}, 600, False, ["600;refresher=uac", "timer"]),
        ({"Session-Expires": "30"}, 90, True, ["90;refresher=uas"]),
        ({}, 600, True, ["600;refresher=uas"]),
    ],
)  # fmt: skip
def test_what_a_callee_agrees_to(fields, expires, refreshing, answer):
    """RFC 4028, 9, table 2."""
    timer = SessionTimer(None, 600)
    found = timer.accept(Headers(list(fields.items())))
    assert [value for _, value in found] == answer
    assert (timer.expires, timer.refreshing) == (expires, refreshing)
