"""A name server on loopback, with the records that a test gives it, and the ways in which one can fail.

An endpoint finds it through `resolv_conf`.
"""

from __future__ import absolute_import, division, print_function

import os
import select
import socket
import struct
import threading

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
        query = dns.message.from_wire(octets)
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


def header_of(query, answers, flags=0x8580):
    """The octets that begin an answer to a query: its number, and its question as it came."""
    end = query.index(b"\0", 12) + 5  # the root label, type and class
    return query[:2] + struct.pack("!HHHHH", flags, 1, answers, 0, 0) + query[12:end]
