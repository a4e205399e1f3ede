"""Whatever an engine takes for a message stays where it belongs: no line of it is added or changed.

Addresses, header values, phrases, display names, users and realms of anything that a text may be made of: either they
are refused, or the message that goes out has the lines that it has without them, and these have what was given.
"""

from __future__ import absolute_import, division, print_function

import re
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import sipbridge
from peers import addresses
from peers.byhand import ByHand

AOR = u"sip:alice@sipbridge.test"

#: What begins a line, ends a part, or is decoded to either.
_PIECES = [
    u"\r\n", u"\n", u"\r", u"\0", u"\t", u" ", u"\x7f", u"\x85", u"\u2028", u"%0D%0A", u"%0a", u"%00", u"%7F",
    u"%20", u"%250D%250A", u"%22", u"%2C", u"%3A", u"%3B", u"%3C", u"%3E", u"%3F", u"%40", u"%5C", u"%E9",
    u"%C3%A9", u"%", u"%4", u"?", u"&", u"=", u";", u":", u",", u"@", u"/", u"<", u">", u'"', u"\\", u"'",
    u"(", u")", u"[", u"]", u"*", u"+", u"-", u".", u"a", u"b", u"1", u"X-Evil: yes", u"X-Evil:%20yes",
    u"X-Evil=yes", u"Subject=hi", u"Call-ID=1", u"tag=evil", u"lr", u"method=REGISTER",
    u"Route=%3Csip:192.0.2.1%3E", u"Via: SIP/2.0/UDP h", u"Content-Length: 9", u"\xe9", u"\u03a9",
]  # fmt: skip
_INJECTIONS = [u"a\r\nX-Evil: yes", u"a%0D%0AX-Evil:%20yes", u"a\nX-Evil: yes", u"a?X-Evil=yes"]
_INJECTIONS += [u'a" <sip:evil@h>, "b']
texts = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=8).map(u"".join) | st.sampled_from(_INJECTIONS)
#: Those that are taken more often than not.
_WORDS = [each for each in _PIECES if re.match(r"[\w%;?&=,/+.*'()-]+\Z", each)]
words = st.lists(st.sampled_from(_WORDS), min_size=1).map(u"".join)
names = st.sampled_from(
    u"Subject X-Any Accept Supported Allow Reason Alert-Info Call-Info Warning Organization Priority Date Event Expires"
    u" Accept-Language In-Reply-To Require P-Asserted-Identity Privacy Refer-To Referred-By Session-Expires"
    u" Server".split()
)
_rests = st.just(u"") | (texts | words).map(u";x={0}".format)
uris = st.builds(u"sip:{0}@sipbridge.test{1}".format, texts | words, _rests)
_quoted = texts.map(lambda text: u'"%s" ' % text.replace(u"\\", u"\\\\").replace(u'"', u'\\"'))
display_names = st.just(u"") | texts | texts.map(u'"{0}" '.format) | _quoted
senders = st.builds(u"{0}<{1}>".format, display_names, uris) | uris | st.sampled_from(
    addresses.GOOD_ADDRESSES + addresses.BAD_ADDRESSES
)


class _Bench(object):
    """An endpoint, and a peer that looks at what it sends."""

    def __init__(self):
        self.peer = ByHand()
        self.phone = sipbridge.Endpoint(u"udp://127.0.0.1:0", identity=AOR)
        self.calls = []
        self.phone.on(sipbridge.IncomingCall, lambda event: self.calls.append(event.call))
        self.plain = self.placed(self.peer.uri)

    def close(self):
        self.phone.close(0.1)
        self.peer.stop()

    def placed(self, to, challenge=None, **arguments):
        """The INVITE of a call, or the one that answers a challenge; None where it is refused or there is none."""
        try:
            call = self.phone.invite(to, **arguments)
        except (sipbridge.InputError, sipbridge.NotSupportedError):
            return None
        invite = self._invite_of(call)
        if challenge is not None:
            self.peer.reply(invite, 401, [("WWW-Authenticate", challenge)])
            self.peer.next("ACK")
            invite = self._invite_of(call)
        if invite is not None:
            self.peer.reply(invite, 486)
            self.peer.next("ACK")
            call.wait_ended(10.0)
        return invite

    def _invite_of(self, call):
        """The next INVITE, or None when the call ended without one."""
        deadline = time.time() + 10.0
        while time.time() < deadline:
            ended = call.ended is not None
            message = self.peer.take(0.05)
            if message is not None and message.name == "INVITE":
                return message
            if message is None and ended:
                return None
        raise AssertionError("%r has neither an INVITE nor an end" % (call,))

    def refused(self, refuse):
        """The response to an INVITE of the peer's; None where ``refuse`` raised."""
        invite, call = self._taken()
        try:
            refuse(call)
        except (sipbridge.InputError, sipbridge.NotSupportedError):
            call.reject(603)
        response = self.peer.next("302", "486", "603")
        self.peer.acknowledge(self.phone.port, invite, response)
        self.peer.waiting = [message for message in self.peer.waiting if message.name != "100"]
        return None if response.status == 603 else response


    def _taken(self):
        """An INVITE of the peer's, and its call. The shield refuses one while the machine is busy; another follows."""
        deadline = time.time() + 30.0
        invite = self.peer.request(self.phone.port, "INVITE")
        while not self.calls and time.time() < deadline:
            message = self.peer.take(0.02)
            if message is not None and message.name == "503":
                self.peer.acknowledge(self.phone.port, invite, message)
                time.sleep(0.1)
                invite = self.peer.request(self.phone.port, "INVITE")
        return invite, self.calls.pop()


