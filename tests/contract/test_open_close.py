"""Opening, closing, and what a second one, a wrong one or a late one gets."""

from __future__ import absolute_import, division, print_function

import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from contract.leftovers import Leftovers
from peers.ports import HOST, free_port


@pytest.fixture
def taken():
    """A UDP port that somebody has."""
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    holder.bind((HOST, 0))
    yield holder.getsockname()[1]
    holder.close()


def test_name_and_version(raw):
    assert raw.ffi.string(raw.lib.sb_engine_name()).decode("ascii") == raw.name
    assert raw.ffi.string(raw.lib.sb_engine_version()).decode("ascii")[0].isdigit()


def test_the_port_is_told(raw, engine, port, peer):
    assert 0 < port < 65536
    raw.request(engine, "MESSAGE", peer.uri)
    assert ":%d;" % port in peer.next("MESSAGE")["Via"]


def test_an_engine_opens_a_given_port(raw):
    wanted = free_port()
    engine = raw.open(port=wanted)
    assert engine > 0 and raw.lib.sb_port(engine) == wanted
    assert raw.lib.sb_close(engine, 0) == 0


def test_a_port_in_use(raw, taken):
    assert raw.open(port=taken) == raw.lib.SB_EADDRINUSE
    engine = raw.open()  # nothing is left of the attempt
    assert engine > 0
    assert raw.lib.sb_close(engine, 0) == 0


def test_a_port_whose_owner_would_share_it(raw):
    """With SO_REUSEADDR two sockets can have one UDP port, and only the last one gets what arrives."""
    owner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    owner.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    owner.bind(("127.0.0.1", 0))
    assert raw.open(port=owner.getsockname()[1]) == raw.lib.SB_EADDRINUSE
    owner.close()


#: Opens an engine, sends a request to where there is no way, and closes it.
_SAYS_NOTHING = """
import sipbridge
with sipbridge.Endpoint("udp://127.0.0.1:0") as endpoint:
    try:
        endpoint.message("sip:bob@192.0.2.1", u"hello", timeout=20.0)
    except sipbridge.SipbridgeError:
        pass
"""


def test_nothing_is_written_to_standard_output():
    """It is the program's."""
    assert subprocess.check_output([sys.executable, "-W", "ignore", "-c", _SAYS_NOTHING]) == b""


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours(raw, host):
    assert raw.open(host=host) == raw.lib.SB_ENET


def test_a_malformed_port_is_refused(raw):
    for port in (-1, 65536, 2 ** 31 - 1, -(2 ** 31)):
        assert raw.open(port=port) == raw.lib.SB_EINVAL


@pytest.mark.parametrize("host", [None, "", "127.0.0.1\r\n", "127.0.0.1 ", "<127.0.0.1>", "a;b", "a@b", "a/b", "a?b"])
def test_a_malformed_host_is_refused(raw, host):
    assert raw.open(host=host) == raw.lib.SB_EINVAL


@pytest.mark.parametrize(
    "host", ["", "127.0.0.1>", "a;b", "a@b", "a/b", "a b", "a,b", "a?b", "a%0D%0Ab", "a\\b", "-a", "a..b"]
)
def test_a_malformed_advertised_host_is_refused(raw, host):
    assert raw.open(advertised_host=host) == raw.lib.SB_EINVAL


@pytest.mark.parametrize(
    "field", ["advertised_host", "user_agent", "outbound_proxy", "tls_certificate", "tls_private_key", "tls_ca"]
)
def test_fields_with_line_breaks_or_too_long(raw, field):
    assert raw.open(**{field: "a\r\nEvil: 1"}) == raw.lib.SB_EINVAL
    long = "sip:" + "x" * (raw.lib.SB_MAX_STRING + 1)
    assert raw.open(**{field: long}) == raw.lib.SB_ETOOBIG


def test_a_missing_config_and_an_unknown_transport_are_refused(raw):
    assert raw.lib.sb_open(raw.ffi.NULL) == raw.lib.SB_EINVAL
    for transport in (-1, 4, 2 ** 31 - 1):
        assert raw.open(transport=transport) == raw.lib.SB_EINVAL


def test_a_second_engine(raw, engine):
    """libeXosip2 has one stack per process and says so; others open as many as there are ports."""
    second = raw.open()
    if raw.name == "exosip":
        assert second == raw.lib.SB_EBUSY
    else:
        assert second > engine
        assert raw.lib.sb_port(second) != raw.lib.sb_port(engine)
        assert raw.lib.sb_close(second, 0) == 0
    assert raw.lib.sb_port(engine) > 0


