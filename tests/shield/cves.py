"""Messages of what was published of libosip2 after Ubuntu 12.04 had gone out of support, each made from its description
and the change that mended it: 12.04's has none of them.

Each is a list of (octets, what the shield says of them). ``port``: where they come from.
"""

from __future__ import absolute_import, division, print_function

from shield.messages import compose, fields, request

PASSED = ("pass", 0, "")


def _refused(rule):
    return ("answer", 400, rule)


def _with(line, name, port, method="OPTIONS"):
    octets = request(method, name, port)
    return octets.replace(b"\r\nContent-Length", b"\r\n" + line + b"\r\nContent-Length")


def multipart(body, name, port, parameters="boundary=x"):
    """A MESSAGE with a body of parts."""
    pairs = fields("MESSAGE", name, port)[:-1]
    pairs += [("MIME-Version", "1.0"), ("Content-Type", "multipart/mixed;" + parameters)]
    pairs.append(("Content-Length", str(len(body))))
    return compose("MESSAGE sip:service@127.0.0.1 SIP/2.0", pairs, body)


def of_2016_10324(port=9):
    """osip_clrncpy() is given no octets, and looks at the one in front of them: what is nothing but white space."""
    lines = [b"Subject: ", b"Subject:\t ", b"Subject:\r\n ", b"X-Unknown: a, ,b", b"Supported: timer,\t,100rel"]
    return [(_with(line, "clrncpy-%d" % at, port), PASSED) for at, line in enumerate(lines)]


def long_uri(scheme="sip:"):
    """3,990 octets when its 1,330 are written again."""
    return scheme + "^" * 1330 + "@127.0.0.1"


def of_2016_10325(port=9):
    """_osip_message_to_str() has 4,000 octets for the start line: what becomes a request's target is longer."""
    found = []
    for at, method in enumerate(("INVITE", "OPTIONS", "SUBSCRIBE", "REFER")):
        octets = request(method, "line-%d" % at, port, Contact="<%s>" % long_uri())
        found.append((octets, _refused("contact")))
    octets = request("INVITE", "line-route", port, Record_Route="<%s>" % long_uri())
    found.append((octets, _refused("route")))
    octets = request("MESSAGE", "line-uri", port)
    octets = octets.replace(b"sip:service@127.0.0.1 ", long_uri().encode("ascii") + b" ", 1)
    found.append((octets, _refused("request-uri")))
    return found


#: Parts whose header fills what osip_body_to_str() takes for it to the octet: (header lines, content).
FULL_PARTS = [
    (b"Content-Type: text/plain", b"Hello, world!"),
    (b"X-Full: " + b"y" * 48, b"hello"),
    (b"Content-Type: text/plain\r\nContent-ID: <" + b"z" * 28 + b">", b"seventeen octets."),
]


def of_2016_10326(port=9):
    """osip_body_to_str() writes a NUL behind its memory. Well formed, and not rare: the engine makes room."""
    bodies = [b"--x\r\n" + header + b"\r\n\r\n" + content + b"\r\n--x--\r\n" for header, content in FULL_PARTS]
    return [(multipart(body, "to-str-%d" % at, port), PASSED) for at, body in enumerate(bodies)]


def of_2017_7853(port=9):
    """msg_osip_body_parse() copies -2 octets of a part that is not there. The last three have the library take another
    boundary than the one that is meant: within quotes it sees parameters, and the end of one; of a fold it makes
    blanks."""
    none = b"--x\r\n--x--\r\n"
    bodies = [
        (none, "boundary=x", "body"),
        (b"--x\r\n\r\n" + none, "boundary=x", "body"),
        (b"--good\r\n\r\n" + none + b"--good--\r\n", 'a=";boundary=x;";boundary=good', "content-type"),
        (b"--;a\r\n\r\n--\r\n--\r\n--;a--\r\n", 'boundary=";a"', "content-type"),
        (b"--a\r\n b\r\n\r\n--a   b\r\n--a   b--\r\n--a\r\n b--", 'boundary="a\r\n b"', "content-type"),
    ]
    return [
        (multipart(body, "parse-%d" % at, port, parameters), _refused(rule))
        for at, (body, parameters, rule) in enumerate(bodies)
    ]


def of_2022_41550(port=9):
    """osip_body_parse_header() reckons with a ':' in each line of a part's header."""
    headers = [
        (b"no colon", _refused("body")),
        (b"no colon\r\nA: b", _refused("body")),
        (b"A: b\r\nno colon", _refused("body")),
        (b": no name", _refused("body")),
        (b"A:", PASSED),
        (b"A: ", PASSED),
        (b"A: b\r\n c", PASSED),
    ]
    return [
        (multipart(b"--x\r\n" + header + b"\r\n\r\ncontent: of it\r\n--x--\r\n", "header-%d" % at, port), verdict)
        for at, (header, verdict) in enumerate(headers)
    ]
