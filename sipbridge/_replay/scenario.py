"""A recorded call as a scenario of sipp, to load an endpoint with it."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._replay.addresses import sent_from
from sipbridge._replay.message import Message, first_of
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Set

    from sipbridge._replay.dialogue import Dialogue, Step

_SHORTEST_PAUSE = 0.05  # seconds; a shorter gap is none
_TAG = re.compile(u"(;\\s*tag\\s*=\\s*)[^\\s;,>\"]*", re.IGNORECASE)
_URI = re.compile(u"(sips?:(?:[^@\\s<>\"]*@)?)(?:\\[[0-9A-Fa-f:.]+\\]|[^\\s<>\";?,:]+)(?::[0-9]+)?", re.IGNORECASE)
_HERE = u"\\g<1>[local_ip]:[local_port]"
_KEPT = (u"Via", u"From", u"To", u"CSeq")


def write(dialogue, name, user=None):
    # type: (Dialogue, str, Optional[str]) -> bytes
    """The scenario, XML in UTF-8. ``user`` answers digest challenges; None: the recorded one.

    Raises InputError for a call that sipp cannot send.
    """
    return _Scenario(dialogue, user).written(name).encode("utf-8")


class _Scenario(object):
    def __init__(self, dialogue, user):
        # type: (Dialogue, Optional[str]) -> None
        self._dialogue = dialogue
        self._user = user
        self._lines = []  # type: List[str]
        self._branches = {}  # type: Dict[Optional[str], int]
        self._requests = []  # type: List[Message]  # received, in order
        self._variables = []  # type: List[str]
        self._own_tags = set(
            each.message.tag(u"to" if each.message.status else u"from") for each in dialogue.steps if each.ours
        ) - set([u""])  # type: Set[str]

    def written(self, name):
        # type: (str) -> str
        last = self._dialogue.steps[0].time
        steps = [each for each in self._dialogue.steps if not each.repeats]
        for number, step in enumerate(steps):
            later = steps[number + 1 :]
            if step.ours:
                self._pause(step.time - last)
                self._send(step.message)
                if step.message.start.startswith(u"INVITE ") and later and not later[0].ours:
                    self._lines.append(u'<recv response="100" optional="true"/>')
            elif step.message.status != 100:
                self._receive(step.message, later)
            last = step.time
        if self._variables:
            self._lines.append(u'<Reference variables="%s"/>' % u",".join(self._variables))
        head = u'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n<scenario name="%s">\n'
        named = re.sub(u"[^A-Za-z0-9 ._-]", u"_", name)
        return head % named + u"\n".join(self._lines) + u"\n</scenario>\n"

    def _pause(self, seconds):
        # type: (float) -> None
        if seconds >= _SHORTEST_PAUSE:
            self._lines.append(u'<pause milliseconds="%d"/>' % round(1000 * seconds))

    # -- receiving -----------------------------------------------------------------------------------------

    def _receive(self, message, later):
        # type: (Message, List[Step]) -> None
        if message.status:
            attributes = u' response="%d"' % message.status
            may_lack = message.status < 200 and bool(later) and not later[0].ours
            attributes += u' optional="true"' if may_lack else u""
            attributes += u' auth="true"' if message.status in (401, 407) else u""
            attributes += u' rrs="true"' if message.all(u"contact") else u""
            self._lines.append(u"<recv%s/>" % attributes)
            return
        self._requests.append(message)
        actions = []
        if any(each.ours and each.message.branch == message.branch for each in later if each.message.status):
            for header in _KEPT:
                name = u"%s_%d" % (header, len(self._requests))
                actions.append(u'<ereg regexp=".*" search_in="hdr" header="%s:" assign_to="%s"/>' % (header, name))
                self._variables.append(name)
        attributes = u' request="%s"' % message.method + (u' rrs="true"' if message.all(u"contact") else u"")
        inside = u"<action>%s</action>" % u"".join(actions) if actions else u""
        self._lines.append(u"<recv%s>%s</recv>" % (attributes, inside))

    # -- sending -------------------------------------------------------------------------------------------

    def _send(self, message):
        # type: (Message) -> None
        fitted = Message(message.octets())
        if message.status:
            self._fit_response(fitted)
        else:
            self._fit_request(fitted)
        if not self._dialogue.steps[0].message.all(u"record-route"):
            for field in fitted.all(u"contact"):
                field.value = _URI.sub(_HERE, field.value)
        body = _described(_escaped(fitted.body)) if fitted.body else u""
        lines = [fitted.start]
        for field in fitted.fields:
            if field.key == u"content-length":
                field.value = u"[len]"
            lines.append((field.before + field.value).strip())
        text = u"\n".join(lines) + u"\n\n" + body.replace(u"\r\n", u"\n")
        if u"]]>" in text or u"\0" in text or u"\n" in body.replace(u"\r\n", u""):
            raise InputError("sipp cannot send %s as it was recorded" % message.start)
        again = u"" if message.status or message.method == u"ACK" else u' retrans="500"'
        self._lines.append(u"<send%s><![CDATA[\n%s]]></send>" % (again, text))

    def _fit_request(self, message):
        # type: (Message) -> None
        recorded_uri = message.uri
        in_dialog = bool(message.tag(u"to"))
        hop_by_hop = message.branch in self._branches  # CANCEL, and the ACK for a refusal
        uri = _URI.sub(u"\\g<1>[remote_ip]:[remote_port]", _escaped(recorded_uri))
        if in_dialog and not hop_by_hop:
            uri = u"[next_url]"
        method = message.method
        number = self._branches.setdefault(message.branch, len(self._branches) + 1)
        for field in message.fields:
            field.value = _escaped(field.plain)
            if field.key in (u"authorization", u"proxy-authorization"):
                field.before, field.value = u"", self._authentication(field.plain)
            elif field.key == u"call-id":
                field.value = u"[call_id]"
            elif field.key in (u"from", u"to"):
                field.value = self._tagged(field.value, field.key)
        message.start = u"%s %s SIP/2.0" % (method, uri)
        vias = message.all(u"via")
        if vias:
            top = first_of(vias[0].value)
            via = sent_from(top, u"[local_ip]:[local_port]", u"x").replace(u"/X", u"/[transport]", 1)
            branch = u";branch=z9hG4bK-[pid]-[call_number]-%d" % number
            vias[0].value = re.sub(u"(?i);\\s*branch\\s*=[^;,]*", lambda _: branch, via) + vias[0].value[len(top) :]

    def _authentication(self, value):
        # type: (str) -> str
        found = re.search(u"username=\"([^\"]*)\"", value)
        user = self._user or (found.group(1) if found else u"user")
        return u"[authentication username=%s password=[field1]]" % user

    def _tagged(self, value, key):
        # type: (str, str) -> str
        """From or To of a request, whose tags are other ones in each call."""
        found = _TAG.search(value)
        if found is None:
            return value
        tag = found.group()[len(found.group(1)) :]
        if tag in self._own_tags:
            return _TAG.sub(lambda each: each.group() + u"[pid]x[call_number]", value)
        if self._dialogue.role == "callee":  # what the first request said
            return u"[$From_1]"
        return _TAG.sub(u"", value) + u"[peer_tag_param]"

    def _fit_response(self, message):
        # type: (Message) -> None
        number = [place for place, each in enumerate(self._requests, 1) if _is_answered(each, message)]
        if not number:
            raise InputError("the capture lacks the request that %s answers" % message.start)
        request, is_last = self._requests[number[-1] - 1], number[-1] == len(self._requests)
        tag = message.tag(u"to")
        for field in list(message.fields):
            field.value = _escaped(field.plain)
            for header in _KEPT:
                if field.key == header.lower():
                    field.before = u"" if is_last else header + u":"
                    field.value = u"[last_%s:]" % header if is_last else u"[$%s_%d]" % (header, number[-1])
                    if field.key == u"to" and tag and not request.tag(u"to"):
                        field.value += u";tag=%s[pid]x[call_number]" % tag
            if field.key == u"call-id":
                field.value = u"[call_id]"
            if field.key == u"record-route":
                field.before, field.value = u"", u"[last_Record-Route:]"


def _is_answered(request, response):
    # type: (Message, Message) -> bool
    return request.branch == response.branch and request.method == response.method


def _escaped(text):
    # type: (str) -> str
    return text.replace(u"\\", u"\\\\").replace(u"[", u"\\[")


def _described(body):
    # type: (str) -> str
    """A session description of sipp's own address."""
    body = re.sub(u"(?m)^(c=IN )IP[46] (?!0\\.0\\.0\\.0)[^\\s/]+", u"\\1IP[media_ip_type] [media_ip]", body)
    return re.sub(u"(?m)^(o=\\S+ \\S+ \\S+ IN )IP[46] \\S+", u"\\1IP[local_ip_type] [local_ip]", body)
