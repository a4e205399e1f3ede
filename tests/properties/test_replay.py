"""Whatever a recorded call is made of: it is played, or refused with an InputError; nothing else is raised."""

from __future__ import absolute_import, division, print_function

from hypothesis import given
from hypothesis import strategies as st

from peers import capturing
from sipbridge._replay import dialogue, leaving, scenario
from sipbridge._replay.comparison import differences
from sipbridge._replay.fitting import Fitting, Settings
from sipbridge._replay.message import Message
from sipbridge.errors import InputError
from unit.replay.test_fitting import BYE, INVITE, LIVE_OK, RECORDED_OK

_PIECES = [
    b"\r\n", b"\n", b" ", b":", b";", b",", b"<", b">", b'"', b"@", b"\xff", b"\0", b"[", b"]", b"tag=", b";branch=",
    b"SIP/2.0", b"sip:", b"0", b"Via: ", b"Record-Route: <sip:192.0.2.1;lr>\r\n", b"Contact: *\r\n", b"CSeq: x\r\n",
    b"Authorization: Digest username=\"a\", nonce=\"b\"\r\n", b"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n",
]  # fmt: skip


@st.composite
def mutated(draw, data):
    """The message with some of its octets others, missing, or doubled."""
    octets = bytearray(data)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(octets)))
        octets[place : place + draw(st.integers(0, 30))] = draw(st.sampled_from(_PIECES) | st.binary(max_size=5))
    return bytes(octets)


_calls = st.tuples(mutated(INVITE), mutated(RECORDED_OK), mutated(BYE), mutated(LIVE_OK))


@given(_calls, st.sampled_from(["caller", "callee"]))
def test_a_call_is_played_or_refused(messages, role):
    invite, answer, bye, live = messages
    ends = (capturing.HERE, capturing.THERE)
    frames = [capturing.udp(invite, ends), capturing.udp(answer, ends[::-1]), capturing.udp(bye, ends)]
    octets = capturing.pcap(frames)
    try:
        for call in dialogue.calls(capturing.stream(octets)):
            _play(dialogue.load(capturing.stream(octets), call.number, role), Message(live, "127.0.0.1:7777"))
    except InputError:
        pass


def _play(chosen, live):
    target = "127.0.0.1:7777" if chosen.role == "caller" else None
    fitting = Fitting(chosen, "127.0.0.1", "127.0.0.1:9999", target, "udp", Settings(password="x"))
    said = []
    for step in chosen.steps:
        if step.ours:
            said.append(Message(fitting.fit(step.data)))
        else:
            differences(step.message, live, fitting.names())
            fitting.learn(step.message, live)
    for data, _ in leaving.messages(said, [live]):
        assert data.endswith(b"\r\n\r\n")
    assert scenario.write(chosen, "x").endswith(b"</scenario>\n")


@given(mutated(INVITE))
def test_a_message_is_written_as_it_was_read(data):
    assert Message(data).octets() == data
