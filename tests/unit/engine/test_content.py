"""What a message is made of (sipbridge._engine.content)."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge._engine.content import make_content


def test_no_headers_and_no_body_make_no_content():
    assert make_content((), None, "application/sdp") is None


def test_headers_without_a_body_have_no_content_type():
    assert make_content([("Subject", "x")], None, "application/sdp") == ([("Subject", "x")], None, None)


@pytest.mark.parametrize("body", [b"v=0", bytearray(b"v=0"), memoryview(b"v=0")])
def test_a_body_is_octets_of_any_kind(body):
    assert make_content((), body, "application/sdp") == ([], "application/sdp", b"v=0")
