"""The examples of docs/calls.md and docs/third-parties.md, run as they are written."""

from __future__ import absolute_import, division, print_function

import io
import os
import re
import sys

import pytest

from unit.examples.test_readme import libexosip, run

DOCS = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, os.pardir, "docs")

#: What each of them prints, in the order of the page.
EXPECTED = {
    "calls.md": [
        ["sip:alice@example.com keyed in 4711", "and then 9"],
        ["account 4711: remote-bye", "['CallEnded']"],
        ["placed: order-4711@example.com", "up: True 1", "in order: True"],
        ["taken: established", "nobody was reached: unreachable"],
        ["on hold: True", "on hold: False"],
        ["bob calls carol for sip:alice@example.com", "transferred: True"],
        ["with carol: remote-bye", "with bob: local-bye"],
        ["bob answered: True"],
        ["Session-Expires: 1800;refresher=uac"],
        ["for the network: sip:alice@example.com", "why: Normal call clearing"],
        ["there: 200"],
    ],
    "third-parties.md": [
        ["connected [6000, 5000]", "ended local-bye"],
        ["bob's port: 6000", "bob: recvonly"],
        ["agent: 480", "caller and agent: connected", "caller and agent: ended"],
        [
            "the mixer: 9000 <-> 5000 PCMU/8000",
            "the mixer: 9002 <-> 6000 PCMU/8000",
            "in the conference: 2",
            "over: ['local-bye', 'local-bye', 'local-bye']",
        ],
        ["['connected', 'connected'] at the mixer: 2", "['connected', 'ended']"],
        ["connected", "ended"],
    ],
}


def examples(name):
    """The beginning that all have in common, and each of the others."""
    with io.open(os.path.join(DOCS, name), encoding="utf-8") as page:
        blocks = re.findall(u"```python\n(.*?)```", page.read(), re.DOTALL)
    return blocks[0], blocks[1:]


@pytest.mark.parametrize("page", sorted(EXPECTED))
def test_each_example_has_its_output(page):
    assert len(examples(page)[1]) == len(EXPECTED[page])


@pytest.mark.parametrize(
    "page, number", [(page, number) for page in sorted(EXPECTED) for number in range(len(EXPECTED[page]))]
)
def test_each_example_runs_as_written(page, number):
    beginning, others = examples(page)
    if "asyncio" in others[number] and sys.version_info[0] == 2:
        pytest.skip("sipbridge.aio is for Python 3")
    output, status = run(beginning + others[number])
    if not libexosip():
        assert (output.splitlines(), status) == (EXPECTED[page][number], 0), output
    else:  # as the page says of it
        assert status != 0 and "one engine per process" in output, output
