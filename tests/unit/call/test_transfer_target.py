"""What a REFER names when the target is another call: its peer's Contact, which may say anything."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from sipbridge._call.transfer import _refer_to
from sipbridge.headers import Headers


class _Agent(object):
    engine = None


def _call(contact):
    headers = [("From", "<sip:bob@h>;tag=a"), ("To", "<sip:carol@h>;tag=b"), ("Call-ID", "1"), ("Contact", contact)]
    return sipbridge.Call(_Agent(), False, "sip:carol@h", Headers(headers))


@pytest.mark.parametrize("contact", ["<sip:carol@h:5070>", "<sip:carol@h:5070?X-Evil=yes%0D%0A>;q=1"])
def test_headers_are_left_out_and_replaces_is_put_in(contact):
    assert _refer_to(None, _call(contact)) == "<sip:carol@h:5070?Replaces=1%3Bto-tag%3Db%3Bfrom-tag%3Da>"


@pytest.mark.parametrize("contact", ["<sip:carol%0D%0AX-Evil:%20yes@h>", "<sip:carol@h;x=%00>", "<mailto:carol@h>"])
def test_a_contact_that_is_no_uri(contact):
    with pytest.raises(sipbridge.CallStateError):
        _refer_to(None, _call(contact))
