"""Challenges and credentials: which are taken, how often, and by whom."""

from __future__ import absolute_import, division, print_function

import pytest

from peers import credentials
from sipbridge import access
from sipbridge._access import nonces
from sipbridge.headers import Headers

SECRET = b"sixteen octets!!"
HERE, THERE = u"192.0.2.1", u"192.0.2.2"


@pytest.fixture
def clock(monkeypatch):
    """The time: a list whose only item is the seconds since 1970."""
    now = [1e9]
    monkeypatch.setattr(nonces, "wall_clock", lambda: now[0])
    return now


def make(**options):
    options = dict(dict(secret=SECRET, algorithms=["SHA-256", "MD5"]), **options)
    return access.Authenticator(u"example.com", lambda user, realm: None, **options)


def challenged(authenticator, algorithm="SHA-256", site=HERE, stale=False):
    return credentials.choose([value for _, value in authenticator.challenge(site, stale)[1]], algorithm)


def judge(authenticator, challenge, password=u"secret", count=1, secret=u"secret", site=HERE, **changes):
    """What becomes of a request with these credentials."""
    value = credentials.answer(challenge, u"bob", password, u"INVITE", u"sip:a@b", count, **changes)
    return judge_value(authenticator, value, secret, site)


def judge_value(authenticator, value, secret=u"secret", site=HERE, name=u"Authorization"):
    claim = authenticator.examine(u"INVITE", Headers(u"%s: %s\n" % (name, value)), site)
    return claim if isinstance(claim, type(u"")) or isinstance(claim, str) else authenticator.judge(claim, secret)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_the_right_password_and_a_wrong_one(algorithm):
    authenticator = make()
    asked = challenged(authenticator, algorithm)
    assert judge(authenticator, asked) is None
    assert judge(authenticator, asked, u"guess", 2) == "wrong-credentials"
    assert judge(authenticator, asked, secret=None, count=3) == "wrong-credentials"  # a user whom nobody knows
    assert judge(authenticator, asked, count=3) is None  # those did not use it up
    known = {algorithm: credentials.hashed(algorithm, u"bob", u"example.com", u"secret").upper()}
    assert judge(authenticator, asked, count=4, secret=known) is None
    assert judge(authenticator, asked, count=5, secret={}) == "wrong-credentials"


def test_what_lookup_must_not_return():
    authenticator = make()
    asked = challenged(authenticator)
    for secret in (5, [u"secret"], b"\xff", {"SHA-256": u"0" * 32}, {"SHA-256": 5}):
        with pytest.raises(ValueError) as caught:
            judge(authenticator, asked, secret=secret)
        assert "secret" not in str(caught.value)


def test_the_challenge():
    status, fields = make().challenge(HERE, False)
    assert status == 401 and [name for name, _ in fields] == ["WWW-Authenticate"] * 2
    asked = [credentials.parameters(value) for _, value in fields]
    assert [each["algorithm"] for each in asked] == ["SHA-256", "MD5"]  # RFC 8760, 2.3: the preferred one first
    assert set(each["qop"] for each in asked) == {"auth"} and "stale" not in asked[0]
    status, fields = make(proxy=True, algorithms=["md5"]).challenge(HERE, True)
    assert (status, fields[0][0], len(fields)) == (407, "Proxy-Authenticate", 1)
    assert credentials.parameters(fields[0][1])["stale"] == "true"


def test_by_default_it_offers_md5_alone():
    (_, value), = access.Authenticator(u"example.com", len).challenge(HERE, False)[1]
    assert credentials.parameters(value)["algorithm"] == "MD5"


def test_a_proxy_reads_the_proxys_header():
    proxy = make(proxy=True)
    value = credentials.answer(challenged(proxy), u"bob", u"secret", u"INVITE", u"sip:a@b")
    assert judge_value(proxy, value) == "unauthenticated"
    assert judge_value(proxy, value, name=u"Proxy-Authorization") is None


def test_credentials_for_others_do_not_count():
    authenticator = make()
    asked = challenged(authenticator)
    other = credentials.answer(asked.replace("example.com", "example.org"), u"bob", u"x", u"INVITE", u"sip:a@b")
    own = credentials.answer(asked, u"bob", u"secret", u"INVITE", u"sip:a@b")
    assert judge_value(authenticator, other) == "unauthenticated"
    assert judge_value(authenticator, u"Basic Ym9iOnNlY3JldA==") == "unauthenticated"
    assert judge_value(authenticator, u"Basic Ym9i\nAuthorization: %s\nAuthorization: %s" % (other, own)) is None
    assert judge_value(authenticator, u"\nAuthorization: ".join([other] * 9)) == "malformed-credentials"
    only = make(algorithms=["SHA-256"])
    assert judge(only, challenged(authenticator, "MD5")) == "unauthenticated"


