"""Transports other than UDP over IPv4 (RFC 3261, 18 and 26): TCP, TLS, IPv6, on both sides of a call."""

from __future__ import absolute_import, division, print_function

import contextlib
import errno
import os
import socket
import ssl
import threading

import pytest

import sipbridge
from conformance.sdp import ANSWER, HELD, HOLD, OFFER
from peers import abilities
from peers.phone import engine_under_test
from peers.ports import free_port
from peers.scenario import Callee, Caller
from peers.waiting import wait_until
from peers.wire import Message

_OTHERS = pytest.mark.parametrize("address", ["tcp://127.0.0.1:0", "udp://[::1]:0", "tcp://[::1]:0"])

LARGE = b"v=0\r\n" + b"a=x-%s:1\r\n" % (b"y" * 90) * 300


def _endpoint(make_endpoint, address, **options):
    """An endpoint, or a skipped test where this engine does not offer the transport."""
    try:
        return make_endpoint(address, **options)
    except sipbridge.NotSupportedError:
        assert address.startswith("tls:")
        pytest.skip(abilities.NO_TLS)


def _complete_call(caller, callee, offer=OFFER):
    """Place a call with INFO, hold and a message; returns the IncomingCall."""
    arrived, texts = [], []
    callee.on(sipbridge.IncomingCall, lambda event: (arrived.append(event), event.call.answer(ANSWER)))
    callee.on(sipbridge.MessageReceived, lambda event: texts.append(event.text))
    call = caller.call(callee.uri, offer, timeout=10.0)
    assert call.remote_sdp == ANSWER
    call.send_dtmf("5", timeout=10.0)
    caller.message(callee.uri, u"hello", timeout=10.0)
    call.hangup()
    assert call.wait_ended(10.0).cause == "local-bye"
    assert arrived[0].call.wait_ended(10.0).cause == "remote-bye"
    assert texts == [u"hello"]
    return arrived[0]


@_OTHERS
def test_a_call(make_endpoint, address):
    callee = _endpoint(make_endpoint, address)
    event = _complete_call(_endpoint(make_endpoint, address), callee)
    assert event.headers["Via"].split()[0] == "SIP/2.0/" + address[:3].upper()
    host = "[::1]" if "[" in address else "127.0.0.1"
    assert "sip:%s:" % host in event.headers["Contact"]


def _of_sipp(address):
    """Options of a sipp on the same transport."""
    return {"transport": address[:3], "host": "::1" if "[" in address else "127.0.0.1"}


@_OTHERS
def test_sipp_calls(make_endpoint, sipp, address):
    """Hold and BYE go where the Contacts say, over the connection that is there."""
    phone = _endpoint(make_endpoint, address)
    arrived = []

    def take(event):
        arrived.append(event)
        event.call.ring()
        event.call.answer(ANSWER)

    phone.on(sipbridge.IncomingCall, take)
    peer = sipp(
        Caller()
        .initial("INVITE", OFFER).expect(180).expect(200).ack()
        .recv("INVITE").reply(200, HELD).recv("ACK")
        .request("BYE").expect(200),
        phone.uri[4:].partition(";")[0],
        **_of_sipp(address)
    )  # fmt: skip
    peer.wait_for("200")
    call = arrived[0].call
    call.wait_established(10.0)
    assert call.reinvite(HOLD, timeout=10.0).body == HELD
    assert call.wait_ended(10.0).cause == "remote-bye"
    peer.wait()
    ok = peer.received("200")[0]
    assert ok["Contact"].lower().replace("callee@", "") == "<%s>" % phone.uri
    assert ok["Via"].startswith("SIP/2.0/" + address[:3].upper())
    via = peer.received("INVITE")[0]["Via"]
    assert via.split()[0] == "SIP/2.0/" + address[:3].upper() and "%d;" % phone.port in via


