"""The examples that carry audio: what the announcement plays is what the recorder hears, through ffmpeg."""

from __future__ import absolute_import, division, print_function

import math
import os
import struct
import sys
import wave
from contextlib import closing

import pytest

import sipbridge
from peers.ports import free_port
from peers.process import Process
from sipbridge import sdp
from sipbridge.payload import PCMA

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, os.pardir, "examples")
RATE, SECONDS, TONE = 8000, 1.5, 440
NO_CODEC = b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 18\r\n"


@pytest.fixture
def tone(tmpdir):
    """A WAV file of a sine."""
    path = str(tmpdir.join("tone.wav"))
    samples = [int(12000 * math.sin(2 * math.pi * TONE * i / RATE)) for i in range(int(RATE * SECONDS))]
    with closing(wave.open(path, "wb")) as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(RATE)
        output.writeframes(struct.pack(str("<%dh") % len(samples), *samples))
    return path


@pytest.fixture
def announcement(tone, starter):
    """examples/announcement.py playing that; its URI."""
    port = free_port()
    command = [sys.executable, "-u", os.path.join(EXAMPLES, "announcement.py"), tone]
    process = Process(command + ["udp://127.0.0.1:%d" % port], starter.folder(), "announcement")
    process.report = process.output
    starter.keep("announcement", process)
    while "listening" not in process.output():
        assert process.wait(0.05) is None, process.output()
    return "sip:announcement@127.0.0.1:%d" % port


def _samples(path):
    with closing(wave.open(path, "rb")) as recorded:
        assert (recorded.getnchannels(), recorded.getsampwidth(), recorded.getframerate()) == (1, 2, RATE)
        frames = recorded.readframes(recorded.getnframes())
    return struct.unpack(str("<%dh") % (len(frames) // 2), frames)


def _power(samples, frequency):
    """The part of the power that is at a frequency, 0 to 1 (a Fourier sum at one place)."""
    angles = [2 * math.pi * frequency * i / RATE for i in range(len(samples))]
    real = sum(sample * math.cos(angle) for sample, angle in zip(samples, angles))
    imaginary = sum(sample * math.sin(angle) for sample, angle in zip(samples, angles))
    total = sum(sample * sample for sample in samples)
    return 2.0 * (real * real + imaginary * imaginary) / len(samples) / total


def test_the_recorder_hears_what_the_announcement_plays(announcement, tmpdir):
    heard = str(tmpdir.join("heard.wav"))
    command = [sys.executable, os.path.join(EXAMPLES, "recorder.py"), announcement, heard]
    recorder = Process(command, str(tmpdir), "recorder")
    assert recorder.wait(30.0) == 0, recorder.output()
    assert recorder.output().splitlines()[-1] == "over: remote-bye"
    samples = _samples(heard)
    assert abs(len(samples) / RATE - SECONDS) <= 0.1
    middle = samples[RATE // 4 : RATE]
    assert _power(middle, TONE) > 0.95 and _power(middle, TONE * 1.5) < 0.01


@pytest.mark.parametrize("body, status", [(NO_CODEC, 488), (b"v=0\r\nnonsense\r\n", 400)])
def test_an_offer_that_cannot_be_played_is_refused(announcement, phone, body, status):
    with pytest.raises(sipbridge.ResponseError) as caught:
        phone.endpoint.call(announcement, body)
    assert caught.value.status == status


def test_a_caller_without_an_offer_hears_the_announcement(announcement, phone):
    """The announcement then offers in its 200, and reads the answer in the ACK."""
    call = phone.endpoint.invite(announcement)
    call.wait_answered(10.0)
    assert b"a=sendonly" in call.remote_sdp
    call.ack(sdp.build("127.0.0.1", [sdp.medium("audio", 9, [PCMA], "recvonly")]).raw)
    assert call.wait_ended(20.0).cause == "remote-bye"
