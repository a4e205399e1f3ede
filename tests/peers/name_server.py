"""A name server on loopback, with the records that a test gives it, and the ways in which one can fail.

An endpoint finds it through `resolv_conf`.
"""

from __future__ import absolute_import, division, print_function

import os
import random
import select
import socket
import struct
import threading
import zlib

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from peers.ports import HOST


class NameServer(object):
    """The name server; answers from :attr:`records` until :meth:`stop`.

    Args:
        folder: where the file for `resolv_conf` goes.

    Attributes:
        records: (name, type) to a list of texts, as in a zone file: ("example.test", "A"): ["127.0.0.1"].
            For tests to fill. What is not in it does not exist.
        silent: names that are never answered, with all below them.
        answers: name to a function of the query's octets that returns the octets to answer with, or several.
        asked: (name, type) of each query, in order.
    """

    def __init__(self, folder):
        self.records = {}
        self.silent = set()
        self.answers = {}
        self.asked = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self.port = self._socket.getsockname()[1]
        self.configuration = os.path.join(folder, "resolv.conf")
        with open(self.configuration, "w") as stream:
            stream.write("nameserver %s\nport %d\n" % (HOST, self.port))
        self._stopping = False
        self._thread = threading.Thread(target=self._serve)
        self._thread.daemon = True
        self._thread.start()

    def add(self, name, kind, *texts):
        """Give a name records of one type."""
        self.records[name, kind] = list(texts)

    def add_service(self, domain, transport, *targets):
        """SRV records for _sip._<transport> of a domain: (priority, weight, port, host) each."""
        self.add("_sip._%s.%s" % (transport, domain), "SRV", *["%d %d %d %s." % target for target in targets])

    def stop(self):
        self._stopping = True
        self._thread.join(5.0)
        self._socket.close()

    def _serve(self):
        while not self._stopping:
            if not select.select([self._socket], [], [], 0.05)[0]:
                continue
            octets, source = self._socket.recvfrom(65536)
            for answer in self._answer(octets):
                self._socket.sendto(answer, source)

    def _answer(self, octets):
        try:
            query = dns.message.from_wire(octets)
        except dns.exception.DNSException:
            return []  # who believes a hostile answer may ask for what is no name
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if any(name == each or name.endswith("." + each) for each in self.silent):
            return []
        if name in self.answers:
            answer = self.answers[name](octets)
            return [answer] if isinstance(answer, bytes) else answer
        return [self._from_records(query, question, name, kind)]

    def _from_records(self, query, question, name, kind):
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        while (name, "CNAME") in self.records and kind != "CNAME":
            response.answer.append(self._set(name, "CNAME"))
            name = self.records[name, "CNAME"][0].rstrip(".")
            if len(response.answer) > 8:
                return response.to_wire()
        if (name, kind) in self.records:
            response.answer.append(self._set(name, kind))
        elif not any(each == name or each.endswith("." + name) for each, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()

    def _set(self, name, kind):
        return dns.rrset.from_text(name + ".", 60, "IN", str(kind), *self.records[name, kind])


def _header_of(query, answers, flags=0x8580):
    """The octets that begin an answer to a query: its number, and its question as it came."""
    end = query.index(b"\0", 12) + 5  # the root label, type and class
    return query[:2] + struct.pack("!HHHHH", flags, 1, answers, 0, 0) + query[12:end]


def _loop(query):
    """A name that is compressed to itself, as answer."""
    return _header_of(query, 1) + b"\xc0" + struct.pack("!B", len(_header_of(query, 1))) + b"\0" * 10


def _huge(query):
    """More records than there are octets."""
    return _header_of(query, 65535) + b"\xc0\x0c\0\x21\0\1\0\0\0\1\xff\xff" + b"\xff" * 30


def _cut(query):
    """An SRV record, a NAPTR record and an address that end before they should."""
    return _header_of(query, 3) + b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 1, 3) + b"\xff\xff\xff" for kind in (33, 35, 1)
    )


def _long_text(query):
    """A NAPTR record whose text is longer than the record."""
    return _header_of(query, 1) + b"\xc0\x0c" + struct.pack("!HHIH", 35, 1, 1, 9) + b"\0\1\0\1\xffabcd"


def _srv(query, target, before=b""):
    """An SRV record with the octets of a target, after a record of no use."""
    text = _header_of(query, 2) + b"\xc0\x0c" + struct.pack("!HHIH", 16, 1, 1, len(before)) + before
    return text + b"\xc0\x0c" + struct.pack("!HHIHHHH", 33, 1, 1, 6 + len(target), 1, 1, 5060) + target


def _jumps(query):
    """A name of nothing but steps back, each to the one before."""
    place = len(_header_of(query, 2)) + 12
    steps = b"\xc0\x0c" + b"".join(struct.pack("!H", 0xC000 + place + 2 * i) for i in range(150))
    return _srv(query, struct.pack("!H", 0xC000 + place + len(steps) - 2), steps)


def mutated(query):
    """An answer with an SRV record, a NAPTR record and an address, some octets of which are others."""
    end = query.index(b"\0", 12) + 1
    naptr = b"\0\1\0\1\1s\x07SIP+D2U\0\4_sip\4_udp\xc0\x0c"
    answer = bytearray(_header_of(query, 3))
    for kind, data in ((33, b"\0\1\0\1\x13\xc4\3one\xc0\x0c"), (35, naptr), (1, b"\x7f\0\0\1")):
        answer += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 1, len(data)) + data
    generator = random.Random(zlib.crc32(query[12:]))
    for _ in range(generator.randrange(1, 6)):
        answer[generator.randrange(6, len(answer))] = generator.choice((0, 1, 0x0C, 0x3F, 0x40, 0xC0, 0xFF))
    answer[12:end] = query[12:end]  # else it is none to our question
    return bytes(answer)


#: Answers that are none, or not what they should be: name to a function of the query's octets.
HOSTILE = {
    "loop": _loop,
    "huge": _huge,
    "cut": _cut,
    "long text": _long_text,
    "empty": lambda query: b"",
    "query": lambda query: query,
    "garbage": lambda query: query[:2] + b"\x81\x80" + b"\xff" * 500,
    "failure": lambda query: _header_of(query, 0, 0x8182),
    "refused": lambda query: _header_of(query, 0, 0x8185),
    "missing": lambda query: _header_of(query, 1),
    "jumps": _jumps,
    "odd name": lambda query: _srv(query, b"\x0aa b\\\0.\n\xff%s\0", b"\0"),
    "no end": lambda query: _srv(query, b"\x3f" + b"a" * 63),
    "long name": lambda query: _srv(query, (b"\x3f" + b"a" * 63) * 6 + b"\0"),
    "escaped dot": lambda query: _srv(query, b"\4a\\.\\\0"),
    "truncated": lambda query: _header_of(query, 0, 0x8780),
    "burst": lambda query: [b"", query[:5], query[:12]] * 20,
}
