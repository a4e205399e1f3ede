"""Whatever a capture file is made of: its messages or an InputError, and never more memory than a packet takes."""

from __future__ import absolute_import, division, print_function

from hypothesis import given
from hypothesis import strategies as st

from peers import capturing
from sipbridge import record
from sipbridge.errors import InputError

MESSAGES = [capturing.message(b"x" * size, size + 1) for size in (0, 3, 600)]
_ENDS = [(capturing.HERE, capturing.THERE), (capturing.HERE6, capturing.THERE6)]
_PACKETS = [make for ends in _ENDS for make in (
    [capturing.udp(MESSAGES[1], ends), capturing.tcp(MESSAGES[0], 1, ends)]
    + capturing.fragments(MESSAGES[2], 104, ends)
)]  # fmt: skip
links = st.sampled_from(sorted(capturing.WRAPPED))
packets = st.lists(st.sampled_from(_PACKETS), max_size=6)


@st.composite
def files(draw):
    """A capture file, some of whose octets are others, some are missing, and some stand twice."""
    link = draw(links)
    write = draw(st.sampled_from([capturing.pcap, capturing.pcapng]))
    octets = bytearray(write([capturing.WRAPPED[link](packet) for packet in draw(packets)], link))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(octets)))
        size = draw(st.integers(0, 9))
        with_ = draw(st.binary(max_size=9) | st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\0" * 20000, b"SIP/2.0 200 "]))
        octets[place : place + size] = with_
    return bytes(octets)


class _Watched(object):
    """A file that no reader may ask for more than a packet at a time."""

    def __init__(self, octets):
        self._stream = capturing.stream(octets)

    def read(self, size):
        assert 0 <= size <= 2**19, size
        return self._stream.read(size)


@given(files() | st.binary(max_size=200).map(lambda rest: capturing.pcapng([]) + rest))
def test_a_capture_has_messages_or_is_an_input_error(octets):
    try:
        found = list(record.read(_Watched(octets)))
    except InputError:
        return
    assert all(each.data and 0 <= each.time for each in found)


@given(st.data())
def test_a_stream_is_the_same_however_it_is_cut(data):
    octets = b"".join(data.draw(st.lists(st.sampled_from(MESSAGES), min_size=1, max_size=5)))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(octets) - 1), max_size=12)))
    begin = data.draw(st.integers(0, 2**32 - 1))
    places = list(zip([0] + cuts, cuts + [len(octets)]))
    parts = [capturing.tcp(octets[start:end], begin + 1 + start) for start, end in places]
    mixed = data.draw(st.permutations(parts + data.draw(st.lists(st.sampled_from(parts), max_size=4))))
    file = capturing.pcap([capturing.tcp(b"", begin, flags=2)] + list(mixed))
    assert b"".join(each.data for each in record.read(capturing.stream(file))) == octets
