"""Parts of csrc apart from any library, against a model, with the sanitizers."""

from __future__ import absolute_import, division, print_function

import os
import subprocess

import pytest

from memory.driver import build_part


@pytest.mark.timeout(900)  # the sanitizers are slow on a busy machine
@pytest.mark.parametrize(
    "sources",
    [
        ["shield/process/responses.c", "shield/check/*.c"],  # the shield's table of final responses
        ["shield/process/events.c", "shield/process/count.c", "shield/check/*.c"],
        ["core/flight.c", "core/frames.c"],
        ["core/last.c"],
        ["exosip/near.c"],
        ["exosip/due.c"],
    ],
    ids=lambda sources: sources[0],
)
def test_part(sources, tmpdir):
    program = build_part(os.path.basename(sources[0]), sources, str(tmpdir.join("part")))
    process = subprocess.Popen([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=_plain())
    output = process.communicate()[0].decode("utf-8", "replace")
    assert process.returncode == 0, output


def _plain():
    """The sanitizers want to be loaded first."""
    return dict((name, value) for name, value in os.environ.items() if name != "LD_PRELOAD")
