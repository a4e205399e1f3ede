"""What help() shows of the package, and what an editor completes."""

from __future__ import absolute_import, division, print_function

import os
import pydoc
import re
import subprocess
import sys
import types

import pytest

import sipbridge

#: What the help names everywhere, and Python 3 alone has.
PYTHON3_ONLY = ["Container"]
PUBLIC = [name for name in sipbridge.__all__ if not name.startswith("__")]


def shown():
    return pydoc.plain(pydoc.render_doc(sipbridge)).splitlines()


def test_help_begins_with_the_documented_names():
    lines = shown()
    beginning = "\n".join(lines[: lines.index("PACKAGE CONTENTS")])
    assert len(lines) < 150
    assert [name for name in PUBLIC if not re.search(r"\b%s\b" % name, beginning)] == []
    names = re.findall(r"^ {8}((?:[A-Z]\w+(?:, )?)+)", beginning, re.MULTILINE)  # what stands in a list is there
    assert [each for name in names for each in name.split(", ") if each not in PUBLIC + PYTHON3_ONLY] == []


def test_help_of_a_name_says_all_of_it():
    text = re.sub(r"\s+\|?\s*", " ", pydoc.plain(pydoc.render_doc(sipbridge.Endpoint)))
    assert "Place a call and wait" in text and "trusted_proxies: networks" in text


def test_dir_has_the_public_names_and_no_others():
    found = [name for name in dir(sipbridge) if not name.startswith("__")]
    assert sorted(set(PUBLIC) - set(found)) == []
    others = set(found) - set(PUBLIC)
    assert [name for name in others if name.startswith("_")] == []
    assert [name for name in others if getattr(sipbridge, name).__name__ != "sipbridge." + name] == []


def test_dir_is_the_same_before_anything_is_loaded():
    code = "import sipbridge; print(' '.join(name for name in dir(sipbridge) if name[:2] != '__'))"
    package = os.path.dirname(os.path.dirname(os.path.abspath(sipbridge.__file__)))
    environment = dict(os.environ, PYTHONPATH=package)
    output = subprocess.check_output([sys.executable, "-c", code], env=environment)
    assert output.decode("ascii").split() == sorted(PUBLIC)


def test_a_star_import_has_them_too():
    names = {}
    exec("from sipbridge import *", names)
    assert sorted(set(names) - {"__builtins__"}) == sorted(sipbridge.__all__)


@pytest.mark.skipif(sys.version_info[0] < 3, reason="sipbridge.aio is for Python 3")
def test_the_names_of_aio():
    from sipbridge import aio

    found = [name for name in dir(aio) if not name.startswith("__")]
    assert found == sorted(aio.__all__)
    assert {"Endpoint", "Call", "IncomingCall", "EventStream"} <= set(found)
    assert [name for name in found if isinstance(getattr(aio, name), types.ModuleType)] == []
