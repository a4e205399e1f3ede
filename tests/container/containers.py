"""What a test does to a container, and looks up about it."""

from __future__ import annotations

import os

import docker
from sipbridge._engine.container_owner import SERVICE


def container_of(client, phone):
    """The container of a phone, as the SDK has it."""
    return client.containers.get(phone.endpoint._engine.container)


def send(client, phone, number):
    """Send the engine itself a signal: not process 1."""
    pid = phone.endpoint._engine._channel.facts["pid"]
    try:
        code, output = container_of(client, phone).exec_run(["sh", "-c", "kill -%d %d" % (number, pid)])
    except docker.errors.NotFound:  # the container that it was run in is gone already
        return
    assert code == 0, output


def of_service(client, pid=None):
    """The containers of a service on this machine, running or not; of this process where no other is named."""
    prefix = "%s/%d/" % (os.uname()[1], pid or os.getpid())
    found = client.api.containers(all=True, filters={"label": SERVICE})
    return [each["Id"] for each in found if each["Labels"][SERVICE].startswith(prefix)]
