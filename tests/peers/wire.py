"""SIP messages as they passed, for assertions on what was really sent."""

from __future__ import absolute_import, division, print_function

import hashlib
import re

_ENTRY = re.compile(br"^(?:UDP|TCP) message (?:(received) \[(\d+)\] bytes :|sent \((\d+) bytes\):)\n\n", re.MULTILINE)


class Message(object):
    """One message.

    Attributes:
        octets: all of it.
        received: True when the peer received it, that is, when the endpoint under test sent it.
        start_line: text.
        fields: pairs of text, the name as it stands.
        body: bytes.
    """

    def __init__(self, octets, received):
        self.octets = octets
        head, _, self.body = octets.partition(b"\r\n\r\n")
        lines = head.decode("utf-8").split("\r\n")
        self.received = received
        self.start_line = lines[0]
        pairs = [line.partition(":") for line in lines[1:]]
        self.fields = [(name.strip(), value.strip()) for name, _, value in pairs]

    def __repr__(self):
        return "<%s %s>" % ("received" if self.received else "sent", self.start_line)

    @property
    def is_request(self):
        return not self.start_line.startswith("SIP/2.0 ")

    @property
    def status(self):
        """The status code, None for a request."""
        return None if self.is_request else int(self.start_line.split()[1])

    @property
    def method(self):
        """The request's method; of a response, that of the request it answers."""
        return self["CSeq"].split()[1]

    @property
    def name(self):
        """ "INVITE", "180"."""
        return self.method if self.is_request else str(self.status)

    def get_all(self, name):
        """The values of a header, whose name is given in long form."""
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def __getitem__(self, name):
        """The one value of a header."""
        values = self.get_all(name)
        if len(values) != 1:
            raise AssertionError("%d of %s in %r" % (len(values), name, self.fields))
        return values[0]

    def __contains__(self, name):
        return bool(self.get_all(name))


def parse_sipp_log(octets):
    """The messages in what sipp wrote with -trace_msg, in order."""
    messages = []
    position = 0
    while True:
        entry = _ENTRY.search(octets, position)
        if entry is None:
            return messages
        length = int(entry.group(2) or entry.group(3))
        position = entry.end() + length
        messages.append(Message(octets[entry.end() : position], entry.group(1) is not None))


def digest_parameters(value):
    """The parameters of a Digest header value as a dict of text, quotes taken off."""
    scheme, _, rest = value.partition(" ")
    assert scheme == "Digest", value
    return dict(
        (name, text.strip('"')) for name, text in re.findall(r'(\w+)\s*=\s*("[^"]*"|[^\s,]+)', rest)
    )


def check_digest(message, header, password):
    """Assert that a request's credentials are right for the password (RFC 7616, 3.4). Returns their parameters."""
    given = digest_parameters(message[header])
    hashed = _sha256 if given.get("algorithm") == "SHA-256" else _md5
    secret = hashed(given["username"], given["realm"], password)
    nonce = [given["nonce"]]
    if "qop" in given:
        nonce += [given["nc"], given["cnonce"], given["qop"]]
    expected = hashed(secret, *(nonce + [hashed(message.method, given["uri"])]))
    if given["response"] != expected:
        raise AssertionError("the response is not %s: %r" % (expected, given))
    return given


def _sha256(*parts):
    return hashlib.sha256(":".join(parts).encode("utf-8")).hexdigest()


def _md5(*parts):
    return hashlib.md5(":".join(parts).encode("utf-8")).hexdigest()
