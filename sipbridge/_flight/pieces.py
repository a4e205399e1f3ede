"""The files of an incident: what stands in each of them, masked."""

from __future__ import absolute_import, division, print_function

import json
import time

from sipbridge._capture.passed import call_id_of
from sipbridge._compat import text_type
from sipbridge._later import later
from sipbridge.ladder import Arrow, draw_arrows, label
from sipbridge.svg import render
from sipbridge.uri import parse_host_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Callable, Dict, Iterator, List, Tuple

    from sipbridge._capture import writing
    from sipbridge._flight.incident import Incident
    from sipbridge._text.masking import Masker
    from sipbridge.record import Passed

    #: The name of a file, and a function that writes it to a stream.
    Piece = Tuple[str, Callable[[BinaryIO], object]]
else:
    writing = later("sipbridge._capture.writing")


def pieces(incident, messages, masker):
    # type: (Incident, List[Passed], Masker) -> Iterator[Piece]
    """The files of an incident with these messages, the oldest first. What comes first matters most."""
    ours = [each for each in messages if incident.call_id and call_id_of(each.data) == incident.call_id]
    told = _each_text(masker.text, _told(incident, len(messages), len(ours)))  # not the JSON, which must stay JSON
    yield "incident.json", _text(json.dumps(told, indent=2, sort_keys=True) + "\n")
    if incident.traceback:
        yield "traceback.txt", _text(masker.text(incident.traceback))
    masked = _masked(masker, ours)
    rows = [Arrow(each.time, each.source, each.target, label(each.data), label(each.data, True)) for each in masked]
    if rows:
        yield "call.txt", _text(draw_arrows(rows))
        yield "call.svg", _text(render(rows))
    if incident.call_id:
        yield "call.pcapng", lambda stream: _write_capture(stream, masked)
    yield "window.pcapng", lambda stream: _write_capture(stream, _masked(masker, messages))


def _masked(masker, messages):
    # type: (Masker, List[Passed]) -> List[Passed]
    return [each._replace(data=masker.message(each.data)) for each in messages]


def _told(incident, messages, ours):
    # type: (Incident, int, int) -> Dict[str, Any]
    told = dict(incident.facts, reason=incident.reason, call_id=incident.call_id, text=incident.text)
    clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(incident.time))
    told["time"] = "%s.%03dZ" % (clock, int(incident.time * 1000) % 1000)
    told["messages"] = {"window": messages, "call": ours}
    return told


def _each_text(mask, value):
    # type: (Callable[[str], str], Any) -> Any
    """The value, of what JSON knows, with each text in it masked; anything else becomes its repr()."""
    if isinstance(value, dict):
        return dict((_each_text(mask, key), _each_text(mask, each)) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return [_each_text(mask, each) for each in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return mask(value if isinstance(value, (str, text_type)) else repr(value))


def _text(text):
    # type: (str) -> Callable[[BinaryIO], object]
    octets = text.encode("utf-8") if isinstance(text, text_type) else text  # in Python 2 ASCII is either
    return lambda stream: stream.write(octets)


def _write_capture(stream, messages):
    # type: (BinaryIO, List[Passed]) -> None
    packets = {}  # type: Dict[str, writing.Packets]
    writer = writing.pcapng(stream)
    for each in messages:
        if each.transport not in packets:
            packets[each.transport] = writing.Packets(each.transport)
        for packet in packets[each.transport].of(_party(each.source), _party(each.target), each.data):
            writer.writepkt(bytes(packet), each.time)


def _party(text):
    # type: (str) -> Tuple[str, int]
    host, port = parse_host_port(text)
    return host.strip("[]"), port