@_OTHERS
def test_sipp_is_called(make_endpoint, sipp, address):
    phone = _endpoint(make_endpoint, address)
    peer = sipp(
        Callee().recv("INVITE").reply(180).reply(200, ANSWER).recv("ACK").recv("INFO").reply(200)
        .request("BYE").expect(200),
        **_of_sipp(address)
    )  # fmt: skip
    call = phone.call(peer.uri, OFFER, timeout=10.0)
    call.send_dtmf("5", timeout=10.0)
    assert call.wait_ended(10.0).cause == "remote-bye"
    peer.wait()
    invite = peer.received("INVITE")[0]
    assert invite.start_line == "INVITE %s SIP/2.0" % peer.uri
    assert "<%s>" % peer.uri in invite["To"]
    assert "%d" % phone.port in invite["Contact"]


@_OTHERS
def test_sipp_is_the_registrar(make_endpoint, sipp, address):
    phone = _endpoint(make_endpoint, address)
    challenge = ("WWW-Authenticate", 'Digest realm="sipbridge.test", nonce="one", qop="auth"')
    peer = sipp(
        Callee().recv("REGISTER").reply(401, headers=[challenge])
        .recv_with_digest("REGISTER", "alice", "wonder-land").reply(200)
        .recv("REGISTER").reply(200),
        **_of_sipp(address)
    )  # fmt: skip
    phone.add_credentials("alice", "wonder-land")
    registration = phone.register(peer.uri.replace("callee@", ""), aor="sip:alice@sipbridge.test", timeout=10.0)
    registration.unregister()
    peer.wait()
    contact = peer.received("REGISTER")[0]["Contact"].lower()
    assert phone.uri.partition("sip:")[2] in contact


@_OTHERS
def test_an_advertised_ipv6_address(make_endpoint, sipp, address):
    """In Contact, in brackets, however it was written."""
    phone = _endpoint(make_endpoint, address, advertised="[2001:db8::7]:5099")
    transport = "" if address.startswith("udp") else ";transport=tcp"
    assert phone.uri == "sip:[2001:db8::7]:5099" + transport
    peer = sipp(Caller().initial("INVITE", OFFER).expect(480).ack_refusal(), phone.address.partition("://")[2],
                **_of_sipp(address))  # fmt: skip
    peer.wait()
    peer = sipp(Callee().recv("INVITE").reply(200, ANSWER).recv("ACK").recv("BYE").reply(200), **_of_sipp(address))
    phone.call(peer.uri, OFFER, timeout=10.0).hangup()
    peer.wait()
    assert "[2001:db8::7]:5099" in peer.received("INVITE")[0]["Contact"]


def _listener(address):
    """A socket to be called on the transport of an endpoint's address."""
    family = socket.AF_INET6 if "[" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM if address.startswith("tcp") else socket.SOCK_DGRAM)
    listener.bind(("::1" if "[" in address else "127.0.0.1", 0))
    listener.settimeout(10.0)
    if address.startswith("tcp"):
        listener.listen(1)
    return listener


@pytest.mark.ipv6
def test_endpoints_of_each_transport_one_after_the_other():
    """libeXosip2 keeps its transport and its family in static variables."""
    addresses = ["udp://127.0.0.1:0", "tcp://[::1]:0", "udp://[::1]:0", "tcp://127.0.0.1:0"]
    if not abilities.has_tcp():
        addresses = addresses[::2]
    for address in addresses + addresses[:1]:
        listener = _listener(address)
        with sipbridge.Endpoint(address, engine=engine_under_test()) as phone:
            with pytest.raises(sipbridge.TimeoutError):
                phone.message("%s:%d" % (phone.uri.rpartition(":")[0], listener.getsockname()[1]), u"hi", timeout=0.5)
            source = listener.accept()[0] if address.startswith("tcp") else listener
            octets = source.recv(4096).decode("ascii")
            source.close()
        listener.close()
        assert "Via: SIP/2.0/%s %s" % (address[:3].upper(), phone.address[6:]) in octets


@pytest.mark.skipif(abilities.has_tcp(), reason="this engine has TCP")
@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]"])
def test_transports_that_the_engine_does_not_offer(address):
    with pytest.raises(sipbridge.NotSupportedError) as caught:
        sipbridge.Endpoint("tcp://%s:0" % address, engine=engine_under_test())
    assert "no TCP; it has on libeXosip2 3.6, and the sofia engine has" in str(caught.value)


