"""Make the messages of a recorded call fit the call of today, with what was learnt of it."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._replay.addresses import alike, described, moved, place_of, sent_by, sent_from
from sipbridge._replay.answers import answer, is_digest
from sipbridge._replay.message import Message, address_of, first_of
from sipbridge.errors import InputError
from sipbridge.uri import address_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Tuple

    from sipbridge._replay.dialogue import Dialogue
    from sipbridge._replay.message import Field

_CHALLENGES = {u"authorization": u"www-authenticate", u"proxy-authorization": u"proxy-authenticate"}
_WITH_ADDRESSES = (u"route", u"record-route", u"path", u"service-route", u"refer-to", u"referred-by", u"contact")
_WITH_NAMES = (u"replaces", u"refer-to", u"target-dialog", u"in-reply-to", u"join")
_SHORTEST = 6  # characters of a Call-ID or tag that is looked for within other values
_LENGTH = re.compile(u"[0-9]{1,9}\\Z")


class Settings(object):
    """How to fit.

    Attributes:
        user, password: for digest challenges; None for the recorded user, and when there is no password.
        request_user: the user of the Request-URI, or None for the recorded one.
        media_port: where streams are described, or None for the recorded ports.
    """

    def __init__(self, user=None, password=None, request_user=None, media_port=None):
        # type: (Optional[str], Optional[str], Optional[str], Optional[int]) -> None
        self.user = user
        self.password = password
        self.request_user = request_user
        self.media_port = media_port


class Fitting(object):
    """Knows what takes the place of what.

    Args:
        dialogue: what is played.
        host, place: of this side: its address, and "host:port" as in a URI.
        target: "host:port" of the endpoint, as far as it is known.
        transport: "udp" or "tcp".
        settings: a :class:`Settings`.
    """

    def __init__(self, dialogue, host, place, target, transport, settings):
        # type: (Dialogue, str, str, Optional[str], str, Settings) -> None
        self._host, self._place, self._target = host, place, target
        self._transport = transport
        self._contact_transport = None if transport == dialogue.transport else transport if transport == "tcp" else ""
        self._settings = settings
        self._places = dict((each, place) for each in dialogue.far)
        if target is not None:
            self._places[dialogue.party] = target
        first = dialogue.steps[0].message
        self._call_ids = {}  # type: Dict[str, str]
        if dialogue.role == "caller":
            self._call_ids[first.get(u"call-id")] = alike(first.get(u"call-id"))
        self._branches = {}  # type: Dict[Optional[str], Optional[str]]  # ours: new by recorded
        self._recorded_branches = {}  # type: Dict[Optional[str], Optional[str]]
        self._tags = {}  # type: Dict[str, str]  # of the endpoint
        self._addresses = {}  # type: Dict[str, str]  # of From and To, without the tag
        self._uris = {}  # type: Dict[str, str]  # where requests go
        self._values = {}  # type: Dict[Tuple[str, str], str]  # RSeq and SIP-ETag of the endpoint
        self._requests = {}  # type: Dict[Tuple[Optional[str], str], Tuple[Message, Message]]  # recorded and live
        self._challenges = {}  # type: Dict[str, str]
        self._routed = any(each.ours and each.message.all(u"record-route") for each in dialogue.steps)

    # -- what is learnt ------------------------------------------------------------------------------------

    @property
    def call_id(self):
        # type: () -> Optional[str]
        """The Call-ID of today, once it is known."""
        return next(iter(self._call_ids.values()), None)

    def recorded_branch(self, branch):
        # type: (Optional[str]) -> Optional[str]
        """The recorded branch of the request of ours that has this one today."""
        return self._recorded_branches.get(branch, branch)

    def names(self):
        # type: () -> List[str]
        """The Call-ID and tags, recorded and of today: what is never the same."""
        pairs = list(self._call_ids.items()) + list(self._tags.items())
        return [each for pair in pairs for each in pair if len(each) >= _SHORTEST]

    def learn(self, recorded, live):
        # type: (Message, Message) -> None
        """Both are the same message of the endpoint."""
        self._call_ids[recorded.get(u"call-id")] = live.get(u"call-id")
        for key in (u"from", u"to"):
            before, now = recorded.tag(key), live.tag(key)
            if before and now:
                self._tags[before] = now
            self._addresses[address_of(recorded.get(key))] = address_of(live.get(key))
        for key in (u"rseq", u"sip-etag"):
            if recorded.get(key) and live.get(key):
                self._values[key, recorded.get(key)] = live.get(key)
        for key in (u"www-authenticate", u"proxy-authenticate"):
            if live.get(key):
                self._challenges[key] = live.get(key)
        if not (live.status and live.method == u"REGISTER"):
            self._learn_contact(recorded.get(u"contact"), live.get(u"contact"))
        if not live.status:
            self._requests[recorded.branch, recorded.method] = (recorded, live)
            before_by, now_by = sent_by(recorded.get(u"via")), sent_by(live.get(u"via"))
            if before_by and now_by:
                self._places.setdefault(before_by, now_by)

    def _learn_contact(self, recorded, live):
        # type: (str, str) -> None
        uris = [address_uri(first_of(each)) for each in (recorded, live)]
        if not all(uris) or recorded.strip() == u"*":
            return
        self._uris[uris[0]] = uris[1]
        places = [place_of(each) for each in uris]
        if places[0] and places[1] and places[0] not in self._places:
            self._places[places[0]] = places[1]

    # -- what is sent --------------------------------------------------------------------------------------

    def fit(self, data):
        # type: (bytes) -> bytes
        """A recorded message of this side as it is to be sent. Raises InputError."""
        message = Message(data)
        recorded = Message(data)
        if message.status:
            self._fit_response(message)
        else:
            self._fit_request(message)
        for field in message.all(u"call-id"):
            field.value = self._call_ids.get(field.plain, field.value)
        self._fit_names(message)
        self._fit_body(message)
        for field in message.fields:  # last: it needs the rest
            if field.key in _CHALLENGES:
                self._answer(message, recorded, field)
        return message.octets()

    def source_of(self, message):
        # type: (Message) -> Optional[Message]
        """The live request that a recorded response of this side answers, or None."""
        found = self._requests.get((message.branch, message.method))
        return None if found is None else found[1]

    def _fit_request(self, message):
        # type: (Message) -> None
        method, _, rest = message.start.partition(u" ")
        uri, _, version = rest.rpartition(u" ")
        message.start = u"%s %s %s" % (method, self._fit_uri(uri, not message.tag(u"to")), version)
        vias = message.all(u"via")
        if vias:
            top = first_of(vias[0].value)
            branch = message.branch
            new = sent_from(top, self._place, self._transport)
            if branch:
                if branch not in self._branches:
                    self._branches[branch] = alike(branch)
                    self._recorded_branches[self._branches[branch]] = branch
                new = new.replace(branch, self._branches[branch] or u"")
            vias[0].value = new + vias[0].value[len(top) :]
        self._fit_ends(message)
        self._fit_addresses(message, nearest=0)
        for field in message.all(u"rack"):
            number, _, others = field.plain.partition(u" ")
            field.value = u"%s %s" % (self._values.get((u"rseq", number), number), others)
        for field in message.all(u"sip-if-match"):
            field.value = self._values.get((u"sip-etag", field.plain), field.value)

    def _fit_uri(self, uri, outside):
        # type: (str, bool) -> str
        if uri in self._uris:
            return self._uris[uri]
        new = moved(uri, self._places, self._target if outside else None)
        user = self._settings.request_user
        if outside and user:
            new = re.sub(u"(?i)^(sips?:)(?:[^@]*@)?", lambda each: each.group(1) + (user or u"") + u"@", new)
        self._uris[uri] = new
        return new

    def _fit_ends(self, message):
        # type: (Message) -> None
        """From and To of a request of ours."""
        for field in message.all(u"from") + message.all(u"to"):
            tag, address = message.tag(field.key), address_of(field.plain)
            if self._addresses.get(address, address) != address:
                field.value = field.plain.replace(address, self._addresses[address], 1)
            if tag in self._tags:
                begin, _, end = field.value.rpartition(tag)
                field.value = begin + self._tags[tag] + end

    def _fit_addresses(self, message, nearest):
        # type: (Message, int) -> None
        """Where the endpoint is told to send to; ``nearest``: which Record-Route is the one next to it."""
        routes = message.all(u"record-route")
        for field in message.fields:
            if field.key in _WITH_ADDRESSES:
                field.value = moved(field.value, self._places)
        if routes:
            routes[nearest].value = _nearest(routes[nearest].value, nearest, self._places, self._place)
        lists = message.method == u"REGISTER" and message.status
        if self._routed or lists or 300 <= message.status <= 399:
            return
        for field in message.all(u"contact"):
            field.value = moved(field.value, {}, self._place, self._contact_transport)

    def _fit_response(self, message):
        # type: (Message) -> None
        found = self._requests.get((message.branch, message.method))
        if found is None:
            raise InputError("the capture lacks the request that %s answers" % message.start)
        recorded, live = found
        self._copy_vias(message, live)
        self._copy_ends(message, recorded, live)
        if recorded.all(u"record-route") and live.all(u"record-route"):
            _replace(message, u"record-route", [each.value for each in live.all(u"record-route")])
        if message.method == u"REGISTER":
            for field in message.all(u"contact"):
                for before, now in self._uris.items():
                    field.value = field.value.replace(u"<%s>" % before, u"<%s>" % now)
        self._fit_addresses(message, nearest=-1)

    def _copy_ends(self, message, recorded, live):
        # type: (Message, Message, Message) -> None
        """From, To and CSeq of the request; as they were recorded where they were not those of the request then."""
        if message.cseq == recorded.cseq:
            for field in message.all(u"cseq"):
                field.value = live.get(u"cseq")
        for key in (u"from", u"to"):
            for field in message.all(key):
                tag = message.tag(key)
                if address_of(field.plain) == address_of(recorded.get(key)):
                    field.value = live.get(key)
                    if tag and not live.tag(key):
                        field.value += u";tag=" + tag
                elif self._tags.get(tag):
                    field.value = field.value.replace(tag, self._tags[tag])

    def _copy_vias(self, message, live):
        # type: (Message, Message) -> None
        """The Vias of the request, with what this side adds to the first as it did when it was recorded."""
        values = [each.value for each in live.all(u"via")]
        top, given = first_of(values[0]) if values else u"", first_of(message.get(u"via"))
        filled = top
        if live.source is not None:
            host, _, port = live.source.rpartition(u":")
            if re.search(u";\\s*rport\\s*=", given, re.IGNORECASE):
                filled = re.sub(u"(?i);\\s*rport(?=\\s*(?:;|\\Z))", u";rport=" + port, filled)
            if re.search(u";\\s*received\\s*=", given, re.IGNORECASE):
                filled += u";received=" + host.strip(u"[]")
        if values:
            values[0] = filled + values[0][len(top) :]
            _replace(message, u"via", values)

    def _fit_names(self, message):
        # type: (Message) -> None
        """Call-ID and tags of this call where they stand in other values."""
        pairs = list(self._call_ids.items()) + list(self._tags.items())
        for field in message.fields:
            if field.key in _WITH_NAMES:
                for before, now in pairs:
                    if len(before) >= _SHORTEST:
                        field.value = field.value.replace(before, now)

    def _fit_body(self, message):
        # type: (Message) -> None
        kind = message.get(u"content-type").lower()
        if not (kind.startswith(u"application/sdp") or kind.startswith(u"multipart/")):
            return
        body = described(message.body, self._host, self._settings.media_port)
        for field in message.all(u"content-length"):
            if body != message.body and _LENGTH.match(field.value):
                field.value = u"%d" % max(0, int(field.value) + len(body) - len(message.body))
        message.body = body

    def _answer(self, message, recorded, field):
        # type: (Message, Message, Field) -> None
        """Answer the last challenge, if there was one."""
        challenge = self._challenges.get(_CHALLENGES[field.key])
        if challenge is None or not is_digest(field.plain):
            return
        if self._settings.password is None:
            raise InputError("the call answers a digest challenge: give --user, and the password in the environment")
        found = re.search(u"(?i)\\buri\\s*=\\s*\"([^\"]*)\"", field.plain)
        uri = found.group(1) if found else recorded.uri
        uri = message.uri if uri == recorded.uri else moved(uri, self._places)
        settings = self._settings
        field.value = answer(field.plain, challenge, message.method, uri, settings.user, settings.password or u"")


def _nearest(value, place, places, forced):
    # type: (str, int, Dict[str, str], str) -> str
    """The value of a Record-Route whose first or last route is forced to this side."""
    parts = []  # type: List[str]
    while value:
        first = first_of(value)
        parts.append(first)
        value = value[len(first) :]
        if value[:1] == u",":
            parts[-1] += u","
            value = value[1:]
        elif not first:
            break
    if parts:
        parts[place] = moved(parts[place], {}, forced)
    return u"".join(parts)


def _replace(message, key, values):
    # type: (Message, str, List[str]) -> None
    """Give the fields of a name other values: one to each field, what is more to the last."""
    fields = message.all(key)
    for field, value in zip(fields, values):
        field.value = value
    if len(values) > len(fields) and fields:
        fields[-1].value = u", ".join(values[len(fields) - 1 :])
    for field in fields[len(values) :]:
        message.fields.remove(field)
