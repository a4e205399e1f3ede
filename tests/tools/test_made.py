"""What `make develop` says at its end (tools/builds/made.py)."""

import subprocess
import sys

import pytest

from tools.builds import made

TOLD = """\
is sipbridge 0.1.0
is Python 3.11.7
engine sofia 1.12.11devel
extra None cffi
extra aio greenlet
missing docker docker
shield is there
"""

#: What a build prints among other things; the second reason goes on in the next lines.
OUTPUT = """\
left out: sofia: sofia-sip/nta.h: No such file
left out: exosip: two libosip2 at once
    The headers and libraries of one installation have to be found together:
    C_INCLUDE_PATH=DIR/include
engines: none
"""


@pytest.fixture
def said():
    def report(told=TOLD, reasons=None, shell="/bin/bash"):
        return "\n".join(made.report(told, reasons or {}, shell))

    return report


def test_what_is_there_has_its_version(said):
    text = said()
    assert ".venv: sipbridge 0.1.0 from this checkout, Python 3.11.7" in text
    assert "sofia   Sofia-SIP 1.12.11devel" in text and "_shield.so" in text
    assert "extras         aio\n" in text


def test_what_is_left_out_has_its_reason(said):
    text = said(reasons={"exosip": "eXosip2/eXosip.h: No such file or directory"})
    assert "left out: exosip eXosip2/eXosip.h: No such file or directory" in text
    assert "left out: docker  the extra; it needs docker: .venv/bin/pip install docker" in text
    assert "left out: exosip SIPBRIDGE_ENGINES does not name it" in said()
    assert "sofia eXosip" not in text and "pip install greenlet" not in text


def test_the_reasons_are_those_of_the_build():
    reasons = made.left_out(OUTPUT)
    assert reasons["sofia"] == "sofia-sip/nta.h: No such file"
    assert reasons["exosip"].startswith("two libosip2 at once The headers")
    assert reasons["exosip"].endswith("C_INCLUDE_PATH=DIR/include")


@pytest.mark.parametrize(
    "shell, command",
    [
        ("/bin/bash", ". .venv/bin/activate"),
        ("/usr/bin/zsh", ". .venv/bin/activate"),
        ("", ". .venv/bin/activate"),
        ("/usr/bin/fish", "source .venv/bin/activate.fish"),
        ("/bin/tcsh", "source .venv/bin/activate.csh"),
    ],
)
def test_the_command_is_that_of_the_readers_shell(said, shell, command):
    assert "\n  %s  " % command in said(shell=shell)


def test_this_python_tells_its_facts():
    """The tests find sipbridge by its path; what it asks for is told only where it is installed."""
    wanted = ["cffi>=1", "nothing-there>=1; extra == 'x'"]
    facts = made.FACTS.replace('importlib.metadata.requires("sipbridge")', repr(wanted))
    command = [sys.executable, "-c", facts]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert "extra None cffi" in told and "missing x nothing-there" in told
    assert [line for line in told if line.startswith("engine ")]
