"""Random changes to SIP messages, made with their structure in mind; the same for the same seed."""

from __future__ import absolute_import, division, print_function

import glob
import os
import random

from shield import messages

_RFC4475 = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "rfc4475")

_WORDS = (
    b"\r\n", b"\r", b"\n", b"\0", b"\t", b" ", b"\r\n ", b"\r\n\r\n", b":", b";", b",", b"<", b">", b'"', b"\\", b"@",
    b"%", b"%00", b"=", b"()", b"*", b"[::1]", b"-1", b"4294967296", b"99999999999999999999", b"sip:", b"tel:",
    b"SIP/2.0", b";tag=", b";branch=", b"\xff", b"\xc3\xa4", b"Via:", b"From:", b"To:", b"CSeq:", b"v:", b"f:", b"t:",
    b"Route: <sip:127.0.0.1;lr>\r\n", b"Content-Type: multipart/mixed;boundary=x\r\n", b"Contact: *\r\n",
    b"Require: 100rel\r\n", b"Event: x\r\n", b"Authorization: Digest\r\n", b"Replaces: x\r\n", b"Expires: \r\n",
    b"Content-Length: 9\r\n", b"Record-Route: <sip:127.0.0.1;lr>\r\n", b"Content-Encoding: x\r\n",
)  # fmt: skip


def seeds():
    """The messages that the others are made of."""
    found = [messages.request(method) for method in messages.METHODS + ("SUBSCRIBE", "NOTIFY", "REFER", "INFO")]
    body = b"--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n"
    parts = [("Content-Type", "multipart/mixed;boundary=x"), ("Content-Length", str(len(body)))]
    found.append(messages.compose("MESSAGE sip:s@127.0.0.1 SIP/2.0", messages.fields("MESSAGE")[:-1] + parts, body))
    found += [messages.response(status) for status in (100, 180, 200, 302, 401, 486)]
    for path in sorted(glob.glob(os.path.join(_RFC4475, "*.dat"))):
        with open(path, "rb") as stream:
            found.append(stream.read())
    return found


def _insert(generator, octets):
    at = generator.randrange(len(octets) + 1)
    return octets[:at] + generator.choice(_WORDS) + octets[at:]


def _delete(generator, octets):
    at = generator.randrange(len(octets) + 1)
    return octets[:at] + octets[at + generator.choice((1, 1, 2, 5, 20)) :]


def _overwrite(generator, octets):
    at = generator.randrange(max(1, len(octets)))
    return octets[:at] + bytes(bytearray([generator.randrange(256)])) + octets[at + 1 :]


def _repeat(generator, octets):
    at = generator.randrange(len(octets) + 1)
    part = octets[at : at + generator.choice((1, 2, 8, 40))]
    return octets[:at] + part * generator.choice((2, 3, 50)) + octets[at:]


def _cut(generator, octets):
    return octets[: generator.randrange(len(octets) + 1)]


def _lines(generator, octets):
    """Lose, double, empty or swap a line."""
    lines = octets.split(b"\r\n")
    at = generator.randrange(len(lines))
    how = generator.randrange(4)
    if how == 0:
        del lines[at]
    elif how == 1:
        lines.insert(at, lines[generator.randrange(len(lines))])
    elif how == 2:
        lines[at] = lines[at].partition(b":")[0] + b":"
    else:
        other = generator.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    return b"\r\n".join(lines)


_CHANGES = (_insert, _insert, _delete, _overwrite, _repeat, _cut, _lines, _lines, _lines)


def mutated(seed, number):
    """Yields that many messages, each with one to eight changes and a Call-ID and branch of its own mostly."""
    generator = random.Random(seed)
    originals = seeds()
    for count in range(number):
        octets = generator.choice(originals)
        if generator.random() < 0.9:
            octets = octets.replace(b"-m;", ("-%x;" % count).encode("ascii"))
            octets = octets.replace(b" m@", (" %x@" % count).encode("ascii"))
        for _ in range(generator.choice((1, 1, 2, 3, 4, 5, 6, 8))):
            octets = generator.choice(_CHANGES)(generator, octets)
        yield octets[:60000]
