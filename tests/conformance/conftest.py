"""Peers for the conformance tests, started and stopped here.

The engine under test is what SIPBRIDGE_ENGINE names, or else the first that was built.
"""

from __future__ import absolute_import, division, print_function

import os

import pytest

import sipbridge
from conformance.background import Background
from distribution import has_workers
from peers import abilities, certificates
from peers.baresip import Baresip
from peers.endpoint_process import RemotePhone
from peers.kamailio import Kamailio, require_module
from peers.phone import engine_under_test
from peers.ports import free_port
from peers.process import MissingPeer, require
from peers.sipp import Sipp

#: The users that Kamailio knows, with their passwords.
USERS = {"alice": "wonder-land", "bob": "builder"}

#: Seconds after which Kamailio calls a nonce stale: shorter than a run, longer than a registration takes.
NONCE_SECONDS = 3


def pytest_configure(config):
    config.addinivalue_line("markers", "tcp: needs endpoints on TCP, as those with such an address for a parameter do")


def pytest_runtest_setup(item):
    values = item.callspec.params.values() if hasattr(item, "callspec") else ()
    over_tcp = any(isinstance(value, str) and (value == "tcp" or value.startswith("tcp://")) for value in values)
    if (over_tcp or item.get_closest_marker("tcp") is not None) and not abilities.has_tcp():
        pytest.skip(abilities.NO_TCP)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show what the peers logged where a test failed, and leave their names in the JUnit file."""
    names = sorted(set(name for name, _ in _peers_of(item)))
    if call.when == "teardown" and names:
        item.user_properties.append(("peers", ", ".join(names)))
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for name, peer in _peers_of(item):
            report.sections.append((name, peer.report()))


def _peers_of(node):
    """The peers of a test, with their names: what to show when it fails."""
    if not hasattr(node, "sipbridge_peers"):
        node.sipbridge_peers = []
    return node.sipbridge_peers


@pytest.fixture(scope="session", autouse=True)
def installed(request):
    """Fails everything when a peer that the selected tests need is missing; nothing is installed from here."""
    programs = ["sipp"]
    if any("conformance/test_record" in item.nodeid for item in request.session.items):
        programs.append("tshark")
    if any("conformance/examples/test_media" in item.nodeid for item in request.session.items):
        programs.append("ffmpeg")
    if any(set(item.fixturenames) & {"kamailio", "kamailio_sha256"} for item in request.session.items):
        programs += ["kamailio", "kamcmd"]
    if any("conformance/peers/test_prometheus" in item.nodeid for item in request.session.items):
        programs += ["prometheus", "promtool"]
    if any("make_baresip" in item.fixturenames for item in request.session.items):
        programs.append("baresip")
    try:
        for program in programs:
            require(program)
        if "kamailio" in programs:
            require_module("presence.so", "kamailio-presence-modules")
    except MissingPeer as missing:
        pytest.fail(str(missing), pytrace=False)


class _Starter(object):
    """Keeps the peers of one test; :meth:`stop` ends them in the opposite order."""

    def __init__(self, node, folder):
        self._folder = folder
        self._node = node
        self._peers = []

    def folder(self):
        """A new folder for the files of a peer."""
        return str(self._folder.mkdir("peer%d" % len(self._peers)))

    def keep(self, name, peer):
        self._peers.append(peer)
        _peers_of(self._node).append((name, peer))
        return peer

    def stop(self):
        for peer in reversed(self._peers):
            peer.stop()


@pytest.fixture
def starter(request, tmpdir):
    starting = _Starter(request.node, tmpdir)
    yield starting
    starting.stop()


@pytest.fixture
def make_endpoint():
    """Makes endpoints; on libeXosip2 each in a process of its own."""
    made = []

    def make(address, **options):
        engine = engine_under_test()
        if engine is None and os.environ.get("SIPBRIDGE_ENGINE") == "exosip":
            engine = sipbridge.Worker()
        made.append(sipbridge.Endpoint(address, engine=engine, **options))
        return made[-1]

    yield make
    for endpoint in made:
        endpoint.close()


@pytest.fixture
def phone(make_phone):
    """An endpoint of our own, in this process."""
    return make_phone(identity="sip:alice@sipbridge.test")


@pytest.fixture
def plain():
    """An endpoint of our own, in this process, that has no handlers."""
    address = "udp://127.0.0.1:%d" % free_port()
    with sipbridge.Endpoint(address, identity="sip:alice@sipbridge.test", engine=engine_under_test()) as endpoint:
        yield endpoint


@pytest.fixture
def other(starter):
    """Another endpoint of our own; in another process, since libeXosip2 allows one in each."""
    return starter.keep("other endpoint", RemotePhone(starter.folder(), identity="sip:bob@sipbridge.test"))


@pytest.fixture
def third(starter):
    """One more endpoint of our own."""
    return starter.keep("third endpoint", RemotePhone(starter.folder(), identity="sip:carol@sipbridge.test"))


@pytest.fixture
def sipp(starter):
    """Starts sipp with a scenario: ``sipp(Callee()...)``, ``sipp(Caller()..., "host:port")``."""

    def start(scenario, remote=None, **options):
        return starter.keep("sipp", Sipp(scenario, starter.folder(), remote, **options))

    return start


@pytest.fixture
def make_baresip(starter):
    """Starts baresip, with arguments of peers.baresip.Baresip."""

    def make(*args, **kwargs):
        return starter.keep("baresip", Baresip(starter.folder(), *args, **kwargs))

    return make


@pytest.fixture(scope="session")
def pem(tmpdir_factory):
    """Certificates: a folder of files, as peers.certificates makes them."""
    return certificates.make(str(tmpdir_factory.mktemp("pem")))


@pytest.fixture(scope="session")
def _kamailio(installed):
    server = Kamailio(USERS, NONCE_SECONDS)
    yield server
    server.stop()


@pytest.fixture
def kamailio(_kamailio, request):
    """Kamailio with the users of USERS."""
    _peers_of(request.node).append(("kamailio", _kamailio))
    return _kamailio


@pytest.fixture
def alice(phone, kamailio):
    """Our endpoint, with the credentials that Kamailio asks for."""
    phone.endpoint.add_credentials("alice", USERS["alice"], realm=kamailio.domain)
    return phone


@pytest.fixture
def kamailio_sha256(starter):
    """One that asks for a digest by SHA-256 (RFC 8760)."""
    return starter.keep("kamailio", Kamailio(USERS, NONCE_SECONDS, "SHA-256"))


@pytest.fixture(scope="session")
def background(installed, tmpdir_factory):
    """What waits for SIP's long timers, all at the same time."""
    flows = Background(tmpdir_factory)
    yield flows
    flows.stop()


@pytest.fixture(scope="session", autouse=True)
def _begun_early(request):
    """Without workers the flows begin when the run does, where a selected test asks for them."""
    if not has_workers(request.config) and any("background" in item.fixturenames for item in request.session.items):
        request.getfixturevalue("background")
