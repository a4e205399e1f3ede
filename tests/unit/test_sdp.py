# -*- coding: utf-8 -*-
"""Session descriptions: what peers send, given back octet for octet (sipbridge.sdp, sipbridge.payload)."""

from __future__ import absolute_import, division, print_function

import glob
import os

import pytest

from sipbridge import payload, sdp
from sipbridge.errors import InputError

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "sdp")
NAMES = sorted(os.path.basename(path)[: -len(".sdp")] for path in glob.glob(os.path.join(FOLDER, "*.sdp")))


def octets(name):
    with open(os.path.join(FOLDER, name + ".sdp"), "rb") as stream:
        return stream.read()


def load(name):
    return sdp.parse(octets(name))


def normalized(data):
    """As encode() writes it: CRLF, no blank lines, no NULs behind."""
    lines = data.rstrip(b"\x00").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"".join(line + b"\r\n" for line in lines if line.strip())


# -- what peers send -----------------------------------------------------------------------------------


def test_the_corpus_is_there():
    assert len(NAMES) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_each_description_is_given_back_octet_for_octet(name):
    data = octets(name)
    session = sdp.parse(data)
    assert session.raw == data
    assert session.encode() == normalized(data)
    again = sdp.parse(session.encode())
    assert again == session and hash(again) == hash(session)


#: For each body: the media as "kind host:port direction: codecs".
MEDIA = {
    "asterisk": ["audio 203.0.113.20:14528 sendrecv: G722 PCMU PCMA telephone-event"],
    "asterisk-t38": ["image 203.0.113.20:4387 sendrecv:"],
    "baresip": [
        "audio 192.0.2.44:17244 sendrecv: PCMU PCMA telephone-event",
        "video 192.0.2.44:0 sendrecv: PCMU",
    ],
    "blank-lines": ["audio 192.0.2.50:4200 sendrecv: PCMU"],
    "cisco-gateway": ["audio 192.0.2.130:17806 sendrecv: G729 PCMU telephone-event CN"],
    "cisco-phone": [
        "audio 10.20.1.77:21330 sendrecv: opus G722 ISAC PCMU PCMA iLBC G729 telephone-event",
        "video 10.20.1.77:26088 sendrecv: H264 H264",
    ],
    "conference": [
        "audio 233.252.0.1:49180 sendrecv: PCMU",
        "video 233.252.0.2:49170 sendrecv: H261 h263-1998",
    ],
    "cr-only": ["audio 192.0.2.9:4100 sendrecv: PCMA"],
    "freeswitch": ["audio 198.51.100.4:28314 sendrecv: opus PCMU PCMA telephone-event CN"],
    "ipv6": ["audio 2001:db8::5:5004 recvonly: PCMA PCMU"],
    "latin-1": ["audio 192.0.2.3:4300 sendrecv: PCMU"],
    "linphone": [
        "audio 192.168.1.23:7078 sendrecv: opus speex speex PCMU PCMA telephone-event telephone-event",
        "video 192.168.1.23:9078 sendrecv: VP8",
    ],
    "mixed-ends": ["audio 192.0.2.3:4400 sendrecv: PCMU iLBC"],
    "no-session-lines": ["audio :4000 sendrecv: PCMU"],
    "old-hold": ["audio 0.0.0.0:10010 sendonly: pcma telephone-event"],
    "polycom": ["audio 10.0.7.31:2236 sendrecv: G722 G7221 PCMU PCMA G729 telephone-event"],
    "polycom-hold": ["audio 0.0.0.0:2236 sendonly: PCMU telephone-event"],
    "sipp": ["audio 127.0.0.1:6000 sendrecv: PCMU"],
    "snom-srtp": ["audio 192.168.4.9:61884 sendrecv: G722 PCMA PCMU G726-32 G729 telephone-event"],
    "webrtc": [
        "audio 203.0.113.141:54400 sendrecv: opus red G722 PCMU PCMA CN telephone-event telephone-event",
        "application 0.0.0.0:0 sendonly:",
    ],
}


def described(session):
    for media in session.media:
        host, port = session.address(media)
        names = " ".join([""] + [codec.name for codec in media.codecs])
        yield "%s %s:%d %s:%s" % (media.kind, host, port, session.direction(media), names)


@pytest.mark.parametrize("name", NAMES)
def test_media_lines_are_parsed(name):
    assert list(described(load(name))) == MEDIA[name]