@pytest.fixture(scope="module")
def bench():
    made = _Bench()
    yield made
    made.close()


network = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def _lines(message):
    """The names of its lines, each as often as it stands there. No line is none, folded or without a name."""
    for name, value in message.fields:
        assert re.match(r"[\w!%*+`'~.-]+\Z", name), (name, value)
        assert not re.search(u"[\0\r\n]", value), (name, value)
    assert message.body == b""
    return Counter(name.lower() for name, _ in message.fields)


def _check(message, like, *added):
    """It has the lines of ``like`` and these."""
    assert _lines(message) == Counter(_lines(like)) + Counter(name.lower() for name in added)


def _uri(address):
    return re.search(u"<([^<>]*)>\\Z", address).group(1) if address.endswith(u">") else address


def _decoded(text):
    """A URI as it is compared: escapes may be written or not (RFC 3261, 19.1.4), and libeXosip2 drops blanks."""
    text = text.replace(u"%20", u"").strip(u" ")
    octets = re.sub(u"%([0-9A-Fa-f]{2})", lambda found: chr(int(found.group(1), 16)), text)
    return octets.encode("utf-8").decode("latin-1") if any(ord(each) > 255 for each in octets) else octets


@given(texts | words, texts | words, display_names)
@example(u"bob", u"?Subject=hi%0D%0AX-Evil:%20yes", u"")
@example(u"bob", u"?Call-ID=1", u"")
@example(u"bob", u"?Max-Forwards=1", u"")
@example(u"bob", u"?Route=%3Csip:192.0.2.1:9%3E", u"")
@example(u"bob", u";x=%0D%0AX-Evil:%20yes", u"")
@example(u"bob%0D%0AX-Evil:%20yes", u"", u"")
@example(u"bob?X-Evil=yes", u"", u'"x" ')
@network
def test_any_target_is_sent_safely_or_refused(bench, user, rest, name):
    uri = u"sip:%s@127.0.0.1:%d%s" % (user, bench.peer.port, rest if rest.startswith(u"?") else u";x=" + rest)
    for address in (uri, u"%s<%s>" % (name, uri)):
        invite = bench.placed(address)
        if invite is not None:
            _check(invite, bench.plain)
            assert invite["Max-Forwards"] == "70" and len(invite["Call-ID"]) > 3
            assert _decoded(invite.start_line).startswith(_decoded(u"INVITE sip:%s@127.0.0.1:" % user))
            assert ";tag=" not in re.sub(u"<[^<>]*>\\Z", u"", invite["To"])


def _lower_scheme(uri):
    """It has no case (RFC 3261, 19.1.4)."""
    scheme, colon, rest = uri.partition(u":")
    return scheme.lower() + colon + rest


@given(senders)
@example(AOR + u"?Subject=hi%0D%0AX-Evil:%20yes")
@example(AOR + u";tag=evil")
@example(u"sip:a;tag=evil@sipbridge.test")
@example(u'"x\\" <sip:evil@h>')
@example(u"SIP:bob@Example.COM")
@example(u"sip:a%40evil.test%3E%2C%3Csip:b@sipbridge.test")
@network
def test_any_identity_is_sent_safely_or_refused(bench, sender):
    invite = bench.placed(bench.peer.uri, from_=sender)
    if invite is not None:
        _check(invite, bench.plain)
        name, _, rest = invite["From"].rpartition("<")
        uri, _, parameters = rest.partition(">")
        assert re.match(u";tag=[^;,]+\\Z", parameters)
        assert _decoded(_lower_scheme(uri)) == _decoded(_lower_scheme(_uri(sender.strip())))
        assert name.strip() == sender.rpartition(u"<")[0].strip()


