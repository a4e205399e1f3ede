"""sipbridge.Container on the image: tests/container, and the tests that show that elsewhere all is as in process."""

import os
import re
import subprocess
import sys

import standin

from tools.checks import runs

LIMIT = 900  # seconds for all of them

#: What needs an engine of this machine, too, or adds minutes.
NOT_HERE = ("aio",) + tuple(
    "conformance/%s.py" % name
    for name in ("agent/test_access", "agent/test_health", "agent/test_metrics", "transport/test_sources",
                 "transport/test_transport")
)  # fmt: skip


def run(*arguments):
    """Run pytest on this machine's Python, with engines in containers of the runtime stage; the CompletedProcess."""
    settings = dict(os.environ, SIPBRIDGE_TEST_PLACE="container", SIPBRIDGE_ENGINE="exosip")
    settings.update(PYTHONPATH=str(standin.TOP), SIPBRIDGE_TEST_IMAGE=standin.IMAGE + ":runtime")
    settings.update(SIPBRIDGE_BUILD=str(standin.TOP / "build"))
    settings.pop("SIPBRIDGE_IMAGE_SELFTEST", None)
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", "--timeout", "180"]
    return subprocess.run(
        [*command, *arguments],
        cwd=standin.TOP,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
    )


def test_an_engine_in_a_container(images):
    """The facade needs no engine on this machine: none is built here."""
    elsewhere = [name for name in runs.ELSEWHERE if name not in NOT_HERE]
    names = [str(standin.TOP / "tests" / name) for name in ("container", *elsewhere)]
    result = run("-n", "4", *names)
    print(result.stdout[-3000:])
    failed = sorted(set(re.findall(r"^(?:FAILED|ERROR) (\S+)", result.stdout, re.MULTILINE)))
    if failed and len(failed) <= runs.FEW:
        print("a second try: %s" % " ".join(failed))
        result = run(*failed)
    assert result.returncode == 0, result.stdout[-20000:]