def test_attributes_are_parsed():
    freeswitch = load("freeswitch")
    assert freeswitch.origin == ("FreeSWITCH", 1718022411, 1718022412, "IN", "IP4", "198.51.100.4")
    assert freeswitch.name == "FreeSWITCH"
    opus = freeswitch.media[0].codecs[0]
    assert (opus.rtpmap, opus.payload_type) == ("opus/48000/2", 96)
    assert opus.parameters == "useinbandfec=1; maxaveragebitrate=30000; ptime=20"
    assert freeswitch.media[0].ptime == 20
    webrtc = load("webrtc")
    audio, data = webrtc.media
    assert webrtc.get("group") == "BUNDLE 0 1" and audio.get("mid") == "0"
    assert audio.rtcp_port == 9 and "rtcp-mux" in audio and "rtcp-rsize" not in audio
    assert data.codecs == () and data.formats == ("webrtc-datachannel",)
    assert [media.kind for media in webrtc.live] == ["audio", "application"]
    linphone = load("linphone").media[0]
    assert linphone.telephone_event(48000).payload_type == 101
    assert linphone.telephone_event(8000).payload_type == 99
    assert load("sipp").media[0].telephone_event() is None
    assert load("sipp").media[0].rtcp_port == 6001
    assert load("baresip").audio.get_all("ssrc") == ("1543216754 cname:sip:bob@192.0.2.44",)
    assert [line.text for line in load("mixed-ends").media[0].lines[2:]] == [
        "y=SSRC 0100000001", "f=v/////a/1/8/1",
    ]  # fmt: skip
    assert load("no-session-lines").origin is None
    assert load("conference").media[1].lines[1].value == u"Größe des Bildes"


def test_digits_that_are_not_ascii_are_no_numbers():
    """A superscript "2" is a digit to Python, but no number; thousands of digits are no payload type."""
    for formats in (u"\u00b2", u"\u0663", u"9" * 5000):
        body = (u"v=0\r\nm=audio 4000 RTP/AVP %s 0\r\na=fmtp:%s x\r\n" % (formats, formats)).encode("utf-8")
        assert sdp.parse(body).media[0].codecs == (payload.PCMU,)


def test_hold_is_read_from_directions_and_addresses():
    assert [name for name in NAMES if load(name).is_held] == ["old-hold", "polycom-hold"]


def test_bytes_of_any_kind_are_parsed():
    data = octets("sipp")
    assert sdp.parse(bytearray(data)) == sdp.parse(memoryview(data)) == sdp.parse(data)


# -- what cannot be parsed -----------------------------------------------------------------------------

HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.3\r\nt=0 0\r\n"


@pytest.mark.parametrize(
    "data, quoted",
    [
        (b"", "begins with v=0"),
        (b"\r\n\r\n", "begins with v=0"),
        (b"o=- 1 1 IN IP4 h\r\n", "o=- 1 1 IN IP4 h"),
        (b"v=1\r\n", "v=1"),
        (b"v=0\r\nhello\r\n", "hello"),
        (b"v=0\r\nab=c\r\n", "ab=c"),
        (b"v=0\r\n =c\r\n", " =c"),
        (b"v=0\r\ns=a\x00b\r\n", "a\\x00b"),
        (b"v=0\r\no=- one 1 IN IP4 192.0.2.3\r\n", "o=- one 1"),
        (b"v=0\r\no=- " + b"9" * 5000 + b" 1 IN IP4 192.0.2.3\r\n", "99999"),
        (b"v=0\r\nc=IN IP4\r\n", "c=IN IP4"),
        (HEAD + b"m=audio\r\n", "m=audio"),
        (HEAD + b"m=audio port RTP/AVP 0\r\n", "m=audio port"),
        (HEAD + b"m=audio 65536 RTP/AVP 0\r\n", "m=audio 65536"),
        (HEAD + b"m=audio 1 RTP/AVP 0\r\nc=192.0.2.3\r\n", "c=192.0.2.3"),
        (HEAD + b"m=audio 1 RTP/AVP 96\r\na=rtpmap:96 opus\r\n", "96 opus"),
        (HEAD + b"m=audio 1 RTP/AVP 96\r\na=rtpmap:128 opus/48000\r\n", "128 opus/48000"),
        (HEAD + b"m=audio 1 RTP/AVP 96\r\na=rtpmap:96 x/0\r\n", "96 x/0"),
        (HEAD + b"m=audio 1 RTP/AVP 96\r\na=rtpmap\r\n", "not an rtpmap"),
        (
            HEAD + b"m=audio 1 RTP/AVP 96\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-999\r\n",
            "0-999",
        ),
        (u"v=0\r\n", "bytes"),
        (None, "bytes"),
    ],
)
def test_what_cannot_be_parsed_is_quoted(data, quoted):
    with pytest.raises(InputError) as caught:
        sdp.parse(data)
    assert quoted in str(caught.value)


# -- building and changing -----------------------------------------------------------------------------


def audio(**options):
    codecs = [payload.PCMU, payload.PCMA, payload.telephone_event()]
    return sdp.medium("audio", 4000, codecs, **options)


def test_a_description_is_built():
    assert sdp.build("192.0.2.3", [audio(ptime=20)], session_id=7, lines=[("a", "tool:x")]).raw == (
        b"v=0\r\no=- 7 1 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.3\r\nt=0 0\r\na=tool:x\r\n"
        b"m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
        b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )


