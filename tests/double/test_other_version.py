"""libeXosip2 3.3 and 3.6 have one file name, and other numbers for their options: the engine looks which it has got."""

from __future__ import absolute_import, division, print_function

import os
import subprocess
import sys

import pytest

from peers import abilities

HERE = os.path.dirname(os.path.abspath(__file__))

CODE = """
import sipbridge
print(sipbridge.engines()["exosip"])
try:
    sipbridge.Endpoint("udp://127.0.0.1:0", engine="exosip")
except sipbridge.EngineError as error:
    print(error)
"""


@pytest.mark.skipif(abilities.is_exosip("5.3"), reason="5.3 has a file name of its own")
def test_a_library_of_another_version_is_refused(tmpdir):
    line = "3.6" if abilities.is_exosip("3.3") else "3.3"
    subprocess.check_call(["make", "-s", "-C", HERE, "BUILD=%s" % tmpdir, "LINE=" + line])
    environment = dict(os.environ, LD_LIBRARY_PATH=str(tmpdir.join("lib")))
    output = subprocess.check_output([sys.executable, "-c", CODE], env=environment).decode("utf-8")
    version, complaint = output.splitlines()
    assert version == line + ".0 (double)"
    assert complaint.endswith("the SIP library is not of the version that the engine was built for")
