"""Who may call (sipbridge._agent.admission), with endpoints in memory: what is refused, what waits, what is counted."""

from __future__ import absolute_import, division, print_function

import threading

import pytest

import sipbridge
from peers import credentials
from peers.waiting import wait_until
from sipbridge import access, testing
from sipbridge._agent import lookups
from sipbridge._agent.table import HEALTH

LIMIT = 10.0
USERS = {u"alice": u"wonder-land", u"slow": u"and steady"}
BOB = "sip:bob@example.com"


class Seen(sipbridge.Observer):
    """An observer that writes down what was refused, and which calls began."""

    def __init__(self):
        self.rules = []
        self.challenges = []
        self.calls = []
        self.messages = []

    def refused(self, refusal):
        self.rules.append((refusal.rule, refusal.status, refusal.method, refusal.source and refusal.source.address))
        self.challenges.append(refusal.is_challenge)

    def call_started(self, call):
        self.calls.append(call)

    def message(self, message):
        self.messages.append((message.outgoing, message.method, message.status))


@pytest.fixture
def make(sip_network):
    """Makes the endpoint that is called, and what sees what becomes of it: ``make(allow=...)``."""

    def made(**options):
        bob = sip_network.endpoint(BOB, address="udp://192.0.2.1:5060", **options)
        bob.on(sipbridge.IncomingCall, lambda event: event.call.answer(testing.SDP))
        bob.seen, bob.got = Seen(), []
        bob.observe(bob.seen)
        bob.on(sipbridge.MessageReceived, lambda event: bob.got.append((event.text, event.user)))
        return bob

    return made


@pytest.fixture
def alice(sip_network):
    return sip_network.endpoint("sip:alice@example.com", address="udp://192.0.2.7:5060")


def asking(**options):
    """An authenticator for USERS."""
    return access.Authenticator(u"example.com", lambda user, realm: USERS.get(user), **options)


def status_of(send, *arguments, **options):
    """The status of the response, and the challenges in it."""
    try:
        send(*arguments, **options)
    except sipbridge.ResponseError as error:
        headers = error.headers
        return error.status, headers.get_all("WWW-Authenticate") + headers.get_all("Proxy-Authenticate")
    except (sipbridge.TimeoutError, sipbridge.EngineError):  # nobody has answered
        return 408, []
    return 200, []


def with_credentials(challenges, user=u"alice", password=None, method=u"MESSAGE", count=1, name=u"Authorization"):
    value = credentials.answer(
        credentials.choose(challenges), user, USERS[user] if password is None else password, method, BOB, count
    )
    return [(name, value)]


def challenge(alice):
    status, challenges = status_of(alice.message, BOB, "hi")
    assert status in (401, 407)
    return challenges


def say(alice, text, *arguments, **options):
    """The status for a MESSAGE with credentials, which are those of ``with_credentials``."""
    return status_of(alice.message, BOB, text, headers=with_credentials(*arguments, **options))[0]


# -- networks ----------------------------------------------------------------------------------------------------


def test_only_those_who_are_allowed(sip_network, make, alice):
    bob = make(allow=["192.0.2.0/28", "2001:db8::/32"])
    stranger = sip_network.endpoint(address="udp://192.0.2.16:5060")
    assert alice.call(BOB, testing.SDP).state == "established"
    assert status_of(alice.options, BOB)[0] == 200
    for send in (stranger.message, stranger.call):
        assert status_of(send, BOB, testing.SDP)[0] == 403
    assert status_of(stranger.options, BOB)[0] == 403
    assert bob.refusals == {"not-allowed": 3}
    wait_until(lambda: len(bob.seen.rules) == 3)
    assert bob.seen.rules[1] == ("not-allowed", 403, "INVITE", "192.0.2.16")
    assert len(bob.seen.calls) == 1  # there was no Call for what was refused


def test_an_empty_list_allows_nobody(make, alice):
    make(allow=[])
    assert status_of(alice.message, BOB, "hi")[0] == 403


