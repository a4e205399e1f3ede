"""The endpoint calls two parties and connects them (RFC 3725, flows I and IV)."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.call.legs import description, origin_of, port_of
from sipbridge import sdp


def begin(phone, first, second, **options):
    return phone.endpoint.begin_click_to_call(first.peer.uri, second.peer.uri, **options)


def no_media(session=5):
    return b"v=0\r\no=peer %d 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" % session


def is_over(phone, bridge, cause, status):
    bridge.wait_ended(10.0)
    assert (bridge.cause, bridge.status, phone.endpoint.calls) == (cause, status, ())
    phone.wait("bridge ended %d" % status)


# -- flow IV -----------------------------------------------------------------------------------------------------


def test_flow_iv(phone, first, second):
    """The messages of RFC 3725, 4.4: an offer without media, an INVITE without an offer, a re-INVITE, two ACKs."""
    bridge = begin(phone, first, second, first_from=second.peer.uri, second_from=first.peer.uri)
    invite = first.ringing()
    assert (sdp.parse(invite.body).media, bridge.second) == ((), None)
    assert invite["From"].startswith("<%s>" % second.peer.uri)
    first.answer(no_media())
    first.peer.next("ACK")
    assert not second.ringing().body
    assert second.invite["From"].startswith("<%s>" % first.peer.uri)
    second.answer(description(6000))
    request = first.reinvited(description(5000))
    ours = origin_of(invite.body)
    assert origin_of(request.body) == ours._replace(version=ours.version + 1)
    assert port_of(request.body) == 6000
    assert port_of(second.peer.next("ACK").body) == 5000
    assert not first.peer.next("ACK").body
    bridge.wait_connected(10.0)
    phone.wait("bridge connected 0")
    second.send("BYE")
    assert first.ended() == 'Q.850;cause=16;text="Normal call clearing"'
    is_over(phone, bridge, "remote-bye", 200)


def test_flow_iv_with_an_offer_of_the_programs(phone, first, second):
    """For phones that refuse an offer without media: a black hole, whose m= line the later offers keep."""
    hole = description(9, "inactive", session=1)
    bridge = begin(phone, first, second, offer=hole)
    assert first.answered(description(5000)) and first.invite.body == hole
    second.ringing()
    second.answer(description(6000))
    assert port_of(first.reinvited(description(5000)).body) == 6000
    bridge.wait_connected(10.0)


def test_the_first_party_refuses(phone, first, second):
    bridge = begin(phone, first, second)
    first.ringing()
    first.reply(first.invite, 486)
    with pytest.raises(sipbridge.ResponseError) as caught:
        bridge.wait_connected(10.0)
    assert (caught.value.status, caught.value.call) == (486, bridge.first)
    assert (bridge.second, second.peer.take(0.2)) == (None, None)
    is_over(phone, bridge, "rejected", 486)


@pytest.mark.parametrize("flow", ["I", "IV"])
def test_the_second_party_refuses(phone, first, second, flow):
    bridge = begin(phone, first, second, flow=flow)
    first.ringing()
    first.answer(description(5000) if flow == "I" else no_media())
    second.ringing()
    second.reply(second.invite, 603)
    ack = first.peer.next("ACK")
    if flow == "I":
        assert port_of(ack.body) == 0
    assert first.ended().startswith("SIP;cause=603")
    with pytest.raises(sipbridge.ResponseError) as caught:
        bridge.wait_connected(10.0)
    assert (caught.value.status, caught.value.call) == (603, bridge.second)
    is_over(phone, bridge, "rejected", 603)


@pytest.mark.parametrize("flow", ["I", "IV"])
def test_the_first_party_hangs_up_while_the_second_rings(phone, first, second, flow):
    bridge = begin(phone, first, second, flow=flow)
    first.ringing()
    first.answer(description(5000) if flow == "I" else no_media())
    if flow == "IV":
        first.peer.next("ACK")
    second.ringing()
    first.send("BYE")
    first.peer.next("200")
    second.reply(second.peer.next("CANCEL"), 200)
    second.reply(second.invite, 487)
    with pytest.raises(sipbridge.CallStateError):
        bridge.wait_connected(10.0)
    is_over(phone, bridge, "remote-bye", 200)


def test_the_program_hangs_up_while_the_first_party_rings(phone, first, second):
    bridge = begin(phone, first, second)
    first.ringing()
    phone.wait("progress 180")
    bridge.hangup()
    first.reply(first.peer.next("CANCEL"), 200)
    first.reply(first.invite, 487)
    with pytest.raises(sipbridge.CallStateError):
        bridge.wait_connected(10.0)
    is_over(phone, bridge, "local-bye", 200)
    bridge.hangup()  # of a bridge that has ended it does nothing


def test_the_first_party_hangs_up_before_it_answers_the_offer(phone, first, second):
    """The second party, whose 2xx waits, gets its ACK before the BYE."""
    bridge = begin(phone, first, second)
    first.ringing()
    first.answer(no_media())
    first.peer.next("ACK")
    second.ringing()
    second.answer(description(6000))
    first.peer.next("INVITE")
    first.send("BYE")
    assert port_of(second.peer.next("ACK").body) == 0
    second.ended()
    is_over(phone, bridge, "remote-bye", 200)


def test_the_second_party_hangs_up_before_it_has_its_ack(phone, first, second):
    bridge = begin(phone, first, second)
    first.ringing()
    first.answer(no_media())
    first.peer.next("ACK")
    second.ringing()
    second.answer(description(6000))
    first.peer.next("INVITE")
    second.send("BYE")
    assert first.ended()
    is_over(phone, bridge, "remote-bye", 200)


def test_a_reinvite_of_the_first_party_before_there_is_a_second(phone, first, second):
    """It crosses the offer that it is about to get: 491."""
    bridge = begin(phone, first, second)
    first.ringing()
    first.answer(no_media())
    first.peer.next("ACK")
    second.ringing()
    first.refused(first.reinvite(description(5050)), 491)
    second.answer(description(6000))
    first.reinvited(description(5000))
    bridge.wait_connected(10.0)


# -- flow I ------------------------------------------------------------------------------------------------------


def test_flow_i(phone, first, second):
    """The messages of RFC 3725, 4.1: an INVITE without an offer, its answer to the second, whose answer in the ACK."""
    bridge = begin(phone, first, second, flow="I")
    assert not first.ringing().body
    first.answer(description(5000))
    assert second.ringing().body == description(5000)
    second.answer(description(6000))
    assert first.peer.next("ACK").body == description(6000)
    assert not second.peer.next("ACK").body
    bridge.wait_connected(10.0)
    bridge.hangup(why=sipbridge.Reason("SIP", 200, "Done"))
    assert [leg.ended() for leg in (first, second)] == ['SIP;cause=200;text="Done"'] * 2
    is_over(phone, bridge, "local-bye", 200)


def test_flow_i_with_a_second_party_that_only_rings(phone, first, second):
    """The first party, which repeats its 2xx, gets its ACK and a BYE before it gives up."""
    phone.hurry(40)
    bridge = begin(phone, first, second, flow="I")
    first.ringing()
    first.answer(description(5000))
    second.ringing()
    assert port_of(first.peer.next("ACK").body) == 0
    assert first.ended() == 'SIP;cause=408;text="Request Timeout"'
    second.reply(second.peer.next("CANCEL"), 200)
    second.reply(second.invite, 487)
    with pytest.raises(sipbridge.TimeoutError) as caught:
        bridge.wait_connected(10.0)
    assert caught.value.call is bridge.second
    is_over(phone, bridge, "timeout", 408)


# -- arguments ---------------------------------------------------------------------------------------------------


def test_two_parties_in_one_call(phone, other, third):
    """click_to_call() waits until they are connected."""
    for party, port in ((other, 5000), (third, 6000)):
        party.start("phone", "take_calls", description(port)).result()
    bridge = phone.endpoint.click_to_call(other.uri, third.uri, flow="I", timeout=20.0)
    third.wait("confirmed")
    assert other.call("remote_sdp") == description(6000)
    assert third.call("remote_sdp") == description(5000)
    other.call("hangup")
    third.wait("ended remote-bye 200")
    bridge.wait_ended(10.0)


def test_nothing_is_sent_for_wrong_arguments(phone, first, second):
    for wrong in (dict(flow="II"), dict(offer=5), dict(second_from="bob"), dict(headers=5), dict(route=5)):
        with pytest.raises(sipbridge.InputError):
            begin(phone, first, second, **wrong)
    with pytest.raises(sipbridge.InputError):
        phone.endpoint.begin_click_to_call(first.peer.uri, "bob")
    assert first.peer.take(0.2) is None
