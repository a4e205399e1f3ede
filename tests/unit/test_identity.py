"""Who is calling (RFC 3323 and 3325, sipbridge.identity)."""

from __future__ import absolute_import, division, print_function

from sipbridge.headers import Headers
from sipbridge.identity import asserted_identities, identity_headers, privacy


def test_identity_headers_are_built_and_read():
    assert identity_headers("sip:a@b", [u'"P" <sip:p@b>'], "id") == [
        ("P-Asserted-Identity", "<sip:a@b>"), ("P-Preferred-Identity", u'"P" <sip:p@b>'), ("Privacy", "id"),
    ]  # fmt: skip
    assert identity_headers() == []
    assert asserted_identities(Headers([])) == () and privacy(Headers([])) == frozenset()
