"""Endpoints whose engine is in a worker, and peers for them.

The engine under test is what SIPBRIDGE_ENGINE names, or else the first that was built.
"""

from __future__ import absolute_import, division, print_function

import os
import sys

import pytest

import sipbridge
from sipbridge._agent.pool import MOST


@pytest.fixture
def make_phone(make_phone):
    """Makes a Phone whose engine is in a worker, with options of Worker; the named ones are the endpoint's."""

    def make(identity="sip:alice@sipbridge.test", handlers=MOST, flight=None, **options):
        return make_phone(identity=identity, handlers=handlers, flight=flight, engine=sipbridge.Worker(**options))

    return make


@pytest.fixture
def other(make_phone):
    """Another endpoint, in this process too."""
    return make_phone("sip:bob@sipbridge.test")


@pytest.fixture
def interpreter(tmpdir):
    """Makes an executable that stands in for a worker's interpreter: one of the programs here, with arguments."""

    def make(program, *arguments):
        script = tmpdir.join("python")
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), program)
        words = " ".join("'%s'" % word for word in (sys.executable, path) + arguments)
        script.write("#!/bin/sh\nexec %s \"$@\"\n" % words)
        script.chmod(0o755)
        return str(script)

    return make
