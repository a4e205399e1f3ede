"""Odd header values, in requests and in answers: a few of them here, all of them in `make soak`."""

from __future__ import absolute_import, division, print_function

import pytest

from memory import odd_values
from memory.sweep import Sweep

#: Of 300,000: each header field and each value with some other.
_STEP = 307


@pytest.fixture
def sweep(driver):
    """Closed when the test is over, before the tool has its say."""
    sweeping = Sweep(driver)
    yield sweeping
    sweeping.close()


def test_a_few(sweep):
    sweep.requests(odd_values.a_few(_STEP))
    sweep.responses([case[1:] for case in odd_values.a_few(_STEP * 13)])


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("method", odd_values.METHODS)
def test_all_requests(sweep, method):
    sweep.requests(odd_values.of_method(method))


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_all_responses(sweep):
    sweep.responses([case[1:] for case in odd_values.of_method("200")])
