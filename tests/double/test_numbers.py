"""libeXosip2 numbers calls up to 32767 and begins anew, whoever still has a number."""

from __future__ import absolute_import, division, print_function

import pytest

from peers.byhand import ByHand

#: Milliseconds after which the library has let go of a call that was refused, and said so.
RELEASED = 12500


@pytest.fixture
def others():
    peers = ByHand(), ByHand()
    yield peers
    for peer in peers:
        peer.stop()


def test_a_new_call_with_the_number_of_one_that_is_up_is_refused(raw, library, others):
    """They are refused, the caller's and the peer's; the older one does not notice, not even when they go."""
    lib, null, (peer, stranger) = raw.lib, raw.ffi.NULL, others
    engine = raw.open()
    library.exosip_double_next_id(77)
    call = raw.call(engine, peer.uri)
    library.exosip_double_next_id(500)
    peer.reply(peer.next("INVITE"), 200)
    assert raw.wait(engine).type == lib.SB_EV_CALL_ANSWERED
    assert lib.sb_call_ack(engine, call, null) == 0

    library.exosip_double_next_id(77)
    assert raw.call(engine, stranger.uri) == lib.SB_ELIBRARY
    stranger.reply(stranger.next("INVITE"), 486)
    library.exosip_double_next_id(77)
    stranger.request(lib.sb_port(engine), "INVITE")
    assert stranger.next("503")["CSeq"] == "1 INVITE"

    assert raw.wait(engine, RELEASED) == 0
    assert lib.sb_call_hangup(engine, call, null) == 0
    peer.reply(peer.next("BYE"), 200)
    event = raw.wait(engine)
    assert (event.type, event.call, event.cause) == (lib.SB_EV_CALL_ENDED, call, lib.SB_CAUSE_LOCAL_BYE)
    assert lib.sb_close(engine, 0) == 0
    assert library.complaints() == 0
