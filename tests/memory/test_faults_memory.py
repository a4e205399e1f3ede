"""Every call of libeXosip2 failing in turn, on its double: what was under way is given back."""

from __future__ import absolute_import, division, print_function

import pytest

from double.flows import FLOWS
from double.test_faults import MOST_CALLS, SHORT, nulls
from memory.driver import run


@pytest.mark.parametrize("name", sorted(FLOWS))
def test_each_flow_loses_no_memory_under_each_fault(driver, name):
    for function in FLOWS[name][1].split():
        for null in nulls(function):
            for nth in range(1, MOST_CALLS):
                driver.perform("fail", function, nth, int(null))
                run(driver, name, SHORT)
                if not driver.perform("failed"):
                    break
