"""The files of examples/sidecar: their command lines are ones that the command takes."""

from __future__ import absolute_import, division, print_function

import io
import os
import re

import pytest

from sipbridge._command.options import build_parser

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, os.pardir, os.pardir, os.pardir, "examples", "sidecar")


def command_lines(name):
    """What follows "sipbridge", or is the image's command, in a file: lists of arguments."""
    with io.open(os.path.join(FOLDER, name), encoding="utf-8") as stream:
        text = stream.read()
    for found in re.findall(r"(?m)(?:\[|bin/sipbridge )(?:CMD, )?(?:sipbridge, )?(engine.*?)\]?$", text):
        yield [word.strip('", ') for word in re.split(r", | ", found.replace("telephony", "root"))]


@pytest.mark.parametrize("name, count", [("compose.yaml", 2), ("pod.yaml", 2), ("sipbridge-engine.service", 1)])
def test_the_command_lines_are_right(name, count):
    found = [build_parser().parse_args(words) for words in command_lines(name)]
    assert len(found) == count
    for options in found:
        assert options.command == "engine" and (options.check or options.allow_uid)