@pytest.mark.tcp
def test_a_tcp_port_is_free_as_soon_as_it_is_closed():
    """Connections that the first one closed are no reason to refuse the second: a service starts again."""
    with sipbridge.Endpoint("tcp://127.0.0.1:0", engine=engine_under_test()) as phone:
        peer = socket.create_connection(("127.0.0.1", phone.port), 5.0)
        peer.sendall(b"\r\n\r\n")
    try:
        assert b"".join(iter(lambda: peer.recv(100), b"")).strip() == b""  # pings may be answered, and sent
    except socket.error as error:  # where what it had not read yet is refused
        assert error.errno == errno.ECONNRESET
    with sipbridge.Endpoint(phone.address, engine=engine_under_test()) as again:
        assert again.port == phone.port
    peer.close()


@pytest.mark.tcp
def test_a_large_offer_over_tcp(make_endpoint):
    """30 kB, in many segments."""
    callee = _endpoint(make_endpoint, "tcp://127.0.0.1:0")
    assert _complete_call(_endpoint(make_endpoint, "tcp://127.0.0.1:0"), callee, LARGE).sdp == LARGE


@pytest.mark.tcp
def test_a_tcp_port_in_use(make_endpoint):
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen(1)
    port = taken.getsockname()[1]
    try:
        with pytest.raises(sipbridge.TransportError) as caught:
            _endpoint(make_endpoint, "tcp://127.0.0.1:%d" % port)
    finally:
        taken.close()
    assert str(port) in str(caught.value) and "in use" in str(caught.value)


@pytest.mark.tcp
def test_a_tcp_peer_that_does_not_listen(make_endpoint):
    caller = _endpoint(make_endpoint, "tcp://127.0.0.1:0")
    with pytest.raises(sipbridge.PeerUnreachable) as caught:
        caller.call("sip:bob@127.0.0.1:%d;transport=tcp" % free_port(), OFFER, timeout=20.0)
    assert caught.value.call.ended.cause == "unreachable"


def _answer_one(listener, contact):
    """Take one INVITE over TCP and answer it, with that Contact. The connection stays as long as the listener."""

    def run():
        connection = listener.accept()[0]
        octets = b""
        while not octets.endswith(OFFER):
            octets += connection.recv(65536)
        invite = Message(octets, True)
        lines = ["SIP/2.0 200 OK"] + ["%s: %s" % (name, invite[name]) for name in ("Via", "From", "Call-ID", "CSeq")]
        lines += ["To: %s;tag=one" % invite["To"], "Contact: <%s>" % contact, "Content-Length: 0", "", ""]
        connection.sendall("\r\n".join(lines).encode("ascii"))
        connection.settimeout(30.0)
        connection.recv(65536)

    threading.Thread(target=run).start()


@pytest.mark.tcp
def test_a_call_whose_contact_has_no_listener(make_endpoint):
    """Neither ACK nor BYE gets through: the call can be ended all the same, and says what came of it."""
    caller = _endpoint(make_endpoint, "tcp://127.0.0.1:0")
    listener = _listener("tcp://127.0.0.1:0")
    _answer_one(listener, "sip:bob@127.0.0.1:%d;transport=tcp" % free_port())
    call = caller.call("sip:bob@127.0.0.1:%d;transport=tcp" % listener.getsockname()[1], OFFER, timeout=10.0)
    call.hangup()
    ended = call.wait_ended(30.0)
    assert (ended.cause, ended.status) in (("local-bye", 503), ("failed", 503), ("local-bye", 408))
    caller.close()
    listener.close()


@pytest.mark.tcp
def test_messages_split_and_joined_on_a_stream(make_endpoint):
    """The frame is the Content-Length's, not the segment's (RFC 3261, 18.3)."""
    callee = _endpoint(make_endpoint, "tcp://127.0.0.1:0")
    texts = []
    callee.on(sipbridge.MessageReceived, lambda event: texts.append(event.text))
    peer = socket.create_connection(("127.0.0.1", callee.port), 5.0)
    peer.settimeout(10.0)
    message = (
        "MESSAGE sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK%d\r\n"
        "From: <sip:a@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: split-%d\r\nCSeq: 1 MESSAGE\r\n"
        "Max-Forwards: 70\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nab%d"
    )
    octets = "".join(message % (i, i, i) for i in range(3)).encode("ascii")
    for start in range(0, len(octets), 97):
        peer.sendall(octets[start : start + 97])
    answers = b""
    while answers.count(b"SIP/2.0 200") < 3:
        got = peer.recv(65536)
        assert got, answers
        answers += got
    peer.close()
    assert texts == [u"ab0", u"ab1", u"ab2"]


