"""Arguments that are refused (sipbridge._text.checks)."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from sipbridge._text.checks import check_seconds, check_status


@pytest.mark.parametrize("status", [199, 700, "200", None, True, 200.0])
def test_a_status_is_a_number_within_bounds(status):
    with pytest.raises(sipbridge.InputError) as caught:
        check_status(status, 200, 699)
    assert repr(status) in str(caught.value)


@pytest.mark.parametrize("seconds", [0, -1, 1.5, "60", None, True, 2**31])
def test_seconds_are_whole_and_above_zero(seconds):
    with pytest.raises(sipbridge.InputError):
        check_seconds(seconds, "expires")
    assert check_seconds(60, "expires") == 60
