"""Datagrams that no peer should send: requests and responses with something missing, doubled, cut or overdone."""

from __future__ import absolute_import, division, print_function

_LINES = [
    ("Via", "SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKmalformed%d"),
    ("From", "<sip:a@127.0.0.1>;tag=1"),
    ("To", "<sip:b@127.0.0.1>"),
    ("Call-ID", "malformed-%d"),
    ("CSeq", "1 %s"),
    ("Contact", "<sip:a@127.0.0.1:9>"),
    ("Max-Forwards", "70"),
    ("Content-Length", "0"),
]
_VALUES = ["", " ", "\x00", "\x80\xff", ";;;===", "<" * 50, '"', "%s%n", "x" * 3000, "-1", "99999999999999999999"]


def _message(start, method, number, replaced=(), removed=(), body=""):
    lines = [start]
    for name, value in _LINES:
        if name in removed:
            continue
        if "%d" in value:
            value = value % number
        elif "%s" in value:
            value = value % method
        lines.append("%s: %s" % (name, dict(replaced).get(name, value)))
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")


def datagrams():
    """All of them, bytes each."""
    number = 0
    for method in ("INVITE", "OPTIONS", "BYE", "MESSAGE", "SUBSCRIBE", "ACK", "CANCEL", "REGISTER", "X"):
        start = "%s sip:b@127.0.0.1 SIP/2.0" % method
        whole = _message(start, method, 10 ** 6, body="body")
        for length in range(0, len(whole), 29):
            yield whole[:length]
        for name, _ in _LINES:
            number += 1
            yield _message(start, method, number, removed=(name,))
            for value in _VALUES:
                number += 1
                yield _message(start, method, number, replaced={name: value}.items())
    for start in ("SIP/2.0 200 OK", "SIP/2.0 999 X", "SIP/2.0", "INVITE", "", "INVITE  SIP/2.0", "SIP/3.0 200 OK"):
        yield _message(start, "INVITE", 1)
    yield b"\r\n\r\n" * 100
    yield b"\x00" * 65000
    yield b"x" * 65000