def test_a_second_close_is_an_error(raw):
    engine = raw.open()
    assert [raw.lib.sb_close(engine, 0) for _ in range(2)] == [0, raw.lib.SB_ECLOSED]


@pytest.mark.parametrize("engine", [0, -1, 10 ** 6])
def test_an_unknown_engine_cannot_be_closed(raw, engine):
    lib, closed = raw.lib, raw.lib.SB_ECLOSED
    assert lib.sb_close(engine, 0) == lib.sb_drain(engine) == lib.sb_port(engine) == lib.sb_fd(engine) == closed
    assert lib.sb_ping(engine) == lib.sb_backlog(engine) == closed
    assert raw.wait(engine, 0) == closed
    assert lib.sb_credentials(engine, raw.ffi.NULL, raw.text("user"), raw.text("password")) == closed
    assert lib.sb_credentials_clear(engine) == closed
    assert raw.call(engine, "sip:bob@127.0.0.1") == closed
    assert raw.request(engine, "MESSAGE", "sip:bob@127.0.0.1") == closed
    assert raw.register(engine, "sip:127.0.0.1", "sip:bob@127.0.0.1") == closed


def test_each_function_fails_after_the_close(raw, peer):
    engine = raw.open()
    raw.lib.sb_close(engine, 0)
    test_an_unknown_engine_cannot_be_closed(raw, engine)


def test_the_port_is_free_after_the_close(raw):
    engine = raw.open()
    port = raw.lib.sb_port(engine)
    raw.lib.sb_close(engine, 0)
    again = raw.open(port=port)
    assert again > engine and raw.lib.sb_port(again) == port
    raw.lib.sb_close(again, 0)


def test_close_says_bye_and_cancels(raw, peer):
    """It ends what is up and waits for the answers, but not for longer than it may."""
    engine, lib = raw.open(), raw.lib
    call = raw.call(engine, peer.uri)
    peer.reply(peer.next("INVITE"), 200)
    assert raw.wait(engine).type == lib.SB_EV_CALL_ANSWERED
    assert lib.sb_call_ack(engine, call, raw.ffi.NULL) == 0
    assert raw.call(engine, peer.uri) > 0
    peer.reply(peer.next("INVITE"), 180)
    assert raw.wait(engine).type == lib.SB_EV_CALL_PROGRESS
    before = time.time()
    assert lib.sb_close(engine, 300) == 0
    assert time.time() - before < 10
    assert peer.next("BYE")["CSeq"].endswith(" BYE")
    assert peer.next("CANCEL")["CSeq"].endswith(" CANCEL")


def test_close_with_events_unread(raw, peer):
    engine = raw.open()
    for _ in range(5):
        peer.request(raw.lib.sb_port(engine), "MESSAGE", [("Content-Type", "text/plain")], b"unread")
    assert raw.wait(engine).body == b"unread"
    assert raw.lib.sb_close(engine, 0) == 0


def test_opened_and_closed_fifty_times(raw):
    """Descriptors and threads are back where they were."""
    raw.lib.sb_close(raw.open(), 0)  # what the library sets up once
    before = Leftovers()
    for _ in range(50):
        engine = raw.open()
        assert engine > 0, raw.error_text(engine)
        assert raw.lib.sb_close(engine, 0) == 0
    before.check()


def test_a_failed_open_leaves_nothing_behind(raw, taken):
    raw.open(port=taken)
    before = Leftovers()
    for _ in range(20):
        assert raw.open(port=taken) == raw.lib.SB_EADDRINUSE
        assert raw.open(host="192.0.2.1") == raw.lib.SB_ENET
    before.check()


def test_descriptors_beyond_what_select_takes(raw):
    """libeXosip2 waits with select(), which a descriptor of 1024 or more corrupts: the engine refuses."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] != resource.RLIM_INFINITY and limits[1] < 1200:
        pytest.skip("this process may not open 1,200 descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], 1200), limits[1]))
    spare = [os.open(os.devnull, os.O_RDONLY)]
    try:
        while spare[-1] < 1100:
            spare.append(os.dup(spare[0]))
        engine = raw.open()
        if raw.name == "exosip":
            assert engine == raw.lib.SB_ENOMEM
        else:
            assert engine > 0
            assert raw.lib.sb_close(engine, 0) == 0
    finally:
        for each in spare:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_several_threads_close_at_once(raw):
    engine, codes = raw.open(), []
    threads = [threading.Thread(target=lambda: codes.append(raw.lib.sb_close(engine, 0))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(codes) == [raw.lib.SB_ECLOSED] * 7 + [0]
