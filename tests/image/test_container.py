"""sipbridge.Container on the image: tests/container, the tests that show that elsewhere all is as in process, the pure
wheel, and an image that is built where it is missing.
"""

import os
import re
import subprocess
import sys

import pytest
import standin

from tools.builds import environment, wheels
from tools.checks import runs

LIMIT = 900  # seconds for all of them

#: A call between two containers, on this machine's network.
CALL = """
import sys, sipbridge
SDP = b"v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n"
def phone():
    return sipbridge.Endpoint("udp://127.0.0.1:0", engine=sipbridge.Container(sys.argv[1], network="host"))
with phone() as bob, phone() as alice:
    bob.on(sipbridge.IncomingCall, lambda event: event.call.answer(SDP))
    call = alice.call(bob.uri, SDP)
    call.hangup()
    print(sipbridge.__file__)
    print(call.wait_ended(20.0).cause)
"""

#: Builds an image and has an engine in it.
BUILD = """
import logging, sys, sipbridge
logging.basicConfig(level=logging.INFO, format="%(message)s")
with sipbridge.Endpoint("udp://127.0.0.1:0", engine=sipbridge.Container(sys.argv[1], build=True)) as phone:
    print(phone.engine_name)
"""


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
    names = [str(standin.TOP / "tests" / name) for name in ("container", *runs.ELSEWHERE)]
    result = run("-n", "4", *names)
    print(result.stdout[-3000:])
    failed = sorted(set(re.findall(r"^(?:FAILED|ERROR) (\S+)", result.stdout, re.MULTILINE)))
    if failed and len(failed) <= runs.FEW:
        print("a second try: %s" % " ".join(failed))
        result = run(*failed)
    assert result.returncode == 0, result.stdout[-20000:]


@pytest.fixture
def with_the_pure_wheel(tmp_path):
    """The interpreter of an environment that has sipbridge[docker] from the pure wheel, and what pip brings along."""
    source = wheels.unpack(wheels.build_sdist(sys.executable, tmp_path), tmp_path / "source")
    (wheel,) = [path for path in wheels.build_pure(sys.executable, source, tmp_path) if "-py3-" in path.name]
    environment.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"])
    python = tmp_path / "venv" / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "%s[docker]" % wheel]
    environment.run(command, **environment.PIP_ENVIRONMENT)
    return python


def test_the_pure_wheel_makes_a_call(images, with_the_pure_wheel, tmp_path):
    """In an environment without a compiler and a SIP library."""
    variables = {name: value for name, value in os.environ.items() if name == "DOCKER_HOST"}
    result = subprocess.run(
        [with_the_pure_wheel, "-c", CALL, standin.IMAGE + ":runtime"],
        cwd=tmp_path,
        env=dict(variables, PATH=os.devnull),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    place, cause = result.stdout.splitlines()
    assert place.startswith(str(tmp_path)) and cause == "local-bye", result.stdout


def test_the_image_is_built_where_it_is_missing(images, client, checkout):
    """The log tells how that goes on."""
    name = "sipbridge-standin-built"
    try:
        result = subprocess.run(
            [sys.executable, "-c", BUILD, name + ":runtime"],
            cwd="/",
            env=dict(checkout.environment, PYTHONPATH=str(checkout.folder), PYTHONDONTWRITEBYTECODE="1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
        )
        lines = result.stdout.splitlines()
        assert result.returncode == 0 and lines[-1] == "exosip", result.stdout[-4000:]
        assert [line for line in lines if line.startswith("make build: Step ")]
    finally:
        for image in client.images.list(name):
            for tag in image.tags:
                if tag.startswith(name):
                    client.images.remove(tag)
