"""The examples of docs/, run as they are written; where they call bob there is one."""

from __future__ import absolute_import, division, print_function

import io
import os
import re
import socket
import sys
from contextlib import closing

import pytest

from conformance.sdp import ANSWER
from peers.process import Process
from peers.sidecar import EngineCommand

LIMIT = 90.0  # seconds: only an example that fails takes that long

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, os.pardir, "docs")


def _block(page, language, number=0, section=u""):
    """A block of a page, of those behind the heading ``## section``."""
    with io.open(os.path.join(DOCS, page), encoding="utf-8") as stream:
        text = stream.read()
    text = text[text.index(u"\n## %s" % section) :] if section else text
    return re.findall(u"```%s\n(.*?)```" % language, text, re.DOTALL)[number]


def _start(page, folder, bob=u"sip:nobody@127.0.0.1", number=0, replaced=(u"\0", u"\0"), section=u""):
    code = _block(page, u"python", number, section).replace(u"sip:bob@127.0.0.1:5070", bob).replace(*replaced)
    path = os.path.join(folder, "example.py")
    with io.open(path, "w", encoding="utf-8") as stream:
        stream.write(u"from __future__ import print_function\n" + code)
    return Process([sys.executable, path], folder, "example")


def test_the_examples_of_sessions_md(starter):
    example = _start("sessions.md", starter.folder())
    assert example.wait(LIMIT) == 0, example.output()
    assert example.output().replace("(u'", "('") == _block("sessions.md", u"text")


def test_the_examples_of_endpoints_md(starter):
    example = _start("endpoints.md", starter.folder())
    assert example.wait(LIMIT) == 0, example.output()
    assert example.output() == _block("endpoints.md", "text")


def test_the_example_of_draining(starter):
    example = _start("endpoints.md", starter.folder(), number=1)
    assert example.wait(LIMIT) == 0, example.output()
    assert example.output() == _block("endpoints.md", "text", 1)


def test_the_examples_of_reliability_md(starter):
    example = _start("reliability.md", starter.folder(), number=1)
    assert example.wait(LIMIT) == 0, example.output()
    said = example.output()
    assert "AttributeError: 'MessageReceived' object has no attribute 'nonsense'" in said  # the log's, on stderr
    printed = _block("reliability.md", "text").splitlines()
    assert [line for line in said.splitlines() if line in printed] == printed


def test_the_example_of_several_proxies_in_endpoints_md(starter):
    example = _start("endpoints.md", starter.folder(), number=2)
    assert example.wait(LIMIT) == 0, example.output()
    assert example.output() == _block("endpoints.md", "text", 2)


def _run_place(starter, number, **replaced):
    example = _start("places.md", starter.folder(), number=number, **replaced)
    assert example.wait(LIMIT) == 0, example.output()
    assert example.output() == "%s\n" % (os.environ.get("SIPBRIDGE_ENGINE") or "sofia")


@pytest.mark.parametrize("number", [0, 1])
def test_the_examples_of_places_md(starter, number):
    _run_place(starter, number)


def test_the_example_of_a_sidecar(starter):
    command = starter.keep("sipbridge engine", EngineCommand())
    assert _block("places.md", "sh", 1).split() == ["sipbridge", "engine", u"unix:///run/sipbridge/engine.sock"]
    _run_place(starter, 3, replaced=(u"unix:///run/sipbridge/engine.sock", u"" + command.address))


def test_the_example_of_sources_md(starter):
    example = _start("sources.md", starter.folder())
    assert example.wait(LIMIT) == 0, example.output()
    assert example.output() == _block("sources.md", "text")


def test_the_example_of_access_md(starter):
    example = _start("access.md", starter.folder())
    assert example.wait(LIMIT) == 0, example.output()
    assert example.output().replace("{u'", "{'") == _block("access.md", "text")


def test_the_example_of_observers_in_watching_md(starter):
    example = _start("watching.md", starter.folder())
    assert example.wait(LIMIT) == 0, example.output()
    assert example.output() == _block("watching.md", "text")


@pytest.mark.parametrize("section", [u"Metrics", u"Health"])
def test_the_examples_of_watching_md(starter, section):
    example = _start("watching.md", starter.folder(), section=section)
    assert example.wait(LIMIT) == 0, example.output()
    assert example.output().replace("[u'", "['") == _block("watching.md", "text", section=section)


def test_the_example_of_probes_in_watching_md(starter):
    example = _start("watching.md", starter.folder(), number=1, section=u"Health")
    assert example.wait(LIMIT) == 0, example.output()
    assert example.output() == "True\n"


def test_the_example_of_homer_in_watching_md(starter, other):
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as homer:
        homer.bind(("127.0.0.1", 0))
        port = u"127.0.0.1:%d" % homer.getsockname()[1]
        example = _start("watching.md", starter.folder(), other.uri, 0, (u"127.0.0.1:9060", port), u"Homer")
        assert example.wait(LIMIT) == 0, example.output()
    assert example.output() == _block("watching.md", "text", section=u"Homer")


def test_the_examples_of_tracing_md(starter, other):
    folder = starter.folder()
    example = _start("tracing.md", folder, other.uri)
    assert example.wait(LIMIT) == 0, example.output()
    assert example.output().splitlines()[-1] == "200"
    assert os.path.getsize(os.path.join(folder, "message.pcap")) > 500


def test_the_example_of_flight_md(starter):
    folder = starter.folder()
    example = _start("flight.md", folder)
    assert example.wait(LIMIT) == 0, example.output()
    (incident,) = os.listdir(os.path.join(folder, "incidents"))
    assert "Z-dump-" in incident


def test_the_example_of_troubleshooting_md(starter):
    example = _start("troubleshooting.md", starter.folder())
    assert example.wait(LIMIT) == 0, example.output()
    handlers = _block("troubleshooting.md", "text", section=u"A handler that blocks")
    assert example.output().replace("[u'", "['") == handlers


def test_the_example_of_replay_md(starter):
    example = _start("replay.md", starter.folder())
    assert example.wait(LIMIT) == 0, example.output()
    assert example.output() == _block("replay.md", "text")


@pytest.mark.skipif(sys.version_info[0] < 3, reason="sipbridge.aio is for Python 3")
def test_the_examples_of_asyncio_md(starter, other):
    example = _start("asyncio.md", starter.folder(), other.uri)
    other.wait("incoming sdp")
    other.call("answer", ANSWER)
    other.wait("ended remote-bye 200")
    assert example.wait(LIMIT) == 0, example.output()
    assert example.output().splitlines()[-1] == "local-bye"
    assert [label for label in other.labels if label.startswith("info")] == ["info 4", "info 2", "info #"]
