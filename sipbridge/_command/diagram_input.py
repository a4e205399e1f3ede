"""Read the arrows of a ladder diagram from capture files, and from the output of ``--trace``."""

from __future__ import absolute_import, division, print_function

import io
import re

from sipbridge import record
from sipbridge._text.arguments import check_path, check_text
from sipbridge.errors import InputError
from sipbridge.events import TraceMessage
from sipbridge.ladder import Arrow, arrows, label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Iterator, List, Optional, Tuple

#: The column of an endpoint whose address is not in the trace.
HERE = "here"

_CLOCK = r"([0-9]{2}):([0-9]{2}):([0-9]{2}\.[0-9]{3})"
_HEAD = re.compile(r"(?:.*[\s|])?" + _CLOCK + r" (->|<-) (\S+) \([0-9]+ octets\)\s*\Z")
_INDENT = "    "
_VIA = re.compile(r"^(?:Via|v)[ \t]*:[ \t]*SIP/2\.0/\S+[ \t]+([^;,\s]+)", re.IGNORECASE | re.MULTILINE)
_DAY = 86400.0


def read(path):
    # type: (str) -> List[Arrow]
    """The :class:`~sipbridge.ladder.Arrow` records of a file: pcap, pcapng, or the output of ``--trace``.

    Raises InputError when the file cannot be read or has no SIP message, and NotSupportedError for a capture file when
    dpkt is missing.
    """
    path = check_path(path, "path")
    try:
        with io.open(path, "rb") as stream:
            return read_stream(stream, path)
    except (IOError, OSError) as error:
        raise InputError("cannot read %s: %s" % (path, error.strerror))


def read_stream(stream, name):
    # type: (BinaryIO, str) -> List[Arrow]
    """The same for a file that is open for reading bytes and can be rewound. Errors call it ``name``."""
    found = _read(stream)
    if not found:
        raise InputError("no SIP message in %s" % name)
    return found


def _read(stream):
    # type: (BinaryIO) -> List[Arrow]
    begin = stream.read(4)
    stream.seek(0)
    if record.is_capture(begin):
        return [
            Arrow(each.time, each.source, each.target, label(each.data), label(each.data, True))
            for each in record.read(stream)
        ]
    return from_text(stream.read().decode("utf-8", "replace"))


def from_text(text):
    # type: (str) -> List[Arrow]
    """The arrows in the output of ``--trace``. Other lines in between are ignored."""
    messages = list(_messages(check_text(text, "text").splitlines()))
    return list(arrows(messages, _local(messages)))


def _messages(lines):
    # type: (List[str]) -> Iterator[TraceMessage]
    head = None  # type: Optional[Tuple[float, bool, str]]
    body = []  # type: List[str]
    before, days = 0.0, 0
    for line in list(lines) + [""]:
        if head is not None and line.startswith(_INDENT):
            body.append(line[len(_INDENT) :])
            continue
        if head is not None:
            seconds, outgoing, peer = head
            data = "\r\n".join(body).encode("utf-8")
            yield TraceMessage(outgoing, peer, data if "" in body else data + b"\r\n\r\n", seconds)
        found = _HEAD.match(line)
        head, body = None, []
        if found:
            hours, minutes, fraction, arrow, peer = found.groups()
            clock = int(hours) * 3600 + int(minutes) * 60 + float(fraction)
            days += clock < before - _DAY / 2  # past midnight
            before = clock
            head = clock + days * _DAY, arrow == "->", peer


def _local(messages):
    # type: (List[TraceMessage]) -> str
    """The "host:port" of the endpoint, from the Via of a message that it sent."""
    for message in messages:
        text = message.data.decode("utf-8", "replace")
        found = _VIA.search(text)
        if found and message.outgoing == (not text.startswith("SIP/2.0 ")):
            via = found.group(1)
            if message.outgoing:
                return via if re.search(r":[0-9]+\Z", via) else via + ":5060"
    return HERE
