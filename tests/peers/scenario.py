"""sipp scenarios, written down as the ladder of a flow: what the peer receives and sends, step by step.

    Callee().recv("INVITE").reply(180).reply(200, SDP).recv("ACK").recv("BYE").reply(200)

``xml()`` gives the scenario as sipp reads it. A scenario is one call (one Call-ID), and what it does not
expect makes sipp fail it.
"""

from __future__ import absolute_import, division, print_function

from xml.sax.saxutils import quoteattr

SDP = "application/sdp"

_REASONS = {
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    401: "Unauthorized",
    407: "Proxy Authentication Required",
    486: "Busy Here",
    487: "Request Terminated",
}

#: Headers of a request that a response repeats; To, which may get a tag, is the last.
_KEPT = ("Via", "From", "CSeq", "To")

_VIA = "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-%d"
_CONTACT = "Contact: <sip:%s@[local_ip]:[local_port]>"


class _Scenario(object):
    """What callers and callees have in common. Every step returns the scenario, to be chained."""

    _tag = None  # of this side, in From or To
    _user = None  # of this side's Contact

    def __init__(self):
        self._steps = []
        self._variables = []  # sipp's, in use
        self._labels = 0
        self._cseq = 0
        self._invite = 0  # the CSeq of the INVITE sent last, which its ACK has, too
        self._transactions = 0
        self._sent = None  # Request-URI, Via line and To of the request sent last
        self._in_dialog = False  # what is received carries our tag already

    def xml(self):
        """The scenario file."""
        reference = '<Reference variables="%s"/>\n' % ",".join(self._variables) if self._variables else ""
        form = '<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="%s">\n%s%s</scenario>\n'
        return form % (type(self).__name__, "".join(self._steps), reference)

    def _add(self, step):
        self._steps.append(step + "\n")
        return self

    def _variable(self, name):
        if name not in self._variables:
            self._variables.append(name)
        return name

    def _new_label(self):
        self._labels += 1
        return self._labels

    # -- receiving -----------------------------------------------------------------------------------------

    def recv(self, method, within=None):
        """Receive a request; within so many milliseconds, if given."""
        return self._recv(method, "", "" if within is None else ' timeout="%d"' % within)

    def recv_with_digest(self, method, user, password):
        """Receive a request with a valid Authorization. With any other the scenario fails.

        (sipp does not verify Proxy-Authorization: :func:`peers.wire.check_digest` does.)
        """
        check = '<verifyauth assign_to="%s" username=%s password=%s/>'
        variable, label = self._variable("verified"), self._new_label()
        self._recv(method, check % (variable, quoteattr(user), quoteattr(password)), "")
        self._add('<nop next="%d" test="%s"><action/></nop>' % (label, variable))
        self._add('<nop><action><error message="the digest is wrong"/></action></nop>')
        return self._add('<label id="%d"/>' % label)

    def _recv(self, method, actions, attributes):
        actions += self._remember(method)
        attributes += ' rrs="true"' if method in ("INVITE", "SUBSCRIBE") else ""
        action = "<action>%s</action>" % actions if actions else ""
        return self._add('<recv request="%s"%s>%s</recv>' % (method, attributes, action))

    def _remember(self, method):
        """The actions that keep what is needed later of a request."""
        return ""

    def expect(self, status, optional=False, auth=False, attributes=""):
        """Receive a response. ``auth``: its challenge is for the next request with credentials."""
        attributes += ' optional="true"' if optional else ""
        attributes += ' auth="true"' if auth else ""
        attributes += ' rrs="true"' if 180 <= status < 300 else ""
        return self._add('<recv response="%d"%s/>' % (status, attributes))

    def expect_reliable(self, status):
        """Receive a provisional response with RSeq, and acknowledge it by PRACK (RFC 3262)."""
        action = '<action><ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" assign_to="%s"/></action>'
        self._add('<recv response="%d" rrs="true">%s</recv>' % (status, action % self._variable("rseq")))
        return self.request("PRACK", headers=[("RAck", "[$rseq] %d INVITE" % self._invite)]).expect(200)

    def expect_one_of(self, usual, alternative):
        """Receive one of two responses."""
        label = self._new_label()
        self.expect(alternative, True, attributes=' next="%d"' % label)
        return self.expect(usual)._add('<label id="%d"/>' % label)

    def expect_both(self, one, two):
        """Receive two responses, in whichever order they come."""
        second, done = self._new_label(), self._new_label()
        self.expect(two, True, attributes=' next="%d"' % second)
        self.expect(one).expect(two, attributes=' next="%d"' % done)
        return self._add('<label id="%d"/>' % second).expect(one)._add('<label id="%d"/>' % done)

    def expect_either_order(self, status, method):
        """Receive a response, and a request that is answered 200, in whichever order they come."""
        second, done = self._new_label(), self._new_label()
        self._recv(method, "", ' optional="true" next="%d"' % second)
        self.expect(status).recv(method).reply(200)
        self._add('<nop next="%d"><action/></nop>' % done)
        self._add('<label id="%d"/>' % second).reply(200).expect(status)
        return self._add('<label id="%d"/>' % done)

    def pause(self, milliseconds):
        """Wait. What arrives meanwhile, and is no retransmission, fails the scenario."""
        return self._add('<pause milliseconds="%d"/>' % milliseconds)

    # -- sending -------------------------------------------------------------------------------------------

    def _send(self, lines, body, content_type, retransmit=False):
        lines = [line for line in lines if line is not None]
        if body is None:
            lines += ["Content-Length: 0", "", ""]
        else:
            lines += ["Content-Type: %s" % content_type, "Content-Length: [len]", "", _body(body)]
        attributes = ' retrans="500"' if retransmit else ""
        return self._add("<send%s><![CDATA[\n%s]]></send>" % (attributes, "\n".join(lines)))

    def again(self, back=1):
        """Send the datagram of the last send step, or of the one so many ``back``, once more."""
        step = [step for step in self._steps if step.startswith("<send")][-back]
        return self._add(step.replace(' retrans="500"', "", 1).rstrip("\n"))

    def reply(self, status, body=None, reason=None, headers=(), content_type=SDP):
        """Answer the request received last."""
        lines = ["SIP/2.0 %d %s" % (status, reason or _REASONS.get(status, "Because"))]
        lines += ["[last_Via:]", "[last_Record-Route:]", "[last_From:]"]
        lines += ["[last_To:]" + ("" if self._in_dialog else ";tag=" + self._tag)]
        lines += ["[last_Call-ID:]", "[last_CSeq:]"]
        if status < 300 and not any(name == "Contact" for name, _ in headers):
            lines.append(_CONTACT % self._user)
        return self._send(lines + _lines(headers), body, content_type)

    def request(self, method, body=None, content_type=SDP, headers=()):
        """Send a request within the dialog. A re-INVITE's response is to be followed by an ack."""
        self._cseq += 1
        return self._request(method, body, content_type, headers)

    def ack(self, body=None, content_type=SDP):
        """Acknowledge a 2xx."""
        self._in_dialog = True
        return self._request("ACK", body, content_type, ())

    def _request(self, method, body, content_type, headers):
        self._transactions += 1
        via = _VIA % self._transactions
        from_, to = self._parties()
        if method != "ACK":
            self._sent = "[next_url]", via, to
        if method == "INVITE":
            self._invite = self._cseq
        number = self._invite if method == "ACK" else self._cseq
        lines = ["%s [next_url] SIP/2.0" % method, via, "[routes]", from_, to]
        lines += ["Call-ID: [call_id]", "CSeq: %d %s" % (number, method), "Max-Forwards: 70"]
        lines += [_CONTACT % self._user] + _lines(headers)
        self._send(lines, body, content_type, method != "ACK")
        return self.expect(100, optional=True) if method == "INVITE" else self

    def ack_refusal(self):
        """Acknowledge a final response of 300 to 699 to the INVITE sent last."""
        return self._send_on_last("ACK")

    def _send_on_last(self, method):
        """A CANCEL, or the ACK to a refusal, which go in the transaction of the request sent last."""
        uri, via, to = self._sent
        if method == "ACK" and "tag" not in to:
            to += "[peer_tag_param]"
        lines = ["%s %s SIP/2.0" % (method, uri), via, "[routes]" if uri == "[next_url]" else None]
        lines += [self._parties()[0], to, "Call-ID: [call_id]", "CSeq: %d %s" % (self._cseq, method)]
        return self._send(lines + ["Max-Forwards: 70"], None, None, method != "ACK")

    def _parties(self):
        """From and To of a request within the dialog."""
        raise NotImplementedError


