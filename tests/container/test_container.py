"""How a container is made: what it may do, its network, its image, and what is refused."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess

import pytest

import docker
import sipbridge
from conformance.examples.test_pages import _start
from container.conftest import IMAGE
from container.containers import container_of
from peers.ports import free_port
from peers.waiting import wait_until
from sipbridge._engine.local_address import reachable
from worker.test_lost import established


def test_it_may_do_little(client, phone):
    about = container_of(client, phone).attrs
    host = about["HostConfig"]
    assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and host["SecurityOpt"] == ["no-new-privileges"]
    assert host["Memory"] == host["MemorySwap"] == 512 * 2**20 and host["PidsLimit"] == 128
    assert host["AutoRemove"] and host["LogConfig"]["Type"] == "none" and not host["Binds"] and not host["PortBindings"]
    assert about["Config"]["User"] == "10001:10001" and about["Config"]["StdinOnce"]
    assert about["Name"].startswith("/sipbridge-")


def test_the_shield_has_the_settings_of_the_service(client, make_phone, monkeypatch):
    monkeypatch.setenv("SIPBRIDGE_SHIELD_INVITE", "17")
    monkeypatch.setenv("SIPBRIDGE_SHIELD_COUNTERS", "/nowhere")
    variables = container_of(client, make_phone()).attrs["Config"]["Env"]
    assert "SIPBRIDGE_SHIELD_INVITE=17" in variables
    assert not [each for each in variables if "COUNTERS" in each]


def test_no_password_is_in_what_docker_tells(client, phone):
    phone.endpoint.add_credentials("alice", "wonderland")
    assert "wonderland" not in json.dumps(container_of(client, phone).attrs)


def test_several_at_once(make_phone, by_hand):
    phones = [make_phone(identity="sip:%s@sipbridge.test" % name) for name in ("alice", "bob", "carol")]
    for phone in phones:
        by_hand.waiting = []
        established(phone, by_hand)


def asked(host, port):
    """The response to an OPTIONS from this machine; with rport (RFC 3581), as a peer behind a NAT sends it: Docker's
    network is one.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_DGRAM)) as peer:
        peer.settimeout(10.0)
        peer.connect((host.strip("[]"), port))
        lines = ["OPTIONS sip:%s:%d SIP/2.0" % (host, port), "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1;rport"]
        lines += ["From: <sip:a@192.0.2.9>;tag=1", "To: <sip:b@192.0.2.9>", "Call-ID: 1", "CSeq: 1 OPTIONS"]
        lines += ["Max-Forwards: 70", "Content-Length: 0", "", ""]
        peer.send("\r\n".join(lines).encode())
        return peer.recv(65536).decode()


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_a_published_port(make_phone, host):
    """It is reached from outside of Docker's network, and names an address there."""
    port = free_port()
    phone = make_phone("udp://%s:%d" % (host, port), network="bridge")
    expected = host if host == "127.0.0.1" else reachable("0.0.0.0")
    assert phone.endpoint.uri == "sip:%s:%d" % (expected, port)
    assert asked(expected, port).startswith("SIP/2.0 200 ")


def test_an_address_that_is_advertised_is_taken(make_phone):
    phone = make_phone("udp://0.0.0.0:0", network="bridge", endpoint={"advertised": "192.0.2.7:5070"})
    assert phone.endpoint.uri == "sip:192.0.2.7:5070"


def test_a_port_that_is_taken(make_phone):
    first = make_phone("udp://127.0.0.1:0", network="bridge")
    with pytest.raises(sipbridge.TransportError) as caught:
        make_phone("udp://127.0.0.1:%d" % first.endpoint.port, network="bridge")
    assert "in use" in str(caught.value)


@pytest.fixture
def six(client):
    """The name of a network of Docker's that has IPv6."""
    share = "fd%02x:%04x:%04x::/64" % tuple(random.randrange(2**bits) for bits in (8, 16, 16))
    pool = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet=share)])
    network = client.networks.create("sipbridge-selftest-%d" % os.getpid(), enable_ipv6=True, ipam=pool)
    yield network.name
    network.remove()


@pytest.fixture
def phone_with_six(make_phone, six):
    """Makes a phone on that network, which is closed before the network goes."""
    with contextlib.ExitStack() as phones:

        def make(address):
            phone = make_phone(address, network=six)
            phones.callback(phone.close)
            return phone

        yield make


@pytest.mark.parametrize("host", ["[::]", "[::1]"])
def test_a_published_port_on_ipv6(phone_with_six, host):
    port = free_port()
    phone = phone_with_six("udp://%s:%d" % (host, port))
    expected = host if host == "[::1]" else reachable("::")
    assert phone.endpoint.uri == "sip:%s:%d" % (expected, port)
    assert asked(expected, port).startswith("SIP/2.0 200 ")


