"""``sipbridge compare --app``: what a program is told, and what is said of one that does not work."""

from __future__ import absolute_import, division, print_function

import pytest

from unit.command.process import run
from unit.command.test_compare import CALLED, ITSELF, verdict

#: A program that refuses calls at the address which the expression makes of its arguments.
AT = u"""
import sys
import sipbridge

with sipbridge.Endpoint(%s) as endpoint:
    endpoint.on(sipbridge.IncomingCall, lambda event: event.call.reject(486))
    endpoint.wait_closed()
"""


@pytest.fixture
def program(tmpdir):
    """A function that writes a program and returns its path."""

    def write(text):
        path = tmpdir.join("program.py")
        path.write_text(text, "utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(
    "argument, address",
    [
        ("--listen=udp:127.0.0.1:{port}", "'udp://' + sys.argv[1][13:]"),
        ("at {address} or {address}", "sys.argv[1].split()[3]"),
        ("{port}", "'udp://127.0.0.1:' + sys.argv[1]"),
    ],
)
def test_its_address_is_a_part_of_an_argument(program, argument, address):
    command = run("compare", CALLED, "--app", program(AT % address), *(ITSELF + ("--", argument)))
    assert command.process.returncode == 0, command.output + command.errors
    assert verdict(command.output.splitlines()[0]) == "same" and "same: 1 messages" in command.output
