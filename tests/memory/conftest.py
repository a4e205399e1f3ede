"""Which of these tests there are, and the driver under each tool.

The program is the same for every Python: Python 2.7 leaves it to the others. Only the double can be made to fail. The
CVEs are libosip2's.
"""

from __future__ import absolute_import, division, print_function

import os
import sys

import pytest

from contract.raw import Raw

collect_ignore_glob = [] if "SIPBRIDGE_DOUBLE" in os.environ else ["test_faults_*.py"]
if Raw().name == "sofia":
    collect_ignore_glob.append("test_cves.py")
if sys.version_info[0] == 2:
    collect_ignore_glob = ["test_*.py"]
else:
    from memory.driver import build, tools
    from memory.sweep import Sweep

    _TOOLS = tools()

    @pytest.fixture(scope="session", params=sorted(_TOOLS))
    def tool(request, tmpdir_factory):
        """A function that starts the driver under a tool."""
        flags, start = _TOOLS[request.param]
        program, folder = build(flags), tmpdir_factory.mktemp(request.param)
        return lambda: start(program, str(folder.join("complaints")))

    @pytest.fixture
    def driver(tool):
        """The driver; when the test is over it ends, and the tool must have nothing to say."""
        driven = tool()
        yield driven
        driven.finish()

    @pytest.fixture
    def sweep(driver):
        """Closed when the test is over, before the tool has its say."""
        sweeping = Sweep(driver)
        yield sweeping
        sweeping.close()
