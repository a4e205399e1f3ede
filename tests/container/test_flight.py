"""The flight recorder has the message that killed an engine in a container: process 1 of that has it."""

from __future__ import annotations

import io

import pytest

import sipbridge
from container.conftest import IMAGE
from worker.test_flight import killed_by_a_message

#: The image, with the checking double of libeXosip2 told what to die of.
DEADLY = """
FROM %s
ENV EXOSIP_DOUBLE_DIE_OF="X-Deadly: 1"
"""


@pytest.fixture
def deadly(client):
    image, _ = client.images.build(fileobj=io.BytesIO((DEADLY % IMAGE).encode("ascii")), rm=True)
    yield image.id
    client.images.remove(image.id, force=True)


def test_the_message_that_killed_an_engine(deadly, make_phone, by_hand, tmpdir):
    recorder = sipbridge.FlightRecorder(str(tmpdir.join("incidents")))
    phone = make_phone(image=deadly, endpoint={"flight": recorder})
    killed_by_a_message(phone, by_hand, tmpdir)
    phone.wait("restarted", 1, 30.0)
