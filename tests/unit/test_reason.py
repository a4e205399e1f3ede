"""Reason (RFC 3326, sipbridge.reason)."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge.errors import InputError
from sipbridge.headers import Headers
from sipbridge.reason import Reason, parse_reasons, with_reason


def test_reasons_are_built_and_parsed():
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