class Callee(_Scenario):
    """A peer that waits for an INVITE, a REGISTER, a MESSAGE."""

    _tag = "[pid]callee[call_number]"
    _user = "callee"
    _accepted = False  # the last response was a 2xx
    _reinvited = False  # the INVITE received last carried our tag
    _first = "INVITE"  # what began the dialog

    def recv(self, method, within=None):
        if method == "SUBSCRIBE":
            self._first = method
        self._reinvited = self._reinvited or (method == "INVITE" and self._in_dialog)
        super(Callee, self).recv(method, within)
        if method == "ACK":
            self._in_dialog = self._in_dialog or self._accepted
        return self

    def _remember(self, method):
        keep = '<ereg regexp=".*" search_in="hdr" header="%s:" assign_to="%s"/>'
        kept = () if self._in_dialog else _KEPT
        headers = {"INVITE": _KEPT, "SUBSCRIBE": kept, "BYE": _KEPT, "REGISTER": ("Contact",)}.get(method, ())
        return "".join(keep % (each, self._variable("%s_%s" % (method, each))) for each in headers)

    def reply(self, status, *args, **kwargs):
        self._accepted = 200 <= status < 300
        super(Callee, self).reply(status, *args, **kwargs)
        self._in_dialog = self._in_dialog or (self._first == "SUBSCRIBE" and self._accepted)
        return self

    def reply_in_dialog(self, status):
        """Answer a request that came before the INVITE's final response: its To has our tag already."""
        in_dialog, self._in_dialog = self._in_dialog, True
        self.reply(status)
        self._in_dialog = in_dialog
        return self

    def reply_to(self, method, status, body=None):
        """Answer the INVITE or BYE received last when something else has come since."""
        self._accepted = 200 <= status < 300
        tag = "" if method == "BYE" or self._reinvited else ";tag=" + self._tag
        lines = ["SIP/2.0 %d %s" % (status, _REASONS[status]), "Call-ID: [call_id]"]
        lines += ["%s:[$%s_%s]" % (header, method, header) for header in _KEPT]
        lines[-1] += tag
        return self._send(lines + [_CONTACT % self._user], body, SDP)

    def _parties(self):
        tag = "" if self._reinvited else ";tag=" + self._tag
        return "From:[$%s_To]%s" % (self._first, tag), "To:[$%s_From]" % self._first


