"""The README's example, run as it is written."""

from __future__ import absolute_import, division, print_function

import io
import os
import re
import subprocess
import sys

import sipbridge

README = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, os.pardir, "README.md")


def example():
    with io.open(README, encoding="utf-8") as readme:
        (code,) = re.findall(u"```python\n(.*?)```", readme.read(), re.DOTALL)
    return code


def run(code):
    if sys.version_info[0] == 2:
        code = u"from __future__ import print_function\n" + code
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    return process.communicate()[0], process.returncode


def test_the_example_has_fifteen_lines_and_runs_as_written():
    code = example()
    assert len([line for line in code.splitlines() if line]) <= 15
    output, status = run(code)
    if not libexosip():
        assert status == 0, output
        assert output.splitlines() == ["a call from sip:alice@example.com", "keyed in: 42", "over: remote-bye"]
    else:  # as the README says of it
        assert status != 0 and "one engine per process" in output, output


def libexosip():
    with sipbridge.Endpoint() as phone:
        return phone.engine_name == "exosip"
