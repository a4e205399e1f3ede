"""What a callee agrees to (RFC 4028, sipbridge._call.session_timer)."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge._call.session_timer import SessionTimer
from sipbridge.headers import Headers


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
def test_a_callee_accepts_interval_and_refresher(fields, expires, refreshing, answer):
    """RFC 4028, 9, table 2."""
    timer = SessionTimer(None, 600)
    found = timer.accept(Headers(list(fields.items())))
    assert [value for _, value in found] == answer
    assert (timer.expires, timer.refreshing) == (expires, refreshing)
