"""The examples of docs/calls.md, run as they are written."""

from __future__ import absolute_import, division, print_function

import io
import os
import re

import pytest

from unit.examples.test_readme import libexosip, run

CALLS = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, os.pardir, "docs", "calls.md")

#: What each of them prints, in the order of the page.
EXPECTED = [
    ["sip:alice@example.com keyed in 4711", "and then 9"],
    ["account 4711: remote-bye", "['CallEnded']"],
    ["taken: established", "nobody was reached: unreachable"],
    ["on hold: True", "on hold: False"],
    ["bob calls carol for sip:alice@example.com", "transferred: True"],
    ["with carol: remote-bye", "with bob: local-bye"],
    ["bob answered: True"],
    ["Session-Expires: 1800;refresher=uac"],
    ["for the network: sip:alice@example.com", "why: Normal call clearing"],
    ["there: 200"],
]


def examples():
    """The beginning that all have in common, and each of the others."""
    with io.open(CALLS, encoding="utf-8") as page:
        blocks = re.findall(u"```python\n(.*?)```", page.read(), re.DOTALL)
    return blocks[0], blocks[1:]


def test_each_example_has_its_output():
    assert len(examples()[1]) == len(EXPECTED)


@pytest.mark.parametrize("number", range(len(EXPECTED)))
def test_each_example_runs_as_written(number):
    beginning, others = examples()
    output, status = run(beginning + others[number])
    if not libexosip():
        assert (output.splitlines(), status) == (EXPECTED[number], 0), output
    else:  # as the page says of it
        assert status != 0 and "one engine per process" in output, output