def test_ipv6_needs_a_network_that_has_it(make_phone):
    with pytest.raises(sipbridge.NotSupportedError) as caught:
        make_phone("udp://[::1]:0", network="bridge")
    assert "docker network create --ipv6" in str(caught.value)


def test_a_network_that_is_missing(make_phone):
    with pytest.raises(sipbridge.InputError) as caught:
        make_phone(network="nonesuch")
    assert "nonesuch" in str(caught.value)


def test_an_image_that_is_missing(make_phone):
    with pytest.raises(sipbridge.EngineError) as caught:
        make_phone(image="sipbridge-nonesuch:runtime")
    assert "make build" in str(caught.value) and "pull" in str(caught.value)


@pytest.fixture
def other_release(client, tmpdir):
    """The image under another name, as of another release; what its label says, and what the package says."""
    tmpdir.join("Dockerfile").write("FROM %s\nLABEL org.opencontainers.image.version=0.0.9\n" % IMAGE)
    image, _ = client.images.build(path=str(tmpdir), tag="sipbridge-selftest-old:runtime", rm=True)
    yield "sipbridge-selftest-old:runtime"
    client.images.remove(image.id, force=True)


def test_an_image_of_another_release(make_phone, other_release):
    with pytest.raises(sipbridge.EngineError) as caught:
        make_phone(image=other_release)
    assert "sipbridge 0.0.9" in str(caught.value) and sipbridge.__version__ in str(caught.value)


@pytest.fixture
def registry(tmpdir):
    """The address of a registry, Debian's docker-registry, which the daemon may use without TLS: it is on 127.0.0.1."""
    address = "127.0.0.1:%d" % free_port()
    settings = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(tmpdir.join("registry"))}},
        "http": {"addr": address},
    }
    tmpdir.join("registry.yml").write(json.dumps(settings))
    with open(str(tmpdir.join("registry.log")), "w") as output:
        command = ["docker-registry", "serve", str(tmpdir.join("registry.yml"))]
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        host, _, port = address.partition(":")
        assert wait_until(lambda: not socket.socket().connect_ex((host, int(port))))
        yield address
    finally:
        process.terminate()
        process.wait(10.0)


@pytest.fixture
def pushed(client, registry):
    """An image that the registry has and the daemon has no more: its name, and its name by digest. It is small, and of
    another release: so a Container is refused once the image is there.
    """
    name = registry + "/telephony/sipbridge"
    label = "LABEL org.opencontainers.image.version=0.0.9"
    client.api.import_image_from_data(b"\0" * 10240, repository=name, tag="runtime", changes=[label])
    (digest,) = [
        line["aux"]["Digest"]
        for line in client.api.push(name, "runtime", stream=True, decode=True)
        if "Digest" in line.get("aux", {})
    ]
    client.images.remove(name + ":runtime", force=True)
    yield {"name": name + ":runtime", "digest": name + "@" + digest}
    for image in client.images.list(name):
        client.images.remove(image.id, force=True)


@pytest.mark.parametrize("kind", ["name", "digest"])
def test_an_image_is_fetched(make_phone, pushed, kind, caplog):
    """The log tells how it goes on."""
    image = pushed[kind]
    with pytest.raises(sipbridge.EngineError) as caught:
        make_phone(image=image)
    assert "there is no image %s" % image in str(caught.value)
    with caplog.at_level("INFO", "sipbridge"), pytest.raises(sipbridge.EngineError) as caught:
        make_phone(image=image, pull=True)
    assert "has sipbridge 0.0.9" in str(caught.value)
    assert "fetching the image %s" % image in caplog.messages
    assert [each for each in caplog.messages if each.endswith(": Pull complete")]


def test_an_image_that_the_registry_lacks(make_phone, registry):
    image = registry + "/nonesuch:runtime"
    with pytest.raises(sipbridge.EngineError) as caught:
        make_phone(image=image, pull=True)
    assert str(caught.value).startswith("cannot fetch the image %s: " % image)


def test_an_image_that_is_none_of_sipbridge(client, make_phone, caplog):
    (base,) = client.images.list(filters={"reference": "sipbridge-standin-debian:bullseye"})[:1]
    with pytest.raises(sipbridge.EngineLost) as caught:
        make_phone(image=base.id)
    assert "cannot be started" in str(caught.value) or "did not say why" in str(caught.value)


def test_an_engine_that_the_image_lacks(make_phone):
    with pytest.raises(sipbridge.EngineError) as caught:
        make_phone(engine="sofia")
    assert "the sofia engine cannot be loaded" in str(caught.value)


def test_the_example_of_places_md(tmpdir):
    example = _start("places.md", str(tmpdir), number=2, replaced=("sipbridge:runtime", IMAGE))
    try:
        assert example.wait(60.0) == 0, example.output()
        assert example.output() == "exosip\n"
    finally:
        example.stop()


def test_it_is_opened_once(phone):
    with pytest.raises(sipbridge.EngineError):
        phone.endpoint._engine.open("udp", "127.0.0.1", 0)
