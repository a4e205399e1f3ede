"""Four engines behind Kamailio for the tests of a file, and others for tests that ask for them."""

from __future__ import absolute_import, division, print_function

import pytest

from fleet.running import Fleet
from peers import certificates
from peers.fleet import Supervised
from peers.kamailio import require_module
from peers.process import MissingPeer, require


@pytest.fixture(scope="session", autouse=True)
def installed():
    """Fails everything when a peer is missing; nothing is installed from here."""
    try:
        for program in ("kamailio", "kamcmd", "openssl"):
            require(program)
        require_module("tls.so", "kamailio-tls-modules")
    except MissingPeer as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def pem(tmpdir_factory):
    return certificates.make(str(tmpdir_factory.mktemp("certificates")))


@pytest.fixture
def make_fleet(tmpdir, request):
    """Makes a Fleet with so many engines; options of configure()."""
    fleets = []

    def make(count, **options):
        fleets.append(Fleet(str(tmpdir), count, **options))
        return fleets[-1]

    yield make
    for fleet in fleets:
        fleet.stop()


@pytest.fixture
def make_supervised():
    """Makes a Supervised with so many engines."""
    made = []

    def make(count):
        made.append(Supervised(count))
        return made[-1]

    yield make
    for each in made:
        each.close()
