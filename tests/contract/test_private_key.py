"""Where the private key is while an engine starts: in no file that outlives a process that ends there."""

from __future__ import absolute_import, division, print_function

import os
import stat
import subprocess
import sys
import time

import pytest

from contract.raw import Raw
from peers import abilities, certificates

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks for files without a name")

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

#: Opens an engine with the files that it is told, in the same order as sb_config has them.
PROGRAM = """
import sys
from contract.raw import Raw
raw = Raw()
names = ("tls_certificate", "tls_private_key", "tls_ca")
raw.open(transport=raw.lib.SB_TLS, **dict(zip(names, sys.argv[1:])))
"""


def _files_with(folder, text):
    """The files there, by a name of their own, that have this text in them."""
    found = []
    for place, _, names in os.walk(folder):
        for path in [os.path.join(place, name) for name in names]:
            if stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "rb") as opened:
                    found += [path] * (text in opened.read())
    return found


def _await_reader(fifo, process):
    """Wait until somebody has opened it to read. Returns a descriptor that keeps whoever did waiting."""
    deadline = time.time() + 20.0
    while time.time() < deadline and process.poll() is None:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.02)
    raise AssertionError("the engine did not come to %s; it ended with %s" % (fifo, process.poll()))


def test_no_copy_of_the_private_key_stays_behind(tmpdir):
    """The engine is held, and killed, where the key is copied and something else is still to be read."""
    if Raw().name != "sofia":
        pytest.skip(abilities.NO_TLS)
    pem = certificates.make(str(tmpdir.mkdir("pem")))
    temporary, fifo = str(tmpdir.mkdir("temporary")), str(tmpdir.join("ca.pem"))
    os.mkfifo(fifo)
    settings = dict(os.environ, TMPDIR=temporary)
    settings["PYTHONPATH"] = os.pathsep.join([TESTS, os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, pem.certificate, pem.key, fifo], env=settings)
    try:
        holding = _await_reader(fifo, process)
        assert os.listdir(temporary) != []
        assert _files_with(temporary, b"PRIVATE KEY") == []
    finally:
        process.kill()
        process.wait()
    os.close(holding)
    assert _files_with(temporary, b"PRIVATE KEY") == []