def test_the_true_source_counts(sip_network, make, alice):
    """A header that names another source is believed of a proxy that is trusted, and of nobody else."""
    make(allow=["198.51.100.7"], trusted_proxies=["192.0.2.100"], source_header="X-Source")
    proxy = sip_network.endpoint(address="udp://192.0.2.100:5060")
    for sender, told, status in [
        (alice, "198.51.100.7", 403), (proxy, "198.51.100.7", 200), (proxy, "198.51.100.8", 403),
        (proxy, "nonsense", 403), (proxy, "198.51.100.7, 198.51.100.7", 403),
    ]:  # fmt: skip
        assert status_of(sender.message, BOB, "hi", headers=[("X-Source", told)])[0] == status
    assert status_of(proxy.message, BOB, "hi", headers=[("X-Source", "198.51.100.7")] * 2)[0] == 403


def test_the_health_check_of_this_machine_is_allowed(sip_network, make, alice):
    make(allow=["198.51.100.7"], authenticator=asking())
    here = sip_network.endpoint(address="udp://127.0.0.1:5060")
    same = sip_network.endpoint(address="udp://192.0.2.1:5070")
    assert [status_of(each.request, HEALTH, BOB)[0] for each in (here, same)] == [200, 200]
    assert status_of(alice.request, HEALTH, BOB)[0] == 403


# -- passwords ---------------------------------------------------------------------------------------------------


def test_the_right_password_a_wrong_one_and_one_twice(make, alice):
    bob = make(authenticator=asking())
    asked = challenge(alice)
    assert say(alice, "first", asked) == 200
    assert say(alice, "again", asked) == 401
    assert say(alice, "second", asked, count=2) == 200
    assert say(alice, "guess", asked, password=u"x", count=3) == 401
    call = alice.call(BOB, testing.SDP, headers=with_credentials(asked, method=u"INVITE", count=4))
    assert bob.calls[0].user == "alice" and call.user is None
    assert bob.got == [("first", "alice"), ("second", "alice")]
    assert bob.refusals == {"unauthenticated": 1, "replayed-nonce": 1, "wrong-credentials": 1}
    assert bob.seen.challenges == [True, False, False]
    call.send_dtmf("1")  # nothing in a dialog is challenged
    assert bob.calls[0].collect(count=1) == "1"


def test_nobody_is_asked_without_an_authenticator(make, alice):
    bob = make()
    assert say(alice, "hi", [u'Digest realm="r",nonce="n",algorithm=SHA-256']) == 200
    assert bob.got == [("hi", None)] and bob.refusals == {}


def test_a_nonce_that_is_too_old_is_stale(sip_network, make, alice):
    bob = make(authenticator=asking(lifetime=60.0))
    asked = challenge(alice)
    sip_network.advance(61.0)
    status, again = status_of(alice.message, BOB, "late", headers=with_credentials(asked))
    assert status == 401 and all("stale=true" in each for each in again) and "stale" not in asked[0]
    assert say(alice, "late", again) == 200
    assert bob.refusals == {"unauthenticated": 1, "stale-nonce": 1}


def test_407_of_a_proxy_and_those_who_are_not_asked(sip_network, make, alice):
    make(authenticator=asking(proxy=True, exempt=["192.0.2.9"], methods=["MESSAGE"]))
    asked = challenge(alice)
    assert say(alice, "hi", asked, name=u"Proxy-Authorization") == 200
    assert alice.call(BOB, testing.SDP).state == "established"
    trunk = sip_network.endpoint(address="udp://192.0.2.9:5060")
    assert status_of(trunk.message, BOB, "hi")[0] == 200


def test_malformed_credentials_are_answered_400(make, alice):
    bob = make(authenticator=asking())
    assert status_of(alice.message, BOB, "hi", headers=[("Authorization", 'Digest realm="example.com", x')])[0] == 400
    assert status_of(alice.message, BOB, "hi", headers=[("Authorization", "Digest a=b")] * 9)[0] == 400
    assert bob.refusals == {"malformed-credentials": 2}


def test_a_lookup_that_fails(sip_network, make, alice):
    told = []

    def lookup(user, realm):
        return {}[user]

    bob = make(authenticator=access.Authenticator("example.com", lookup), on_error=told.append)
    assert say(alice, "hi", challenge(alice)) == 500
    assert [(type(each.error), each.handler, each.fatal) for each in told] == [(KeyError, lookup, False)]
    assert bob.refusals["lookup-failed"] == 1


def test_many_lookups_that_fail_do_not_fill_the_log(make, alice):
    """As of a database that is down: each one would be a traceback."""
    told = []
    bob = make(authenticator=access.Authenticator("example.com", lambda user, realm: {}[user]), on_error=told.append)
    asked = challenge(alice)
    assert [say(alice, "hi", asked, count=count) for count in range(1, 21)] == [500] * 20
    assert bob.refusals["lookup-failed"] == 20 and len(told) == 5


