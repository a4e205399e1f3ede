"""What comes from the network as text or bytes, whatever it is: read, left out or refused, never another error."""

from __future__ import absolute_import, division, print_function

import io
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sipbridge import events, hep, ladder, record, svg
from sipbridge._agent import dispatch
from sipbridge._agent.trace_peers import Peers
from sipbridge._call.placing import _contacts
from sipbridge._call.replacing import find, supporting
from sipbridge._call.session_timer import SessionTimer
from sipbridge._call.transfer import Transfer
from sipbridge._command import diagram_input, trace
from sipbridge._engine.local_address import Ends
from sipbridge._text import masking
from sipbridge._text.parameters import number, parse_parameters, split_list, tag, tokens
from sipbridge._text.subscription_state import parse_subscription_state
from sipbridge.errors import InputError
from sipbridge.events import TraceMessage
from sipbridge.headers import Headers
from sipbridge.identity import asserted_identities, privacy
from sipbridge.message_summary import build_message_summary, parse_message_summary
from sipbridge.payload import parse_events, parse_rtpmap
from sipbridge.reason import parse_reasons
from sipbridge.replaces import parse_replaces, replaces_of, target_of, with_replaces
from sipbridge.uri import (
    address_uri,
    check_address,
    parse_address,
    parse_host_port,
    parse_transport_address,
    parse_uri,
)

#: What headers are made of, and digits that are none of SIP's.
_PIECES = u'<>;,="\\ ?&%:@[]().\t' + u"\u00b2\u0663\u0967\u2028"
_WORDS = [
    u"sip:", u"sips:", u"tel:", u"sip:bob@example.com", u"tag", u"q", u"expires", u"refresher", u"uac", u"cause",
    u"retry-after", u"reason", u"terminated", u"active", u"to-tag", u"from-tag", u"early-only", u"Replaces", u"timer",
    u"0", u"1", u"90", u"4294967296", u"9" * 40, u"9" * 5000, u"-1", u"1e400", u"nan", u"SIP", u"Q.850", u"text",
]  # fmt: skip
values = st.lists(st.sampled_from(list(_PIECES) + _WORDS) | st.text(max_size=6), max_size=14).map(u"".join)
numerals = st.sampled_from([u"\u00b2", u"\u0663", u"1" * 5000, u"0", u"", u"-1", u"2147483647", u"9" * 11])


def _with(name, value):
    return Headers([(name, value), (name, value)]), Headers([(name, value)])


@given(values | numerals)
def test_any_headers_of_a_message_can_be_read(value):
    """Everything is read that events read of a message."""
    for both in _with("Refer-To", value):
        target_of(both), replaces_of(both)
    for headers in _with("Contact", value):
        _contacts(headers)
    for headers in _with("Reason", value):
        assert all(each.value for each in parse_reasons(headers) if u"\n" not in each.text)
    for headers in _with("P-Asserted-Identity", value):
        asserted_identities(headers)
    for headers in _with("Privacy", value):
        privacy(headers), tokens(headers, "Privacy")
    for headers in _with("Replaces", value):
        assert find([], headers)[1] in (400, 481)


@given(values | numerals)
def test_any_header_value_can_be_parsed(value):
    name, parameters = parse_parameters(value)
    assert isinstance(name, type(u"")) and all(isinstance(each, type(u"")) for each in parameters.values())
    tag(value), split_list([value]), address_uri(value), parse_replaces(value), supporting([("Supported", value)])
    assert number(value) is None or 0 <= number(value) < 2**31
    told = parse_subscription_state(value)
    assert all(each is None or 0 <= each < 2**31 for each in (told.expires, told.retry_after))
    with_replaces(value, value)


@given(values | numerals)
@example(u"2147483647")
def test_any_session_timer_headers_give_a_time_to_wait(value):
    """The time that is agreed on is one that can be waited for, whatever the peer says."""
    headers = Headers([("Session-Expires", value), ("Min-SE", value), ("Supported", value), ("Allow", value)])
    timer = SessionTimer(None, 90)
    fields = timer.accept(headers)
    assert fields is None or 90 <= timer.expires < 2**31
    timer.raised(headers)
    assert 90 <= timer._wanted < 2**31


@pytest.mark.parametrize(
    "parse",
    [
        parse_uri, parse_address, parse_host_port, parse_transport_address, parse_events, parse_rtpmap,
        lambda text: check_address(text, "to"),
    ],
)  # fmt: skip
@given(text=values | numerals | st.text(max_size=40))
def test_any_text_can_be_parsed(parse, text):
    try:
        parse(text)
    except InputError as error:
        str(error)