class Caller(_Scenario):
    """A peer that sends an INVITE, a REGISTER, a MESSAGE.

    Args:
        uri: the Request-URI; the remote address by default.
        to: the URI in To; the Request-URI by default.
        from_: the URI in From.
        to_tag: a tag for To, or None.
    """

    _tag = "[pid]caller[call_number]"
    _user = "caller"

    def __init__(self, uri="sip:callee@[remote_ip]:[remote_port]", to=None, from_=None, to_tag=None):
        super(Caller, self).__init__()
        self._in_dialog = True  # whatever is received is within the dialog that this side began
        self._uri = uri
        self._to = "To: <%s>%s" % (to or uri, ";tag=" + to_tag if to_tag else "")
        self._from = "From: <%s>;tag=%s" % (from_ or "sip:caller@[local_ip]:[local_port]", self._tag)

    def initial(self, method, body=None, content_type=SDP, headers=(), credentials=None):
        """Send a request that begins something.

        ``credentials``: user and password for the challenge received last, or None.
        """
        self._cseq += 1
        self._transactions += 1
        via = _VIA % self._transactions
        self._sent = self._uri, via, self._to
        if method == "INVITE":
            self._invite = self._cseq
        lines = ["%s %s SIP/2.0" % (method, self._uri), via, self._from, self._to]
        lines += ["Call-ID: [call_id]", "CSeq: %d %s" % (self._cseq, method), "Max-Forwards: 70"]
        lines += [_CONTACT % self._user] + _lines(headers)
        if credentials is not None:
            lines.append("[authentication username=%s password=%s]" % credentials)
        self._send(lines, body, content_type, True)
        if method == "SUBSCRIBE":
            self.expect(101, optional=True)  # which libeXosip2 sends first
        return self.expect(100, optional=True) if method == "INVITE" else self

    def cancel(self):
        """Send a CANCEL for the INVITE."""
        return self._send_on_last("CANCEL")

    def _parties(self):
        return self._from, self._to + "[peer_tag_param]"


def _lines(headers):
    return ["%s: %s" % header for header in headers]


def _body(body):
    """Bytes of lines that end in CR LF as text for a scenario; sipp writes the CR itself."""
    text = body.decode("utf-8")
    if "\n" in text.replace("\r\n", "") or "[" in text or "]]>" in text or not text.endswith("\r\n"):
        raise ValueError("sipp cannot send %r" % body)
    return text.replace("\r\n", "\n")
