"""What stays of a password in the memory of a process whose engine has no more use for it: nothing."""

from __future__ import absolute_import, division, print_function

import hashlib
import sys

import pytest

from contract.raw import Raw
from double.flows import Answering
from memory.driver import OPTIMIZED, alone, build

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/PID/mem")

#: As long as libeXosip2 takes.
FIRST, SECOND, THIRD = [hashlib.sha256(name).hexdigest()[:46] for name in (b"first", b"second", b"third")]

#: How much of its end is looked for: an allocator writes over the begin of what was given back.
TAIL = 22
REALM = "sipbridge.test"


@pytest.fixture(scope="module")
def program():
    return build(OPTIMIZED)


@pytest.fixture
def driver(program, tmpdir):
    """As it is, with the shield where the library needs one."""
    driven = alone(program, str(tmpdir.join("complaints")))
    yield driven
    driven.finish()


def _is_in_memory(driver, password):
    """Whether it is anywhere that the process can write to: its heap, its stacks, its data."""
    wanted = password[-TAIL:].encode("ascii")
    with open("/proc/%d/maps" % driver.pid) as maps, open("/proc/%d/mem" % driver.pid, "rb", 0) as memory:
        for line in maps:
            place, rights = line.split()[:2]
            if not rights.startswith("rw") or "[v" in line:
                continue
            start, end = [int(each, 16) for each in place.split("-")]
            memory.seek(start)
            if wanted in memory.read(end - start):
                return True
    return False


def _settled(driver, engine, handle, *types):
    """Wait for an event about this."""
    while True:
        event = driver.wait(engine)
        assert event != 0
        if event.type in types and handle in (event.call, event.registration, event.transaction):
            return event


def _challenge(algorithm):
    more = ", algorithm=SHA-256" if algorithm == "SHA-256" else ""
    return [("WWW-Authenticate", 'Digest realm="%s", nonce="one", qop="auth"%s' % (REALM, more))]


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_passwords_are_wiped(driver, algorithm):
    """When another takes its place, when all are cleared, and when the engine is closed; what answers challenges in
    dialogs that go on, too."""
    if algorithm == "SHA-256" and Raw().name != "sofia":
        pytest.skip("libeXosip2 3.6 knows MD5 alone")
    lib, engine = driver.lib, driver.open()
    challenge = _challenge(algorithm)

    def tell(password):
        assert driver.perform("sb_credentials", engine, REALM, "peer", password) == 0
        assert _is_in_memory(driver, password)

    with Answering(challenge=challenge, INVITE=[401, 200], REGISTER=[401, 200], MESSAGE=[401, 200]) as peer:
        tell(FIRST)
        registration = driver.register(engine, peer.uri, peer.uri)
        assert _settled(driver, engine, registration, lib.SB_EV_REGISTRATION).status == 200
        call = driver.call(engine, peer.uri, from_=peer.uri)
        _settled(driver, engine, call, lib.SB_EV_CALL_ANSWERED)
        assert driver.perform("sb_call_ack", engine, call, None) == 0
        tell(SECOND)
        assert not _is_in_memory(driver, FIRST)
        assert driver.perform("sb_register_refresh", engine, registration, 60) == 0
        assert _settled(driver, engine, registration, lib.SB_EV_REGISTRATION).status == 200
        assert driver.perform("sb_credentials_clear", engine) == 0
        assert not _is_in_memory(driver, SECOND)
        tell(THIRD)
        message = driver.request(engine, "MESSAGE", peer.uri)
        assert _settled(driver, engine, message, lib.SB_EV_RESPONSE).status in (200, 401)
        assert driver.perform("sb_close", engine, 500) == 0
        assert not _is_in_memory(driver, THIRD)
