"""The examples of docs/, run as they are written, print what it says."""

from __future__ import absolute_import, division, print_function

import io
import os
import re

import pytest

from unit.examples.test_readme import run

DOCS = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, os.pardir, "docs")


def examples(name):
    with io.open(os.path.join(DOCS, name), encoding="utf-8") as page:
        return re.findall(u"```python\n(.*?)```\n\n```text\n(.*?)```", page.read(), re.DOTALL)


@pytest.mark.parametrize("page, number", [("events.md", 0), ("events.md", 1), ("threading.md", 0), ("testing.md", 0)])
def test_each_example_runs_as_written(page, number):
    code, told = examples(page)[number]
    output, status = run(code)
    lines = [line for line in output.splitlines() if "Unshielded" not in line and "warnings.warn" not in line]
    assert (status, "\n".join(lines) + "\n") == (0, told), output


def test_each_example_is_run():
    assert [len(examples(page)) for page in ("events.md", "threading.md", "testing.md")] == [2, 1, 1]
