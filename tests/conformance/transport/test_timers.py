"""What comes of SIP's own timers: 64*T1, 32 s. The flows run in the background from the start of the run."""

from __future__ import absolute_import, division, print_function

import pytest

from conformance.background import PATIENCE
from conformance.sdp import OFFER
from peers.endpoint_process import RemoteError

pytestmark = pytest.mark.slow("64*T1, 32 s: timers B, F, H and N of SIP")


def test_invite_to_a_silent_peer(background):
    """Timer B (RFC 3261, 17.1.1.2), to the user as a 408 (8.1.3.1)."""
    with pytest.raises(RemoteError) as caught:
        background.call.result(PATIENCE)
    assert caught.value.kind == "TimeoutError"
    background.asking.wait("ended timeout 408")


def test_other_requests_to_a_silent_peer(background):
    """Timer F (RFC 3261, 17.1.2.2)."""
    for pending in (background.message, background.registration):
        with pytest.raises(RemoteError) as caught:
            pending.result(PATIENCE)
        assert caught.value.kind == "TimeoutError"
    background.asking.wait("registration failed 408")
    assert sorted(background.asking.labels) == ["ended timeout 408", "registration failed 408"]


def test_retransmissions_to_a_silent_peer(background):
    """After 0.5, 1, 2, 4, 8 and 16 s, other requests never more than 4 s apart (RFC 3261, 17.1)."""
    for pending in (background.call, background.message, background.registration):
        with pytest.raises(RemoteError):
            pending.result(PATIENCE)
    methods = [datagram.split()[0] for datagram in background.silent.received() if datagram.strip()]
    # On a busy machine each timer is late, and the last one comes after 64*T1.
    assert methods.count(b"INVITE") in (6, 7)
    assert methods.count(b"MESSAGE") in (9, 10, 11)
    assert methods.count(b"REGISTER") in (9, 10, 11)


def test_a_call_ends_when_no_ack_comes(background):
    """200 is sent for 64*T1, and then the call is given up with a BYE (RFC 3261, 13.3.1.4)."""
    background.unacknowledged.wait("ended timeout 408", timeout=PATIENCE)
    background.caller.wait()
    background.unacknowledged.expect("incoming sdp", "ended timeout 408")
    answers = [each for each in background.caller.received("200") if each.method == "INVITE"]
    # 11 by the RFC's timers. libeXosip2 counts whole seconds: its 4 s are up to 5 and more on a busy machine, and
    # 7 fit into 64*T1 even so.
    assert 7 <= len(answers) <= 11
    assert len(set(each["To"] for each in answers)) == 1


def test_no_notify_ends_the_subscription(background):
    """A subscription that is granted, and then nothing: Timer N (RFC 6665, 4.1.2.4)."""
    background.unnotified.wait("subscription failed 408", timeout=PATIENCE)
    background.unnotified.expect("subscription active 200", "subscription failed 408")


def test_the_next_server_when_the_first_says_nothing(background):
    """RFC 3263, 4.3: no answer in 64*T1 is a failure of the server, too."""
    background.seeker.join(2 * PATIENCE)
    # libeXosip2 tells the user, and passes it over from then on.
    first = "TimeoutError" if background.seeking.endpoint("engine_name") == "exosip" else "answered"
    assert background.found == [first, "answered"]


@pytest.mark.soak
@pytest.mark.parametrize("status", [100, 180])
def test_a_call_ends_when_the_peer_only_rings(phone, by_hand, status):
    """A peer has to repeat it each minute (RFC 3261, 13.3.1.1); proxies give up after three (Timer C, 16.6)."""
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, status)
    assert call.wait_ended(175.0) is not None
    by_hand.reply(by_hand.next("CANCEL"), 200)
    by_hand.reply(invite, 487)
    assert (call.ended.cause, call.ended.status) == ("timeout", 408)
