"""The files that start a sidecar: their command lines are ones that the command takes."""

from __future__ import absolute_import, division, print_function

import io
import os
import re

import pytest

from sipbridge._command.options import build_parser

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, os.pardir, os.pardir, os.pardir)
FILES = [
    ("examples/sidecar/compose.yaml", 2),
    ("examples/sidecar/sipbridge-engine.service", 1),
    ("deploy/kubernetes/fleet.yaml", 2),
]


def command_lines(name):
    """What follows "sipbridge", or is the image's command, in a file: lists of arguments."""
    with io.open(os.path.join(ROOT, name), encoding="utf-8") as stream:
        text = stream.read()
    for found in re.findall(r"(?m)(?:\[|bin/sipbridge )(?:CMD, )?(?:sipbridge, )?(engine.*?)\]?$", text):
        yield [word.strip('", ') for word in re.split(r", | ", found.replace("telephony", "root"))]


@pytest.mark.parametrize("name, count", FILES)
def test_the_command_lines_are_right(name, count):
    found = [build_parser().parse_args(words) for words in command_lines(name)]
    assert len(found) == count
    for options in found:
        assert options.command == "engine" and (options.check or options.allow_uid)
