"""The engine compiles against the API of libeXosip2 4.x and 5.x (csrc/exosip/library.h), as declared in later/.

Compiled only: what those versions do at run time is not tested.
"""

from __future__ import absolute_import, division, print_function

import glob
import os
import shlex
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.join(HERE, "..", "..", "csrc")

#: Where what belongs to the engine finds its headers.
LAYERS = ("exosip", "dns", "core", "contract")

#: What setup.py finds out about the library's options.
OPTIONS = ["-DSB_HAS_EXOSIP_OPT_%s" % name for name in ("DONT_SEND_101=0", "UDP_KEEP_ALIVE=1", "DNS_CAPABILITIES=1")]

#: The declarations, and the options: a build for 4.x says so itself, 5.x is known by its headers.
LATER = {4: OPTIONS + ["-DLATER_API=4", "-DSB_EXOSIP_API=4"], 5: OPTIONS + ["-DLATER_API=5"]}


def compiled(options, code=None, path=None):
    """Exit code and output of the compiler for a file, or for code from its standard input."""
    command = shlex.split(os.environ.get("CC", "cc")) + ["-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
    command += [word for layer in LAYERS for word in ("-iquote", os.path.join(SOURCES, layer))]
    command += ["-fsyntax-only", "-I" + os.path.join(HERE, "later")]
    command += ["-I" + os.path.join(os.environ["SIPBRIDGE_DOUBLE"], "include")]  # libosip2's
    command += options + (["-x", "c", "-"] if path is None else [path])
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.communicate((code or "").encode("ascii"))[0]
    return process.returncode, output.decode("utf-8", "replace")


@pytest.mark.parametrize("api", sorted(LATER))
@pytest.mark.parametrize("name", sorted(os.path.basename(path) for path in glob.glob(SOURCES + "/exosip/*.c")))
def test_every_file_compiles_on_the_later_api(api, name):
    assert compiled(LATER[api], path=os.path.join(SOURCES, "exosip", name)) == (0, "")


@pytest.mark.parametrize("api, acknowledged", [(4, 1), (5, 2)])
def test_the_build_recognizes_the_later_api(api, acknowledged):
    """The 2xx is named by its dialog in 4.x and by the INVITE's transaction in 5.x."""
    code = '#include "library.h"\ntypedef char is[%s ? 1 : -1];\n'
    claims = "SB_EXOSIP_API == %d && EXO_ACK_ID(1, 2) == %d" % (api, acknowledged)
    assert compiled(LATER[api], code % claims) == (0, "")
    assert compiled(LATER[api], code % ("!(%s)" % claims))[0] != 0
