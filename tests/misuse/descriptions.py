"""The part of the table that is about session descriptions and codecs."""

from __future__ import absolute_import, division, print_function

from misuse import values
from misuse.objects import AUDIO, SESSION
from misuse.values import ANY, entry, optional, whole
from sipbridge import payload

_LINE = values.LINE
_NAMES_OF_LINES = [5, [5], [(u"a",)], [(u"ab", u"x")], [(u"a", u"x\r\nb=y")], [(5, u"x")], [(u"a", 5)]]


DESCRIPTIONS = {
    "sdp.parse": entry({}, data=values.OCTETS + [None, b"", b"v=1", b"v=0\r\nx", b"v=0\r\nm=audio"]),
    "sdp.build": entry(
        dict(host=u"127.0.0.1", media=[AUDIO]),
        host=_LINE + [None, u"a b"],
        media=values.SEQUENCE,
        session_id=whole(0),
        version=whole(0),
        name=_LINE + [None],
        username=_LINE + [None, u"a b"],
        lines=_NAMES_OF_LINES,
    ),
    "sdp.medium": entry(
        dict(kind=u"audio", port=4000, codecs=[payload.PCMU]),
        kind=_LINE + [None],
        port=whole(0, 65535),
        codecs=values.SEQUENCE + [()],
        direction=[5, None, u"both", [u"sendrecv"]],
        protocol=_LINE + [None],
        ptime=optional(whole(1, 99999)),
    ),
    "Media.telephone_event": entry({}, clock_rate=ANY),
    "Media.get": entry({}, name=ANY, default=ANY),
    "Media.get_all": entry({}, name=ANY),
    "Media.with_port": entry({}, port=whole(0, 65535)),
    "Media.with_direction": entry({}, direction=[5, None, u"both", [u"sendrecv"]]),
    "Media.with_lines": entry({}, lines=ANY),  # see test_types.test_lines_of_media
    "Session.get": entry({}, name=ANY, default=ANY),
    "Session.address": entry({}, media=values.THING),
    "Session.direction": entry({}, media=values.THING),
    "Session.with_media": entry({}, media=values.SEQUENCE),
    "Session.following": entry({}, last=values.THING),
    "Session.with_direction": entry({}, direction=[5, None, u"both", [u"sendrecv"]]),
    "Codec.__new__": entry(
        dict(payload_type=96, name=u"opus"),
        payload_type=whole(0, 127),
        name=_LINE + [None, u"a b", u"a/b"],
        clock_rate=whole(1, 999999999),
        channels=whole(1, 255),
        parameters=_LINE,
    ),
    "Codec.is_same_as": entry({}, other=values.THING),
    "payload.telephone_event": entry(
        {},
        payload_type=whole(0, 127),
        clock_rate=whole(1, 999999999),
        events=_LINE + [None, u"a", u"256", u"1-"],
    ),
    "payload.parse_events": entry({}, text=_LINE + [None, u"a", u"256", u"1-", u"9" * 5000]),
    "payload.format_events": entry({}, events=[5, u"0-15", None, [5, u"6"], [-1], [256], [1.5]]),
    "payload.parse_rtpmap": entry({}, value=_LINE + [None, u"0", u"200 PCMU/8000", u"0 PCMU/0"]),
    "negotiation.answer": entry(
        dict(offer=SESSION, host=u"127.0.0.1", media=[AUDIO]),
        offer=values.THING,
        host=_LINE + [None, u"a b"],
        media=values.SEQUENCE,
        session_id=whole(0),
        version=whole(0),
        name=_LINE + [None],
    ),
    "negotiation.answer_again": entry(
        dict(offer=SESSION, ours=SESSION), offer=values.THING, ours=values.THING
    ),
    "negotiation.streams": entry(
        dict(local=SESSION, remote=SESSION), local=values.THING, remote=values.THING
    ),
}
