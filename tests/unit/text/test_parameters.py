"""Header values with parameters (sipbridge._text.parameters)."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge._text.parameters import number, parse_parameters, split_list, tag, tokens
from sipbridge.headers import Headers
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
def test_parameters_are_split(text, value, parameters):
    assert parse_parameters(text) == (value, parameters)


def test_lists_are_split():
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
def test_numbers_are_read(text, value):
    assert number(text) == value


def test_tags_are_read():
    assert tag(u'"a;tag=x" <sip:a@b;tag=y>;Tag=z') == "z"
    assert tag(u"<sip:a@b>") is None
