"""Offer and answer over session descriptions (sipbridge.negotiation)."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge import negotiation, payload, sdp
from sipbridge.payload import G722, PCMA, PCMU, Codec, telephone_event

HOST = "192.0.2.1"


def audio(*codecs, **options):
    return sdp.medium("audio", options.pop("port", 4000), codecs or (PCMU, telephone_event()), **options)


def offer(*media):
    return sdp.build("192.0.2.7", media)


def lines(session, kind="a"):
    return [line.value for media in session.media for line in media.lines if line.type == kind]


def test_codecs_in_common_with_the_numbers_of_the_offer():
    opus = Codec(97, "opus", 48000, 2)
    theirs = offer(audio(G722, opus, PCMA, telephone_event(96, events="0-16"), port=5000))
    ours = audio(PCMA, PCMU, telephone_event(), Codec(111, "OPUS", 48000, 2, "useinbandfec=1"))
    answer = negotiation.answer(theirs, HOST, [ours])
    assert lines(answer, "m") == ["audio 4000 RTP/AVP 97 8 96"]
    assert lines(answer) == [
        "rtpmap:97 opus/48000/2",
        "rtpmap:8 PCMA/8000",
        "rtpmap:96 telephone-event/8000",
        "fmtp:97 useinbandfec=1",
        "fmtp:96 0-15",
        "sendrecv",
    ]
    assert answer.address(answer.media[0]) == (HOST, 4000)


@pytest.mark.parametrize(
    "theirs, ours, answered",
    [
        ("sendrecv", "sendrecv", "sendrecv"),
        ("sendonly", "sendrecv", "recvonly"),
        ("recvonly", "sendrecv", "sendonly"),
        ("inactive", "sendrecv", "inactive"),
        ("sendrecv", "recvonly", "recvonly"),
        ("sendonly", "sendonly", "inactive"),
        ("recvonly", "sendonly", "sendonly"),
        ("sendrecv", "inactive", "inactive"),
    ],
)
def test_the_answer_has_the_direction_that_fits(theirs, ours, answered):
    answer = negotiation.answer(offer(audio(direction=theirs)), HOST, [audio(direction=ours)])
    assert answer.media[0].direction == answered


def test_an_offer_with_the_old_hold_is_answered_recvonly():
    answer = negotiation.answer(sdp.build("0.0.0.0", [audio()]), HOST, [audio()])
    assert answer.media[0].direction == "recvonly"


def test_every_medium_of_the_offer_is_answered_in_its_place():
    video = sdp.medium("video", 6000, [Codec(99, "H264", 90000)])
    theirs = offer(video, audio(PCMU), audio(PCMA), audio(PCMU).with_port(0))
    answer = negotiation.answer(theirs, HOST, [audio(PCMA, port=4002), audio(PCMU, port=4004)])
    assert lines(answer, "m") == [
        "video 0 RTP/AVP 99",
        "audio 4004 RTP/AVP 0",
        "audio 4002 RTP/AVP 8",
        "audio 0 RTP/AVP 0",
    ]


@pytest.mark.parametrize(
    "theirs",
    [
        audio(PCMA),
        audio(PCMA, telephone_event()),  # keys alone are no audio
        audio(PCMU, protocol="RTP/SAVP"),
        sdp.medium("video", 6000, [Codec(0, "PCMU")]),
    ],
)
def test_media_without_a_common_codec_are_refused(theirs):
    answer = negotiation.answer(offer(theirs), HOST, [audio(PCMU, telephone_event())])
    assert answer.live == () and answer.media[0].port == 0
    assert answer.media[0].formats == theirs.formats


def test_only_the_events_in_common_and_none_without():
    ours = audio(PCMU, telephone_event(events="0-11"))
    answer = negotiation.answer(offer(audio(PCMU, telephone_event(events="5-20"))), HOST, [ours])
    assert "fmtp:101 5-11" in lines(answer)
    answer = negotiation.answer(offer(audio(PCMU, telephone_event(events="32"))), HOST, [ours])
    assert answer.media[0].telephone_event() is None


def test_what_names_a_medium_names_it_in_the_answer():
    theirs = offer(audio().with_lines(("a", "mid:first")), audio().with_lines(("a", "mid:second")))
    answer = negotiation.answer(theirs, HOST, [audio()])
    assert [media.get("mid") for media in answer.media] == ["first", "second"]


def test_streams_from_both_sides():
    theirs = offer(audio(PCMA, PCMU, telephone_event(97), port=5000, ptime=30))
    answer = negotiation.answer(theirs, HOST, [audio(PCMU, telephone_event(101), ptime=20)])
    [here] = negotiation.streams(answer, theirs)
    assert here == (
        "audio", (HOST, 4000), ("192.0.2.7", 5000), True, True, PCMU, telephone_event(97), 30
    )  # fmt: skip
    [there] = negotiation.streams(theirs, answer)
    assert there.remote == here.local and there.codec == here.codec
    assert there.telephone_event == telephone_event(97) and there.ptime == 20


def test_numbers_may_differ_in_the_two_directions():
    """Each side sends the numbers that the other asked for (RFC 3264, 5.1)."""
    ours, theirs = offer(audio(Codec(96, "iLBC"))), offer(audio(Codec(113, "iLBC", parameters="mode=20")))
    [stream] = negotiation.streams(ours, theirs)
    assert stream.codec == Codec(113, "iLBC", parameters="mode=20")


def test_telephone_events_go_with_the_clock_of_the_codec():
    opus = Codec(96, "opus", 48000, 2)
    both = (opus, PCMU, telephone_event(100, 8000), telephone_event(101, 48000))
    [stream] = negotiation.streams(offer(audio(*both)), offer(audio(*both)))
    assert (stream.codec, stream.telephone_event.payload_type) == (opus, 101)


def test_held_and_refused_streams():
    ours, theirs = offer(audio()), offer(audio(direction="sendonly"))
    [stream] = negotiation.streams(ours, theirs)
    assert (stream.sending, stream.receiving) == (False, True)
    assert negotiation.streams(ours, theirs.with_media([audio().with_port(0)])) == ()


@pytest.mark.parametrize(
    "ours, theirs, answered",
    [
        ("sendrecv", "sendonly", "recvonly"),
        ("sendrecv", "inactive", "inactive"),
        ("sendonly", "sendonly", "inactive"),
        ("sendonly", "sendrecv", "sendonly"),
        ("sendonly", "recvonly", "sendonly"),
    ],
)
def test_a_hold_answered_with_what_is_in_force(ours, theirs, answered):
    own, offered = offer(audio(direction=ours)), offer(audio(direction=theirs))
    again = negotiation.answer_again(offered, own)
    assert again.direction(again.audio) == answered and again.audio.formats == own.audio.formats
    assert (again is own) == (answered == ours)
    back = negotiation.answer_again(offer(audio()), own).following(again)
    assert back.direction(back.audio) == ours
    assert back.origin.version == again.origin.version + (0 if answered == ours else 1)


def test_a_medium_that_the_offer_ends_stays_ended_in_the_answer():
    own, offered = offer(audio()), offer(audio().with_port(0))
    assert negotiation.answer_again(offered, own).live == ()
    assert negotiation.answer_again(offered.with_media([]), own) is own
    ended = negotiation.answer_again(offered, own)
    assert negotiation.answer_again(offer(audio()), ended) is ended


def test_a_medium_that_is_no_rtp_has_no_codec():
    fax = sdp.parse(b"v=0\r\nc=IN IP4 192.0.2.7\r\nm=image 4387 udptl t38\r\n")
    [stream] = negotiation.streams(fax, fax)
    assert (stream.kind, stream.codec, stream.telephone_event) == ("image", None, None)
    assert negotiation.answer(fax, HOST, [audio()]).live == ()


def test_the_static_table_is_that_of_rfc_3551():
    assert len(payload.STATIC) == 24
    assert payload.STATIC[10].channels == 2 and payload.STATIC[11].channels == 1
    assert payload.G729.rtpmap == "G729/8000"