def test_what_a_lookup_must_not_return(make, alice):
    told = []
    make(authenticator=access.Authenticator("example.com", lambda user, realm: 5), on_error=told.append)
    assert say(alice, "hi", challenge(alice)) == 500
    assert [type(each.error) for each in told] == [sipbridge.InputError]


class Gate(object):
    """A lookup that waits for a test, for one user."""

    def __init__(self):
        self.asked = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, user, realm):
        if user == u"slow":
            self.asked.release()
            self.open.wait(LIMIT)
        return USERS.get(user)


class Sending(threading.Thread):
    """Sends a MESSAGE, or places a call, on a thread; ``status`` is what came of it."""

    def __init__(self, send, *arguments, **options):
        super(Sending, self).__init__()
        self.daemon = True
        self.status = None
        self._send = lambda: status_of(send, *arguments, **options)[0]
        self.start()

    def run(self):
        self.status = self._send()

    def finish(self):
        self.join(LIMIT)
        return self.status


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open.set()


def test_a_slow_lookup_holds_up_nobody_else(make, alice, gate):
    bob = make(authenticator=access.Authenticator("example.com", gate))
    asked = challenge(alice)
    slow = Sending(alice.call, BOB, testing.SDP, headers=with_credentials(asked, u"slow", method=u"INVITE"))
    assert gate.asked.acquire()
    assert say(alice, "hi", challenge(alice)) == 200
    assert bob.calls == () and bob.seen.calls == [] and slow.is_alive()
    gate.open.set()
    assert slow.finish() == 200 and bob.calls[0].user == "slow"
    wait_until(lambda: [each for each in bob.seen.messages if each[1] == "INVITE"] == [
        (False, "INVITE", 0), (True, "INVITE", 200)
    ])  # it was received once


def test_a_call_that_is_cancelled_while_it_waits(make, alice, gate):
    limits = access.SourceLimits(calls_at_once=1)
    bob = make(authenticator=access.Authenticator("example.com", gate), limits=limits)
    headers = with_credentials(challenge(alice), u"slow", method=u"INVITE")
    call = alice.invite(BOB, testing.SDP, headers=headers)
    assert gate.asked.acquire()
    assert status_of(alice.call, BOB, testing.SDP)[0] == 503  # what waits counts as well
    call.hangup()
    call.wait_ended(LIMIT)
    gate.open.set()
    wait_until(lambda: limits._up == {} and not bob._agent.admission._lookups._count)
    assert say(alice, "hi", challenge(alice)) == 200
    assert bob.seen.calls == [] and bob.calls == () and bob._agent.admission._held == {}


def test_an_engine_that_is_lost_while_something_waits(sip_network, make, alice, gate):
    bob = make(authenticator=access.Authenticator("example.com", gate))
    headers = with_credentials(challenge(alice), u"slow")
    waiting = Sending(alice.message, BOB, "hi", headers=headers)
    assert gate.asked.acquire()
    sip_network.lose(bob)
    assert waiting.finish() == 408
    wait_until(lambda: bob._agent.admission._held == {})
    gate.open.set()
    assert say(alice, "again", challenge(alice)) == 200 and bob.got == [("again", "alice")]


def test_more_lookups_than_can_wait(make, alice, gate, monkeypatch):
    monkeypatch.setattr(lookups, "WAITING", 2)
    bob = make(authenticator=access.Authenticator("example.com", gate, lookups=1))
    headers = [with_credentials(challenge(alice), u"slow") for _ in range(4)]
    waiting = [Sending(alice.message, BOB, "hi", headers=headers[0])]
    assert gate.asked.acquire()
    waiting += [Sending(alice.message, BOB, "hi", headers=each) for each in headers[1:3]]
    wait_until(lambda: len(bob._agent.admission._held) == 3)
    assert status_of(alice.message, BOB, "hi", headers=headers[3])[0] == 503
    gate.open.set()
    assert [each.finish() for each in waiting] == [200] * 3
    assert bob.refusals == {"unauthenticated": 4, "lookups": 1}


