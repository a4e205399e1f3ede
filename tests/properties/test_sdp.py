"""Whatever is built can be parsed to the same, and whatever arrives is either parsed or an InputError."""

from __future__ import absolute_import, division, print_function

import glob
import os

from hypothesis import given
from hypothesis import strategies as st

from sipbridge import negotiation, payload, sdp
from sipbridge.errors import InputError

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "sdp")


def _corpus():
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.sdp"))):
        with open(path, "rb") as stream:
            yield stream.read()


CORPUS = list(_corpus())

token = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.", min_size=1, max_size=12)
words = st.text(st.characters(blacklist_categories=("Cc", "Cs")), min_size=1, max_size=30).filter(str.strip)
hosts = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
directions = st.sampled_from(sdp.DIRECTIONS)

codecs = st.builds(
    payload.Codec,
    st.integers(0, 127),
    token.filter(lambda name: name.lower() != "telephone-event"),
    st.integers(1, 999999999),
    st.integers(1, 255),
    st.none() | words.map(str.strip),
)
events = st.frozensets(st.integers(0, 255), min_size=1)
keys = st.builds(
    payload.telephone_event,
    st.integers(96, 127),
    st.sampled_from([8000, 48000]),
    events.map(payload.format_events),
)
codec_lists = st.lists(codecs | keys, min_size=1, max_size=6, unique_by=lambda codec: codec.payload_type)
media = st.builds(
    sdp.medium, st.sampled_from(["audio", "video"]), st.integers(0, 65535), codec_lists, directions,
    ptime=st.none() | st.integers(1, 200),
)  # fmt: skip
sessions = st.builds(sdp.build, hosts, st.lists(media, max_size=4), st.integers(0, 2**63), name=words)


@given(sessions)
def test_what_was_built_is_parsed_to_the_same(session):
    again = sdp.parse(session.raw)
    assert again == session and again.encode() == session.raw
    assert [each.codecs for each in again.media] == [each.codecs for each in session.media]
    assert [each.direction for each in again.media] == [each.direction for each in session.media]


@given(sessions)
def test_hold_and_resume_of_what_sends_both_ways(session):
    session = session.with_direction("sendrecv")
    held = session.hold()
    assert held.is_held == bool(session.live)
    assert held.resume().media == session.media


@given(sessions, st.lists(media, max_size=4))
def test_an_answer_fits_its_offer(offer, ours):
    answer = negotiation.answer(offer, "192.0.2.1", ours)
    assert len(answer.media) == len(offer.media)
    for offered, answered in zip(offer.media, answer.media):
        assert answered.kind == offered.kind
        assert set(answered.formats) <= set(offered.formats)
        if answered.port:
            assert offered.port
            wanted = offer.direction(offered) in ("sendrecv", "recvonly")
            assert wanted or answered.direction in ("recvonly", "inactive")
    for stream in negotiation.streams(answer, offer):
        assert stream.codec is not None
        assert stream.telephone_event is None or stream.telephone_event.events
    assert sdp.parse(answer.raw) == answer


def _parsed_or_refused(data):
    try:
        session = sdp.parse(data)
    except InputError:
        return
    assert session.raw == data
    assert sdp.parse(session.encode()) == session
    for each in session.media:
        each.ptime, each.rtcp_port, each.telephone_event(), session.address(each), session.direction(each)
    session.hold(), session.is_held
    assert len(negotiation.answer(session, "192.0.2.1", []).media) == len(session.media)


@given(st.binary(max_size=300))
def test_any_octets_are_parsed_or_refused(data):
    _parsed_or_refused(data)


@given(st.binary(max_size=300))
def test_any_octets_behind_a_good_beginning(data):
    _parsed_or_refused(b"v=0\r\n" + data)


@given(st.data())
def test_bodies_of_others_with_octets_changed(data):
    body = bytearray(data.draw(st.sampled_from(CORPUS)))
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
        if not body:
            return
    _parsed_or_refused(bytes(body))


@given(events)
def test_any_telephone_events_are_formatted_and_parsed_to_the_same(numbers):
    assert payload.parse_events(payload.format_events(numbers)) == numbers