# -- TLS -----------------------------------------------------------------------------------------------------


def test_a_call_over_tls(make_endpoint, pem):
    tls = sipbridge.Tls(pem.certificate, pem.key, pem.ca)
    callee = _endpoint(make_endpoint, "tls://127.0.0.1:0", tls=tls)
    event = _complete_call(_endpoint(make_endpoint, "tls://127.0.0.1:0", tls=tls), callee)
    assert event.headers["Via"].startswith("SIP/2.0/TLS")


@pytest.mark.parametrize("scheme", ["sip", "sips"])
def test_contacts_over_tls_are_of_the_scheme_that_was_asked_for(make_endpoint, pem, scheme):
    """sips: where the dialog began with one, else sip: (RFC 3261, 12.1.1; RFC 5630, 5.1)."""
    passed = []
    tls = sipbridge.Tls(pem.certificate, pem.key, pem.ca)
    callee = _endpoint(make_endpoint, "tls://127.0.0.1:0", tls=tls)
    caller = _endpoint(make_endpoint, "tls://127.0.0.1:0", tls=tls, trace=lambda message: passed.append(message.data))
    callee.on(sipbridge.IncomingCall, lambda event: event.call.answer(ANSWER))
    call = caller.call("%s:bob@127.0.0.1:%d;transport=tls" % (scheme, callee.port), OFFER, timeout=10.0)
    call.hold(timeout=10.0)
    call.hangup()
    call.wait_ended(10.0)

    def contacts():
        return [line for data in list(passed) for line in data.split(b"\r\n") if line.startswith(b"Contact:")]

    wait_until(lambda: len(contacts()) == 4)  # of the INVITE and the re-INVITE, and in the answers to them
    assert all(each.startswith(("Contact: <%s:127" % scheme).encode("ascii")) for each in contacts())


def test_a_certificate_whose_last_line_has_no_end(make_endpoint, pem, tmpdir):
    """The key that the library wants behind it in one file still begins a line."""
    bare = tmpdir.join("bare.pem")
    bare.write(open(pem.certificate).read().rstrip("\n"))
    tls = sipbridge.Tls(str(bare), pem.key, pem.ca)
    callee = _endpoint(make_endpoint, "tls://127.0.0.1:0", tls=tls)
    _complete_call(_endpoint(make_endpoint, "tls://127.0.0.1:0", tls=tls), callee)


def _is_refused(caller, callee, reason):
    """Nothing gets through, and the error says why, long before SIP's timers would end it."""
    texts = []
    callee.on(sipbridge.MessageReceived, lambda event: texts.append(event.text))
    with pytest.raises(sipbridge.PeerUnreachable) as caught:
        caller.message(callee.uri, u"secret", timeout=10.0)
    assert reason in caught.value.reason
    with pytest.raises(sipbridge.PeerUnreachable) as caught:
        caller.call(callee.uri, OFFER, timeout=10.0)
    assert reason in caught.value.reason
    caller.add_credentials("alice", "secret")
    with pytest.raises(sipbridge.PeerUnreachable) as caught:
        caller.register(callee.uri, aor="sip:alice@example.com", timeout=10.0)
    assert reason in caught.value.reason
    with pytest.raises(sipbridge.PeerUnreachable) as caught:
        caller.subscribe(callee.uri, u"presence", timeout=10.0)
    assert reason in caught.value.reason
    assert texts == []


@pytest.mark.parametrize("address", ["tls://127.0.0.1:0", "tls://[::1]:0"])
def test_the_certificate_of_a_stranger_is_refused(make_endpoint, pem, address):
    callee = _endpoint(make_endpoint, address, tls=sipbridge.Tls(pem.strange, pem.strange_key, pem.ca))
    caller = _endpoint(make_endpoint, address, tls=sipbridge.Tls(pem.certificate, pem.key, pem.ca))
    _is_refused(caller, callee, "self")


