"""examples/conference.py: calls that re-INVITEs move to a mixer, one more, one that leaves, and the end for all."""

from __future__ import absolute_import, division, print_function

import os
import sys

import pytest

from conformance.call.legs import Leg, description, origin_of, port_of
from peers.ports import free_port
from peers.process import Process
from peers.waiting import wait_until

EXAMPLE = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, os.pardir, "examples", "conference.py"
)
KEY = [("Content-Type", "application/dtmf")]


class Conference(object):
    """The program, and who calls it."""

    def __init__(self, starter):
        self.port = free_port()
        command = [sys.executable, EXAMPLE, "udp://127.0.0.1:%d" % self.port, "192.0.2.20", "7000"]
        self._process = starter.keep("conference", Process(command, starter.folder(), "conference"))
        self._process.report = self._process.output
        self.has_told("takes calls at sip:127.0.0.1:%d" % self.port)

    def called(self, peer, port):
        """A peer by hand with this port for audio that has called and was answered: it is quiet."""
        leg = Leg(peer, self.port)
        leg.call(description(port))
        answer = leg.taken().body
        assert b"a=inactive" in answer
        leg.origin = origin_of(answer)
        return leg

    def two_called(self, first, second):
        """Two of these, of which the first is moved first."""
        alice = self.called(first, 5000)
        self.has_told("%s waits" % first.uri)
        return alice, self.called(second, 6000)

    def moved(self, leg, port, status=200):
        """The offer of a place at the mixer, which the peer accepts or refuses."""
        offer = leg.reinvited(description(port, version=2), status)
        if status == 200:
            leg.peer.next("ACK")
        assert origin_of(offer.body) == leg.origin._replace(version=leg.origin.version + 1)
        return offer.body

    def has_told(self, line):
        wait_until(lambda: line in self._process.output().splitlines(), timeout=10.0)

    def press(self, leg, key):
        leg.send("INFO", KEY, key)
        leg.peer.next("200")


def hung_up(leg):
    """Take the BYE, and answer it."""
    leg.reply(leg.peer.next("BYE"), 200)


@pytest.fixture
def conference(starter):
    return Conference(starter)


def test_two_calls_are_moved_one_is_added_one_leaves_and_all_are_hung_up(conference, by_hand, elsewhere):
    alice, bob = conference.two_called(by_hand, elsewhere)
    for leg, ours, place in ((alice, 5000, 7000), (bob, 6000, 7002)):
        offer = conference.moved(leg, ours)
        assert port_of(offer) == place and b"192.0.2.20" in offer
        conference.has_told("%d: %s at 127.0.0.1:%d, PCMU/8000" % (place, leg.peer.uri, ours))

    carol = conference.called(by_hand, 8000)
    assert port_of(conference.moved(carol, 8000)) == 7004

    conference.press(bob, b"*")
    hung_up(bob)
    conference.has_told("7002: free")
    dave = conference.called(elsewhere, 6002)
    assert port_of(conference.moved(dave, 6002)) == 7002  # the place that became free

    conference.press(alice, b"0")
    for leg in (alice, carol, dave):
        hung_up(leg)


def test_who_hangs_up_leaves_the_others_in(conference, by_hand, elsewhere):
    alice, bob = conference.two_called(by_hand, elsewhere)
    conference.moved(alice, 5000)
    conference.moved(bob, 6000)
    alice.send("BYE")
    by_hand.next("200")
    conference.has_told("7000: free")
    conference.press(bob, b"5")  # still answered


def test_who_refuses_the_mixer_is_hung_up(conference, by_hand, elsewhere):
    alice, bob = conference.two_called(by_hand, elsewhere)
    conference.moved(alice, 5000, 488)
    hung_up(alice)
    conference.moved(bob, 6000)
    conference.has_told("7000: free")


@pytest.mark.parametrize(
    "answer",
    [description(0, version=2), description(5000, version=2).replace(b"AVP 0", b"AVP 3")],
    ids=["no audio", "another codec"],
)
def test_who_has_no_codec_for_the_mixer_is_hung_up(conference, by_hand, elsewhere, answer):
    """It holds no place, and the one whose call moved it stays."""
    alice, bob = conference.two_called(by_hand, elsewhere)
    alice.reinvited(answer)
    alice.peer.next("ACK")
    hung_up(alice)
    conference.has_told("7000: %s stays out: no codec in common" % alice.peer.uri)
    conference.has_told("7000: free")
    conference.moved(bob, 6000)
    conference.press(bob, b"5")  # still answered