@given(st.binary(max_size=200) | values.map(lambda text: text.encode("utf-8", "replace")))
def test_any_body_can_be_read(body):
    try:
        summary = parse_message_summary(body)
        assert len(summary.voice) == 4
    except InputError:
        pass
    Transfer(None, u"sip:a@b")._notified(Headers([("Subscription-State", "active")]), body)
    for kind in ("application/dtmf-relay", "application/dtmf", None):
        headers = Headers([] if kind is None else [("Content-Type", kind)])
        assert events.InfoReceived(None, "INFO", headers, body, None).dtmf in (None,) + tuple("0123456789*#ABCD")
    assert len(events.MessageReceived(None, "MESSAGE", Headers(), body, None).text) <= len(body)


@given(st.text(max_size=200))
def test_any_header_block_can_be_read(text):
    headers = Headers(text)
    for name, value in headers:
        assert value in headers.get_all(name)
    assert len(headers) == len(list(headers))


@given(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1), st.none() | st.just(u"sip:mailbox@example.com"))
def test_any_message_summary_is_read_or_refused(new, old, account):
    summary = parse_message_summary(build_message_summary(new, old, account=account))
    assert (summary.waiting, summary.voice[:2], summary.account) == (new > 0, (new, old), account)


# -- traces --------------------------------------------------------------------------------------------

_MESSAGE = b"INVITE sip:a@b SIP/2.0\r\nCSeq: 1 INVITE\r\nAuthorization: Digest response=\"0\"\r\n\r\n"
_LINKTYPES = [0, 1, 12, 101, 113, 147]


def _pcap(linktype, frames, magic=0xA1B2C3D4):
    octets = struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 65535, linktype)
    for frame in frames:
        octets += struct.pack("<IIII", 1, 2, len(frame), len(frame)) + frame
    return octets


def _frame(text):
    udp = struct.pack(">HHHH", 5060, 5070, 8 + len(text), 0) + text
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1") + udp


def _drawn(stream):
    """All that is made of a capture."""
    try:
        rows = [
            ladder.Arrow(each.time, each.source, each.target, ladder.label(each.data), ladder.label(each.data, True))
            for each in record.read(stream)
        ]
    except InputError:
        return
    ladder.draw_arrows(rows), svg.render(rows)


@given(st.binary(max_size=120))
def test_any_octets_are_a_capture_or_refused(data):
    _drawn(io.BytesIO(data))


@given(st.sampled_from(_LINKTYPES), st.lists(st.binary(max_size=80), max_size=4))
def test_any_frames_of_a_capture_are_read_or_refused(linktype, frames):
    _drawn(io.BytesIO(_pcap(linktype, frames)))


@given(st.data())
def test_a_capture_with_octets_changed(data):
    octets = bytearray(_pcap(101, [_frame(_MESSAGE), _frame(_MESSAGE)]))
    for _ in range(data.draw(st.integers(1, 8))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    _drawn(io.BytesIO(bytes(octets[: data.draw(st.integers(0, len(octets)))])))


@given(st.data())
def test_pcapng_with_octets_changed(data):
    block = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<IIHHII", 1, 20, 101, 0, 65535, 20)
    frame = _frame(_MESSAGE)
    padded = frame + b"\0" * (-len(frame) % 4)
    size = 32 + len(padded)
    packet = struct.pack("<IIIIIII", 6, size, 0, 0, 1, len(frame), len(frame)) + padded + struct.pack("<I", size)
    octets = bytearray(block + interface + packet)
    for _ in range(data.draw(st.integers(0, 6))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    _drawn(io.BytesIO(bytes(octets[: data.draw(st.integers(0, len(octets)))])))


@given(st.binary(max_size=200), st.text(max_size=30), st.floats(0, 2**33))
def test_any_message_can_be_traced(data, peer, time):
    """Traced, masked, drawn, kept for matching."""
    message = TraceMessage(False, peer, data, time)
    trace.render(message), Peers().completed(message), Peers().completed(message._replace(outgoing=True))
    assert len(masking.without_credentials(data)) >= 0
    assert hep.packet(message, Ends(u"127.0.0.1", 5060).of(False, peer), "udp", 1).startswith(b"HEP3")
    ladder.draw([message], u"127.0.0.1:5060", width=40)


@given(st.lists(values | st.just(u"12:00:00.000 -> 127.0.0.1:5060 (10 octets)") | st.just(u"    INVITE"), max_size=8))
def test_any_text_is_a_trace_or_refused(lines):
    rows = diagram_input.from_text(u"\n".join(lines))
    ladder.draw_arrows(rows), svg.render(rows)


def test_a_time_of_many_years_is_waited_for_in_parts():
    """An engine takes no more milliseconds than an int has."""
    dispatcher = dispatch.Dispatcher(None, None, None)
    dispatcher._timers = [(2.0**40, 0, dispatch.Timer(len))]
    assert dispatcher._until_due(None) == dispatcher._until_due(2.0**40) == dispatch._LONG