@given(texts | words, texts | words)
@example(u"192.0.2.1", u"lr?X-Evil=yes")
@network
def test_any_route_is_sent_safely_or_refused(bench, user, rest):
    invite = bench.placed(u"sip:bob@192.0.2.1", route=u"sip:%s@127.0.0.1:%d;x=%s" % (user, bench.peer.port, rest))
    if invite is not None:
        _check(invite, bench.plain, *["Route"] * ("Route" in invite))  # libeXosip2 leaves the first one out
        assert invite.start_line == "INVITE sip:bob@192.0.2.1 SIP/2.0"
        assert all(re.match(u"<[^<>]*>\\Z", value) for value in invite.get_all("Route"))


@given(st.lists(st.tuples(names, texts), min_size=1, max_size=3, unique_by=lambda pair: pair[0]))
@network
def test_any_headers_are_sent_safely_or_refused(bench, pairs):
    own = [name for name, _ in bench.plain.fields if name.lower() in [given.lower() for given, _ in pairs]]
    invite = bench.placed(bench.peer.uri, headers=pairs)
    if invite is not None:
        assert set(_lines(invite)) <= set(_lines(bench.plain)) | set(name.lower() for name, _ in pairs)
        for name, value in pairs:
            if name not in own and name == u"X-Any":
                assert [each.strip() for each in invite.get_all(name)] == [value.strip()]


@given(texts | words, names, texts)
@network
def test_any_reason_phrase_is_sent_safely_or_refused(bench, phrase, name, value):
    plain = bench.refused(lambda call: call.reject(486))
    response = bench.refused(lambda call: call.reject(486, reason=phrase, headers=[(name, value)]))
    if response is not None:
        assert set(_lines(response)) <= set(_lines(plain)) | {name.lower()}
        assert response.start_line.startswith("SIP/2.0 486 ") and phrase.strip() in response.start_line


@given(senders)
@example(u"sip:carol@h?X-Evil=yes%0D%0AX-Evil:%20yes")
@network
def test_any_redirection_target_is_sent_safely_or_refused(bench, contact):
    plain = bench.refused(lambda call: call.reject(486))
    response = bench.refused(lambda call: call.redirect(contact))
    if response is not None:
        assert set(_lines(response)) <= set(_lines(plain)) | {"contact"}
        assert _decoded(_uri(response["Contact"])) == _decoded(_uri(contact.strip()))


@given(texts | words, texts | words)
@example(u'a", realm="x', u"sipbridge.test")
@example(u"a\\", u"sipbridge.test")
@example(u"DOMAIN\\alice", u"sipbridge.test")
@network
def test_any_credentials_are_sent_safely_or_refused(bench, user, realm):
    bench.phone.clear_credentials()
    try:
        bench.phone.add_credentials(user, u"secret", realm)
    except sipbridge.InputError:
        return
    quoted = realm.replace(u"\\", u"\\\\").replace(u'"', u'\\"')
    invite = bench.placed(bench.peer.uri, u'Digest realm="%s", nonce="1"' % quoted)
    if invite is not None:
        _check(invite, bench.plain, "Authorization")
        parameters = re.findall(u'(\\w+)=("(?:[^"\\\\]|\\\\.)*"|[^",\\s]+)(?:,\\s*|\\Z)', invite["Authorization"])
        assert sorted(name for name, _ in parameters) == sorted(set(name for name, _ in parameters))
        assert dict(parameters)["username"] == u'"%s"' % user


@given(st.text(max_size=30) | texts, st.text(max_size=30) | texts)
@network
def test_any_text_is_sent_safely_or_refused(bench, first, second):
    for arguments in ({"headers": [(u"X-Any", first)]}, {"from_": u'"%s" <%s>' % (first, AOR)}, {"from_": second}):
        invite = bench.placed(bench.peer.uri, **arguments)
        if invite is not None:
            _check(invite, bench.plain, *[name for name, _ in arguments.get("headers", ())])