@pytest.mark.parametrize("changes", [
    dict(nc=u"x"), dict(qop=None), dict(qop=u"auth-int"), dict(response=None), dict(response=u'"0"'), dict(cnonce=None),
    dict(username=None), dict(nonce=None), dict(uri=None), dict(zzz=u'"'),
])  # fmt: skip
def test_malformed_credentials(changes):
    authenticator = make()
    assert judge(authenticator, challenged(authenticator), **changes) == "malformed-credentials"


def test_each_count_is_good_once_and_some_may_overtake():
    authenticator = make()
    asked = challenged(authenticator)
    counts = (1, 1, 5, 3, 3, 2, 5, 100, 36, 37, 37, 99)
    taken = [count for count in counts if judge(authenticator, asked, count=count) is None]
    assert taken == [1, 5, 3, 2, 100, 37, 99]
    assert judge(authenticator, asked, count=99) == "replayed-nonce"
    assert judge(authenticator, asked, count=0xFFFFFFFF) is None
    assert judge(authenticator, asked, count=0) == "malformed-credentials"


def test_a_nonce_runs_out(clock):
    authenticator = make(lifetime=60.0)
    asked = challenged(authenticator)
    clock[0] += 59.9
    assert judge(authenticator, asked) is None
    clock[0] += 0.2
    assert judge(authenticator, asked, count=2) == "stale-nonce"


def test_any_engine_with_the_secret_takes_a_nonce(clock):
    one, other, text = make(), make(), make(secret=SECRET.decode("ascii"))
    stranger = make(secret=b"another secret.....")
    asked = challenged(one)
    assert judge(other, asked) is None and judge(text, asked) is None
    assert judge(stranger, asked) == "stale-nonce"
    assert judge(make(secret=None), asked) == "stale-nonce"
    clock[0] -= 5.0  # that engine's clock is behind
    assert judge(make(), asked) is None
    clock[0] -= 50.0
    assert judge(make(), asked) == "stale-nonce"


def test_a_nonce_is_for_one_source():
    authenticator = make()
    asked = challenged(authenticator)
    assert judge(authenticator, asked, site=THERE) == "stale-nonce"
    assert judge(authenticator, asked) is None


@pytest.mark.parametrize("nonce", [u"", u"x", u"====", u"\u00e4" * 44, u"A" * 44, u"A" * 400])
def test_a_nonce_that_is_none(nonce):
    authenticator = make()
    assert judge(authenticator, challenged(authenticator), nonce=u'"%s"' % nonce) == "stale-nonce"


def test_a_realm_is_signed_too():
    asked = challenged(make())
    elsewhere = access.Authenticator(u"example.org", lambda user, realm: None, ["SHA-256"], SECRET)
    assert judge(elsewhere, asked.replace("example.com", "example.org")) == "stale-nonce"


def test_memory_is_bounded_and_nothing_is_taken_twice(clock):
    authenticator = make(nonces=100)
    first = challenged(authenticator)
    assert judge(authenticator, first) is None
    for _ in range(1000):
        clock[0] += 0.01
        assert judge(authenticator, challenged(authenticator)) is None
    assert len(authenticator._counts) == 100
    assert judge(authenticator, first) == "replayed-nonce"  # forgotten, and so are all as old
    assert judge(authenticator, challenged(authenticator)) is None
    clock[0] += 301.0
    assert judge(authenticator, challenged(authenticator)) is None
    assert len(authenticator._counts) == 1  # the others have run out


def test_whom_it_asks():
    everybody, some = make(exempt=[u"192.0.2.0/31"]), make(methods=[u"INVITE", u"OPTIONS"])
    assert [everybody.wants(u"INVITE", each) for each in (HERE, THERE, None)] == [False, True, True]
    assert everybody.wants(u"REGISTER", THERE) and not everybody.wants(u"OPTIONS", THERE)
    assert some.wants(u"INVITE", HERE) and some.wants(u"OPTIONS", HERE) and not some.wants(u"MESSAGE", HERE)


def test_no_secret_is_shown():
    with pytest.raises(ValueError) as caught:
        make(secret=b"hunter2")
    assert "hunter2" not in str(caught.value)
    assert "secret" not in repr(make(secret=b"secret secret secret"))
