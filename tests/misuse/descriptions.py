"""The part of the table that is about session descriptions and codecs."""

from __future__ import absolute_import, division, print_function

from misuse import values
from misuse.objects import AUDIO, SESSION
from misuse.values import ANY, optional, whole
from sipbridge import payload

_LINE = values.LINE
_NAMES_OF_LINES = [5, [5], [(u"a",)], [(u"ab", u"x")], [(u"a", u"x\r\nb=y")], [(5, u"x")], [(u"a", 5)]]


def _entry(good, **parameters):
    return good, parameters


DESCRIPTIONS = {
    "sdp.parse": _entry({}, data=values.OCTETS + [None, b"", b"v=1", b"v=0\r\nx", b"v=0\r\nm=audio"]),
    "sdp.build": _entry(
        dict(host=u"127.0.0.1", media=[AUDIO]),
        host=_LINE + [None, u"a b"],
        media=values.SEQUENCE,
        session_id=whole(0),
        version=whole(0),
        name=_LINE + [None],
        username=_LINE + [None, u"a b"],
        lines=_NAMES_OF_LINES,
    ),
    "sdp.medium": _entry(
        dict(kind=u"audio", port=4000, codecs=[payload.PCMU]),
        kind=_LINE + [None],
        port=whole(0, 65535),
        codecs=values.SEQUENCE + [()],
        direction=[5, None, u"both", [u"sendrecv"]],
        protocol=_LINE + [None],
        ptime=optional(whole(1, 99999)),
    ),
    "Media.telephone_event": _entry({}, clock_rate=ANY),
    "Media.get": _entry({}, name=ANY, default=ANY),
    "Media.get_all": _entry({}, name=ANY),
    "Media.with_port": _entry({}, port=whole(0, 65535)),
    "Media.with_direction": _entry({}, direction=[5, None, u"both", [u"sendrecv"]]),
    "Media.with_lines": _entry({}, lines=ANY),  # see test_types.test_lines_of_media
    "Session.get": _entry({}, name=ANY, default=ANY),
    "Session.address": _entry({}, media=values.THING),
    "Session.direction": _entry({}, media=values.THING),
    "Session.with_media": _entry({}, media=values.SEQUENCE),
    "Session.following": _entry({}, last=values.THING),
    "Session.with_direction": _entry({}, direction=[5, None, u"both", [u"sendrecv"]]),
    "Codec.__new__": _entry(
        dict(payload_type=96, name=u"opus"),
        payload_type=whole(0, 127),
        name=_LINE + [None, u"a b", u"a/b"],
        clock_rate=whole(1, 999999999),
        channels=whole(1, 255),
        parameters=_LINE,
    ),
    "Codec.is_same_as": _entry({}, other=values.THING),
    "payload.telephone_event": _entry(
        {},
        payload_type=whole(0, 127),
        clock_rate=whole(1, 999999999),
        events=_LINE + [None, u"a", u"256", u"1-"],
    ),
    "payload.parse_events": _entry({}, text=_LINE + [None, u"a", u"256", u"1-", u"9" * 5000]),
    "payload.format_events": _entry({}, events=[5, u"0-15", None, [5, u"6"], [-1], [256], [1.5]]),
    "payload.parse_rtpmap": _entry({}, value=_LINE + [None, u"0", u"200 PCMU/8000", u"0 PCMU/0"]),
    "negotiation.answer": _entry(
        dict(offer=SESSION, host=u"127.0.0.1", media=[AUDIO]),
        offer=values.THING,
        host=_LINE + [None, u"a b"],
        media=values.SEQUENCE,
        session_id=whole(0),
        version=whole(0),
        name=_LINE + [None],
    ),
    "negotiation.answer_again": _entry(
        dict(offer=SESSION, ours=SESSION), offer=values.THING, ours=values.THING
    ),
    "negotiation.streams": _entry(
        dict(local=SESSION, remote=SESSION), local=values.THING, remote=values.THING
    ),
}