def test_an_answer_that_nobody_waits_for_any_more(sip_network, make, alice, gate):
    bob = make(authenticator=access.Authenticator("example.com", gate))
    waiting = Sending(alice.message, BOB, "hi", headers=with_credentials(challenge(alice), u"slow"), timeout=600.0)
    assert gate.asked.acquire()
    sip_network.advance(33.0)
    gate.open.set()
    wait_until(lambda: bob._agent.admission._held == {})
    assert bob.got == []
    sip_network.close()
    assert waiting.finish() == 408


# -- limits and bans -----------------------------------------------------------------------------------------------


def test_calls_at_once_and_their_end(sip_network, make, alice):
    limits = access.SourceLimits(calls_at_once=2)
    bob = make(limits=limits)
    calls = [alice.call(BOB, testing.SDP) for _ in range(2)]
    status, _ = status_of(alice.call, BOB, testing.SDP)
    assert status == 503 and bob.refusals == {"source-calls": 1}
    other = sip_network.endpoint(address="udp://192.0.2.8:5060")
    assert other.call(BOB, testing.SDP).state == "established"
    calls[0].hangup()
    wait_until(lambda: len(bob.calls) == 2)
    assert alice.call(BOB, testing.SDP).state == "established"
    bob.close()
    assert limits._up == {}


def test_calls_per_second(sip_network, make, alice):
    bob = make(limits=access.SourceLimits(calls_per_second=1, requests_per_second=2))
    alice.call(BOB, testing.SDP)
    with pytest.raises(sipbridge.ResponseError) as caught:
        alice.call(BOB, testing.SDP)
    assert (caught.value.status, caught.value.headers.get("Retry-After")) == (503, "1")
    assert [status_of(alice.message, BOB, "hi")[0] for _ in range(3)] == [200, 200, 503]
    sip_network.advance(1.0)
    alice.call(BOB, testing.SDP)
    assert bob.refusals == {"source-rate": 2}


def test_a_ban_after_wrong_passwords_and_its_end(sip_network, make, alice):
    banned = access.BanList(failures=3, seconds=60.0)
    bob = make(authenticator=asking(), bans=banned)
    for _ in range(3):
        assert say(alice, "guess", challenge(alice), password=u"x") == 401
    assert status_of(alice.message, BOB, "hi")[0] == 403
    assert [each.network for each in banned] == ["192.0.2.7"]
    other = sip_network.endpoint(address="udp://192.0.2.8:5060")
    assert say(other, "hi", challenge(other)) == 200
    sip_network.advance(61.0)
    assert say(alice, "hi", challenge(alice)) == 200
    assert bob.refusals == {"unauthenticated": 5, "wrong-credentials": 3, "banned": 1}
    banned.ban("192.0.2.0/24")
    assert status_of(alice.call, BOB, testing.SDP)[0] == 403


def test_a_flood_from_many_sources(sip_network, make):
    """10,000 of them: what is remembered of them is bounded."""
    limits, banned = access.SourceLimits(calls_per_second=1, most=50), access.BanList(failures=1, most=50)
    bob = make(limits=limits, bans=banned, authenticator=asking())
    engine, admission = bob._engine, bob._agent.admission
    for number in range(10000):
        address = "10.0.%d.%d" % divmod(number, 256)
        engine.post(
            "request", transaction=10 ** 9 + number, method="MESSAGE", headers="Call-ID: %d\n" % number,
            source=sipbridge.Source(address, 5060, "udp"), request_uri=BOB,
        )  # fmt: skip
        banned.failed(address)
    wait_until(lambda: bob.refusals.get("unauthenticated", 0) + bob.refusals.get("banned", 0) == 10000, 60.0)
    assert len(banned) == 50 and admission._held == {} and admission._up == {}


# -- what an engine cannot do ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [
    dict(allow=["192.0.2.0/24"]), dict(bans=access.BanList()), dict(limits=access.SourceLimits(calls_at_once=1)),
])  # fmt: skip
def test_an_engine_that_does_not_know_sources(sip_network, options):
    engine = sip_network.engine()
    engine.tells_sources = lambda: False
    with pytest.raises(sipbridge.NotSupportedError) as caught:
        sipbridge.Endpoint(engine=engine, **options)
    assert "shield" in str(caught.value)
    assert engine.port == 0 or engine not in sip_network._medium.engines


def test_passwords_need_no_sources(sip_network, alice):
    engine = sip_network.engine(BOB)
    engine.tells_sources = lambda: False
    with sipbridge.Endpoint(engine=engine, authenticator=asking()):
        assert challenge(alice)
