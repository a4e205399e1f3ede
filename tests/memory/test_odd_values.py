"""Odd header values, in requests and in answers: a few of them here, all of them in `make soak`.

On libeXosip2 itself, where there is but valgrind, `make soak` has every eighth; SIPBRIDGE_SWEEP=1 makes it all of them.
"""

from __future__ import absolute_import, division, print_function

import os

import pytest

from memory import odd_values

#: Of 300,000: each header field and each value with some other.
_STEP = 307

#: The tool for the long ones, and how many of them there are.
_TOOL = "sanitizers" if "SIPBRIDGE_DOUBLE" in os.environ else "valgrind"
_LONG_STEP = int(os.environ.get("SIPBRIDGE_SWEEP") or ("1" if "SIPBRIDGE_DOUBLE" in os.environ else "8"))


def test_a_few_odd_requests_and_responses(sweep):
    sweep.requests(odd_values.a_few(_STEP))
    sweep.responses([case[1:] for case in odd_values.a_few(_STEP * 13)])


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("tool", [_TOOL], indirect=True)
@pytest.mark.parametrize("method", odd_values.METHODS)
def test_all_odd_requests(sweep, method):
    sweep.requests(odd_values.of_method(method)[::_LONG_STEP])


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("tool", [_TOOL], indirect=True)
def test_all_odd_responses(sweep):
    sweep.responses([case[1:] for case in odd_values.of_method("200")][:: _LONG_STEP * 4])
