"""The fixtures for pytest, in a project of a user."""

from __future__ import absolute_import, division, print_function

import io
import os
import re
import subprocess
import sys

import sipbridge

_TEST = """
import sipbridge
from sipbridge import testing

def test_in_memory(sip_endpoint, sip_network):
    sip_endpoint.on(sipbridge.IncomingCall, lambda event: event.call.answer(testing.SDP))
    call = sip_network.endpoint("sip:alice@example.com").call("sip:service@example.com", testing.SDP)
    assert (call.state, sip_endpoint.engine_name) == ("established", "memory")

def test_on_loopback(sip_loopback):
    endpoint, peer = sip_loopback
    endpoint.on(sipbridge.IncomingCall, lambda event: event.call.reject(486))
    call = peer.invite(endpoint.uri, testing.SDP)
    assert call.wait_ended().status == 486
    assert peer.engine_name in ("sofia", "exosip")
"""

_FOREIGN = """
import sys

def test_nothing_of_sipbridge_is_loaded():
    assert not [name for name in sys.modules if name.startswith("sipbridge")]
"""


DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "docs")


def _run(folder, **files):
    for name, text in files.items():
        folder.join(name + ".py").write_text(u"" + text, encoding="utf-8")
    package = os.path.dirname(os.path.dirname(os.path.abspath(sipbridge.__file__)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    process = subprocess.Popen(
        command, env=dict(os.environ, PYTHONPATH=package), cwd=str(folder), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, universal_newlines=True,
    )  # fmt: skip
    return process.communicate()[0], process.returncode


def test_one_line_brings_the_fixtures(tmpdir):
    output, status = _run(tmpdir, conftest='pytest_plugins = ["sipbridge.pytest_plugin"]\n', test_service=_TEST)
    assert (status, "2 passed" in output) == (0, True), output


def test_without_it_pytest_loads_nothing_of_sipbridge(tmpdir):
    output, status = _run(tmpdir, test_foreign=_FOREIGN)
    assert (status, "1 passed" in output) == (0, True), output


def test_the_example_of_testing_md(tmpdir):
    with io.open(os.path.join(DOCS, "testing.md"), encoding="utf-8") as page:
        example = re.findall(u"```python\n(import pytest\n.*?)```", page.read(), re.DOTALL)[0]
    output, status = _run(tmpdir, test_service=example)
    assert (status, "3 passed" in output) == (0, True), output
