"""SIP messages as octets: a valid one, and what can be done to it."""

from __future__ import absolute_import, division, print_function

METHODS = ("INVITE", "ACK", "OPTIONS", "BYE", "CANCEL", "REGISTER", "MESSAGE")

#: What a server transaction is made of. Call-ID is another one that has to be there.
NEEDED = ("Via", "From", "To", "CSeq")


def fields(method, name="m", port=9):
    """The header fields of a valid request: pairs, in their order. ``name`` tells it from others."""
    return [
        ("Via", "SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK-%s;rport" % (port, name)),
        ("From", '"A. Tester" <sip:tester@example.com>;tag=from-%s' % name),
        ("To", "<sip:service@example.com>"),
        ("Call-ID", "%s@example.com" % name),
        ("CSeq", "1 " + method),
        ("Max-Forwards", "70"),
        ("Contact", "<sip:tester@127.0.0.1:%d>" % port),
        ("Content-Length", "0"),
    ]


def compose(start_line, pairs, body=b""):
    """The octets of a message."""
    lines = [start_line] + ["%s: %s" % pair for pair in pairs] + ["", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def request(method, name="m", port=9, **changes):
    """A request. ``changes``: other values by header, ``_`` for ``-``; None leaves the header out."""
    replaced = dict((each.replace("_", "-").lower(), value) for each, value in changes.items())
    pairs = [(each, replaced.pop(each.lower(), value)) for each, value in fields(method, name, port)]
    pairs += replaced.items()
    kept = [pair for pair in pairs if pair[1] is not None]
    return compose("%s sip:service@127.0.0.1 SIP/2.0" % method, kept)


def response(status=200, method="INVITE", name="m", **changes):
    """A response to such a request, as :func:`request`."""
    octets = request(method, name, **changes)
    return ("SIP/2.0 %d Whatever" % status).encode("ascii") + octets[octets.index(b"\r\n") :]


def crash_corpus():
    """(name, octets, whether libeXosip2 3.6.0 dies of it): seven methods, each without one of five header fields,
    or with it empty. Seventy messages.
    """
    for method in METHODS:
        for header in NEEDED + ("Call-ID",):
            for how, value in (("missing", None), ("empty", "")):
                name = "%s-%s-%s" % (method, header, how)
                octets = request(method, name, **{header.replace("-", "_"): value})
                yield name, octets, method != "ACK" and header in NEEDED


class Reply(object):
    """A response: ``status``, and ``fields``, a list of (name, value), names in lower case."""

    def __init__(self, octets):
        head, _, self.body = octets.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.octets = octets
        self.status = int(lines[0].split(" ")[1])
        pairs = [line.partition(":") for line in lines[1:]]
        self.fields = [(name.strip().lower(), value.strip()) for name, _, value in pairs]

    def __getitem__(self, name):
        (value,) = [value for field, value in self.fields if field == name.lower()]
        return value

    @property
    def rule(self):
        """The rule that the shield names in its Warning, or None when the answer is not the shield's."""
        for name, value in self.fields:
            if name == "warning" and value.startswith("399 sipbridge "):
                return value.split('"')[1].partition("shield: ")[2]
        return None