def test_a_certificate_for_another_host_is_refused(make_endpoint, pem):
    callee = _endpoint(make_endpoint, "tls://127.0.0.1:0", tls=sipbridge.Tls(pem.other, pem.other_key, pem.ca))
    caller = _endpoint(make_endpoint, "tls://127.0.0.1:0", tls=sipbridge.Tls(pem.certificate, pem.key, pem.ca))
    _is_refused(caller, callee, "not for 127.0.0.1")


def test_without_verification_a_stranger_is_believed(make_endpoint, pem):
    callee = _endpoint(
        make_endpoint, "tls://127.0.0.1:0", tls=sipbridge.Tls(pem.strange, pem.strange_key, verify="none")
    )
    _complete_call(_endpoint(make_endpoint, "tls://127.0.0.1:0", tls=sipbridge.Tls(verify="none")), callee)


@pytest.mark.parametrize("shown", ["none", "strange", "good"])
def test_a_client_has_to_show_a_certificate(make_endpoint, pem, shown):
    server = sipbridge.Tls(pem.certificate, pem.key, pem.ca, verify="both")
    callee = _endpoint(make_endpoint, "tls://127.0.0.1:0", tls=server)
    own = {"none": (None, None), "strange": (pem.strange, pem.strange_key), "good": (pem.certificate, pem.key)}
    caller = _endpoint(make_endpoint, "tls://127.0.0.1:0", tls=sipbridge.Tls(*own[shown] + (pem.ca,)))
    if shown == "good":
        _complete_call(caller, callee)
        return
    with pytest.raises((sipbridge.PeerUnreachable, sipbridge.TimeoutError)):
        caller.message(callee.uri, u"hello", timeout=3.0)


@pytest.mark.skipif(not hasattr(ssl, "TLSVersion"), reason="Python's ssl module cannot ask for a version here")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
def test_only_tls_1_2_and_newer(make_endpoint, pem, version):
    callee = _endpoint(
        make_endpoint, "tls://127.0.0.1:0", tls=sipbridge.Tls(pem.certificate, pem.key, pem.ca)
    )
    context = getattr(ssl, "SSLContext")(ssl.PROTOCOL_TLS_CLIENT)  # noqa: B009
    context.load_verify_locations(pem.ca)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    with socket.create_connection(("127.0.0.1", callee.port), 5.0) as plain:
        if version in ("TLSv1_2", "TLSv1_3"):
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
                assert secured.version() == version.replace("_", ".")
        else:
            with pytest.raises((ssl.SSLError, OSError)):
                context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_bad_certificates_are_refused_before_anything_is_bound(pem, tmpdir):
    empty = tmpdir.join("empty.pem")
    empty.write("")
    for arguments, part in [
        ((str(tmpdir.join("none.pem")),), "none.pem"),
        ((None, pem.key), "without its certificate"),
        ((pem.certificate, pem.key, pem.ca, "perhaps"), "perhaps"),
    ]:
        with pytest.raises(sipbridge.InputError) as caught:
            sipbridge.Tls(*arguments)
        assert part in str(caught.value)
    if hasattr(ssl, "SSLContext"):
        for arguments in [(str(empty),), (pem.certificate, pem.strange_key)]:
            with pytest.raises(sipbridge.InputError) as caught:
                sipbridge.Tls(*arguments)
            assert arguments[0] in str(caught.value)
    with pytest.raises(sipbridge.InputError):
        sipbridge.Endpoint("udp://127.0.0.1:0", tls=sipbridge.Tls(verify="none"))


@pytest.mark.skipif(bool(os.environ.get("SIPBRIDGE_TEST_PLACE")), reason="the socket is in another process")
def test_room_for_a_burst(phone):
    """As much as the system allows, which by default is more than a socket gets that does not ask for it."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        path = "/proc/self/fd/" + name
        if not os.path.lexists(path) or not os.readlink(path).startswith("socket:"):
            continue
        with contextlib.closing(socket.fromfd(int(name), socket.AF_INET, socket.SOCK_DGRAM)) as copy:
            if copy.getsockname()[1:2] == (phone.endpoint.port,):
                found.append(copy.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        assert found == [asking.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)]
