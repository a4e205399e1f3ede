"""examples/conference.py in memory: what it answers to the offer of each caller, and what it prints."""

from __future__ import absolute_import, division, print_function

import importlib
import os
import sys
import threading

import pytest

import sipbridge
from peers.pieces import Pieces
from peers.waiting import wait_until
from sipbridge import payload, sdp

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, os.pardir, "examples")
sys.path.insert(0, EXAMPLES)

example = importlib.import_module("conference")

LIMIT = 10.0  # seconds: only a test that fails waits that long

AUDIO = sdp.medium("audio", 5000, [payload.PCMA])
OPUS = sdp.medium("audio", 5000, [payload.Codec(111, "opus", 48000, 2)])
SECURE = sdp.medium("audio", 5000, [payload.PCMA], protocol="RTP/SAVP")
VIDEO = sdp.medium("video", 5002, [payload.Codec(96, "VP8", 90000)])


def description(*media):
    return sdp.build("127.0.0.1", media).raw


def summary(body):
    return [(media.kind, media.port) for media in sdp.parse(body).media]


@pytest.fixture
def told(sip_endpoint):
    """Serves the endpoint; has what was told."""
    lines = []
    example.serve(sip_endpoint, example.Conference("192.0.2.20", 7000, lines.append))
    return lines


@pytest.fixture
def calling(told, sip_network, sip_endpoint):
    """Calls the conference with these media; the caller takes each offer as it is. Returns the call."""

    def call(name, *media):
        caller = sip_network.endpoint("sip:%s@example.com" % name)
        caller.on(sipbridge.CallReinvited, lambda event: event.answer(event.sdp))
        return caller.call(sip_endpoint.uri, description(*media))

    return call


@pytest.mark.parametrize(
    "media",
    [[OPUS], [VIDEO], [SECURE], [AUDIO.with_port(0)]],
    ids=["another codec", "no audio", "another protocol", "no port"],
)
def test_who_has_no_codec_in_common_is_refused(calling, told, media):
    with pytest.raises(sipbridge.ResponseError) as refused:
        calling("alice", *media)
    assert refused.value.status == 488
    assert told == []


def test_each_medium_of_an_offer_is_answered(calling, told):
    """And keeps its place in the offer that follows."""
    video_first = calling("alice", VIDEO, AUDIO)
    assert summary(video_first.remote_sdp) == [("video", 0), ("audio", 9)]
    wait_until(lambda: told == ["sip:alice@example.com waits"], LIMIT)
    calling("bob", AUDIO)
    wait_until(lambda: len(told) == 3, LIMIT)
    assert summary(video_first.remote_sdp) == [("video", 0), ("audio", 7000)]
    assert [each.name for each in sdp.parse(video_first.remote_sdp).audio.codecs] == ["PCMA"]


def test_who_joins_while_the_first_are_moved_is_moved_too(calling, told, sip_network, sip_endpoint):
    began, go_on = threading.Event(), threading.Event()

    def answer(event):
        began.set()
        assert go_on.wait(LIMIT)
        event.answer(event.sdp)

    alice = sip_network.endpoint("sip:alice@example.com")
    alice.on(sipbridge.CallReinvited, answer)
    alice.call(sip_endpoint.uri, description(AUDIO))
    wait_until(lambda: told, LIMIT)
    calling("bob", AUDIO)
    assert began.wait(LIMIT)
    calling("carol", AUDIO)
    try:
        wait_until(lambda: len(told) > 1, LIMIT)
        assert told[1].startswith("7004: sip:carol@example.com at ")
    finally:
        go_on.set()


def test_a_line_for_the_mixer_is_printed_whole(monkeypatch):
    """With its end, so that the lines of two calls never run together."""
    stdout = Pieces()
    monkeypatch.setattr(sys, "stdout", stdout)
    example.tell("7000: free")
    assert stdout.pieces == ["7000: free\n"]