def test_a_description_with_ipv6_is_built():
    session = sdp.build("[2001:db8::1]", [audio()])
    assert session.connection == ("IN", "IP6", "2001:db8::1")
    assert session.address(session.media[0]) == ("2001:db8::1", 4000)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: sdp.build("192.0.2.3\r\na=x", []),
        lambda: sdp.build("192.0.2.3 x", []),
        lambda: sdp.build("", []),
        lambda: sdp.build("192.0.2.3", [], name="a\nb"),
        lambda: sdp.build("192.0.2.3", [], username="a b"),
        lambda: sdp.build("192.0.2.3", [], lines=[("a", "x\r\na=y")]),
        lambda: sdp.build("192.0.2.3", [], lines=[("attribute", "x")]),
        lambda: sdp.medium("audio", 70000, [payload.PCMU]),
        lambda: sdp.medium("audio", "4000", [payload.PCMU]),
        lambda: sdp.medium("audio", 4000, []),
        lambda: sdp.medium("au dio", 4000, [payload.PCMU]),
        lambda: sdp.medium("audio", 4000, [payload.PCMU], direction="both"),
        lambda: audio().with_direction("both"),
        lambda: audio().with_port(-1),
        lambda: audio().with_lines(("a", "x\ny")),
        lambda: payload.Codec(128, "x"),
        lambda: payload.Codec(96, "x/y"),
        lambda: payload.Codec(96, ""),
        lambda: payload.Codec(96, "x", 0),
        lambda: payload.Codec(96, "x", 8000, 0),
        lambda: payload.Codec(96, "x", 8000, 1, "a\r\nb"),
        lambda: payload.telephone_event(events="all"),
        lambda: payload.telephone_event(events="0-256"),
    ],
)
def test_a_description_that_cannot_be_built_is_refused(attempt):
    with pytest.raises(InputError):
        attempt()


def test_hold_and_resume():
    session = sdp.build("192.0.2.3", [audio()])
    held = session.hold()
    assert held.is_held and not session.is_held
    assert held.media[0].direction == "sendonly"
    assert held.origin.version == 2 and held.origin.session_id == session.origin.session_id
    assert held.hold().media == held.media
    resumed = held.resume()
    assert resumed.media == session.media and resumed.origin.version == 3
    listening = session.with_direction("recvonly").hold()
    assert listening.media[0].direction == "inactive"
    assert listening.resume().media[0].direction == "recvonly"


def test_a_direction_of_the_session_gives_way():
    held = load("polycom").hold()
    assert held.is_held and held.get("sendrecv") is None
    assert held.parsed is None and held.raw == held.encode()


def test_refused_media_stay_as_they_are():
    session = load("baresip")
    assert session.hold().media[1] == session.media[1]
    assert session.live == (session.media[0],)


def test_the_port_can_be_replaced():
    moved = audio().with_port(6002)
    assert moved.port == 6002 and moved.lines[1:] == audio().lines[1:]
    session = sdp.build("192.0.2.3", [audio()]).with_media([moved])
    assert session.origin.version == 2 and session.media == (moved,)


def test_descriptions_are_immutable():
    session = load("sipp")
    targets = ((session, "media"), (session, "raw"), (session.media[0], "lines"), (payload.PCMU, "name"))
    for target, name in targets:
        with pytest.raises(AttributeError):
            setattr(target, name, None)


# -- payload formats -----------------------------------------------------------------------------------


def test_codecs_are_compared_without_case_number_and_parameters():
    assert payload.Codec(96, "pcmu", 8000, 1, "x=1").is_same_as(payload.PCMU)
    assert not payload.Codec(96, "PCMU", 16000).is_same_as(payload.PCMU)
    assert not payload.Codec(10, "L16", 44100, 2).is_same_as(payload.Codec(11, "L16", 44100))


@pytest.mark.parametrize(
    "text, numbers, again",
    [
        ("0-15", range(16), "0-15"),
        ("0-11,16", list(range(12)) + [16], "0-11,16"),
        ("5", [5], "5"),
        (" 0-1, 3 ", [0, 1, 3], "0-1,3"),
        ("events=0-15", range(16), "0-15"),
        ("15-0", [], ""),
    ],
)
def test_telephone_events_are_parsed(text, numbers, again):
    events = payload.parse_events(text)
    assert events == frozenset(numbers)
    assert payload.format_events(events) == again


def test_keys_are_numbered_as_their_events():
    assert [payload.KEYS.index(key) for key in "09*#AD"] == [0, 9, 10, 11, 12, 15]
    assert payload.telephone_event().events == frozenset(range(16))
    assert payload.Codec(97, "Telephone-Event").events == frozenset(range(16))
    assert payload.PCMU.events == frozenset()
