"""REGISTER (RFC 3261, 10) with digest (22); sipp is the registrar."""

from __future__ import absolute_import, division, print_function

from threading import Thread

import pytest

import sipbridge
from peers import abilities
from peers.scenario import Callee
from peers.wire import check_digest, digest_parameters

AOR = "sip:alice@sipbridge.test"
USER, PASSWORD = "alice", "wonder-land"
CHALLENGES = [(401, "WWW-Authenticate", "Authorization"), (407, "Proxy-Authenticate", "Proxy-Authorization")]


def _digest(nonce, more=', qop="auth"', realm="sipbridge.test"):
    return 'Digest realm="%s", nonce="%s"%s' % (realm, nonce, more)


def _binding(message):
    """The Contact of a REGISTER, and the seconds that it asks for (10.2.1.1)."""
    contact, _, parameters = message["Contact"].partition(">")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "expires":
            return contact + ">", int(value)
    return contact + ">", int(message["Expires"])


def test_register_and_unregister(phone, sipp):
    peer = sipp(
        Callee()
        .recv("REGISTER").reply(200, headers=[("Expires", "1800")])
        .recv("REGISTER").reply(200)
    )  # fmt: skip
    registration = phone.endpoint.register("sip:" + peer.host_port, expires=3600)
    assert (registration.state, registration.expires, registration.aor) == ("active", 1800, AOR)
    registration.unregister()
    assert (registration.state, registration.expires) == ("ended", 0)
    registration.unregister()  # does nothing
    peer.wait()
    phone.expect("registration active 200", "registration ended 200")
    assert [event.expires for event in phone.events] == [1800, 0]
    first, second = peer.received("REGISTER")
    assert first.start_line == "REGISTER sip:%s SIP/2.0" % peer.host_port
    assert "<%s>" % AOR in first["From"] and "<%s>" % AOR in first["To"]
    assert phone.host_port in first["Contact"]
    assert (_binding(first)[1], _binding(second)[1]) == (3600, 0)
    assert int(second["CSeq"].split()[0]) > int(first["CSeq"].split()[0])


def test_the_expiry_of_our_contact_counts(phone, sipp):
    """What the registrar says of our Contact counts, not what it says of others (10.2.4)."""
    peer = sipp(
        Callee()
        .recv("REGISTER")
        .reply(
            200,
            headers=[
                ("Contact", "<sip:alice@198.51.100.7:5060>;expires=20"),
                ("Contact", "[$REGISTER_Contact];expires=1200"),
            ],
        )
        .recv("REGISTER").reply(200)
    )  # fmt: skip
    registration = phone.endpoint.register("sip:" + peer.host_port, expires=3600)
    assert registration.expires == 1200
    registration.unregister()
    peer.wait()


@pytest.mark.parametrize("more", [', qop="auth", algorithm=SHA-256, opaque="0pa"', ", algorithm=SHA-256"])
@pytest.mark.parametrize("status, challenge, response", CHALLENGES)
def test_digest_with_sha256(phone, sipp, status, challenge, response, more):
    """RFC 8760; offered beside MD5, too."""
    if phone.endpoint.engine_name != "sofia":
        pytest.skip(abilities.NO_SHA_256)
    phone.endpoint.add_credentials(USER, PASSWORD, realm="sipbridge.test")
    weaker = (challenge, _digest("two", ', qop="auth", algorithm=MD5'))
    peer = sipp(
        Callee()
        .recv("REGISTER").reply(status, headers=[weaker, (challenge, _digest("one", more))])
        .recv("REGISTER").reply(200, headers=[("Expires", "600")])
        .recv("REGISTER").reply(200)
    )  # fmt: skip
    phone.endpoint.register("sip:" + peer.host_port).unregister()
    peer.wait()
    _, second, third = peer.received("REGISTER")
    given = check_digest(second, response, PASSWORD)
    assert (given["algorithm"], given["nonce"], given["username"]) == ("SHA-256", "one", USER)
    assert len(second.get_all(response)) == 1
    check_digest(third, response, PASSWORD)
    if "qop" in more:
        assert (given["opaque"], given["nc"]) == ("0pa", "00000001")
        assert check_digest(third, response, PASSWORD)["nc"] == "00000002"


@pytest.mark.parametrize("more", [', qop="auth"', ', qop="auth,auth-int", algorithm=MD5, opaque="0pa"', ""])
@pytest.mark.parametrize("status, challenge, response", CHALLENGES)
def test_digest(phone, sipp, status, challenge, response, more):
    phone.endpoint.add_credentials(USER, PASSWORD, realm="sipbridge.test")
    peer = sipp(
        Callee()
        .recv("REGISTER").reply(status, headers=[(challenge, _digest("one", more))])
        .recv("REGISTER").reply(200, headers=[("Expires", "600")])
        .recv("REGISTER").reply(200)
    )  # fmt: skip
    phone.endpoint.register("sip:" + peer.host_port).unregister()
    peer.wait()
    phone.expect("registration active 200", "registration ended 200")
    _, second, third = peer.received("REGISTER")
    given = check_digest(second, response, PASSWORD)
    assert (given["username"], given["realm"], given["nonce"]) == (USER, "sipbridge.test", "one")
    assert given["uri"] == "sip:" + peer.host_port
    assert given.get("opaque") == ("0pa" if "opaque" in more else None)
    if more:
        assert (given["qop"], given["nc"]) == ("auth", "00000001")
        # the same nonce for the second time
        assert check_digest(third, response, PASSWORD)["nc"] == "00000002"
    else:
        assert "qop" not in given and "nc" not in given


def test_stale_nonce(phone, sipp):
    """Challenged anew with stale=true: the credentials are good, the nonce is not (22.3)."""
    phone.endpoint.add_credentials(USER, PASSWORD)
    peer = sipp(
        Callee()
        .recv("REGISTER").reply(401, headers=[("WWW-Authenticate", _digest("one"))])
        .recv_with_digest("REGISTER", USER, PASSWORD)
        .reply(401, headers=[("WWW-Authenticate", _digest("two", ', qop="auth", stale=true'))])
        .recv_with_digest("REGISTER", USER, PASSWORD).reply(200, headers=[("Expires", "600")])
        .recv("REGISTER").reply(401, headers=[("WWW-Authenticate", _digest("three", ', qop="auth", stale=TRUE'))])
        .recv_with_digest("REGISTER", USER, PASSWORD).reply(200)
    )  # fmt: skip
    registration = phone.endpoint.register("sip:" + peer.host_port)
    registration.unregister()
    peer.wait()
    phone.expect("registration active 200", "registration ended 200")
    nonces = [digest_parameters(each["Authorization"])["nonce"] for each in peer.received("REGISTER")[1:]]
    assert nonces == ["one", "two", "two", "three"]


@pytest.mark.parametrize("status, challenge, response", CHALLENGES)
def test_wrong_password(phone, sipp, status, challenge, response):
    """The second challenge is the end of it: no loop (22.1)."""
    phone.endpoint.add_credentials(USER, "wrong")
    peer = sipp(
        Callee()
        .recv("REGISTER").reply(status, headers=[(challenge, _digest("one"))])
        .recv("REGISTER").reply(status, headers=[(challenge, _digest("two"))])
        .pause(500)
    )  # fmt: skip
    with pytest.raises(sipbridge.AuthenticationError) as caught:
        phone.endpoint.register("sip:" + peer.host_port)
    assert caught.value.status == status
    assert response in peer.wait().received("REGISTER")[1]
    phone.expect("registration failed %d" % status)


def test_a_challenge_without_credentials_fails(phone, sipp):
    peer = sipp(
        Callee().recv("REGISTER").reply(401, headers=[("WWW-Authenticate", _digest("one"))]).pause(500)
    )
    with pytest.raises(sipbridge.AuthenticationError):
        phone.endpoint.register("sip:" + peer.host_port)
    peer.wait()
    phone.expect("registration failed 401")


def test_credentials_of_another_realm_are_not_sent(phone, sipp):
    """They are not given to whoever asks."""
    phone.endpoint.add_credentials(USER, PASSWORD, realm="elsewhere.test")
    peer = sipp(
        Callee().recv("REGISTER").reply(401, headers=[("WWW-Authenticate", _digest("one"))]).pause(500)
    )
    with pytest.raises(sipbridge.AuthenticationError):
        phone.endpoint.register("sip:" + peer.host_port)
    peer.wait()
    phone.expect("registration failed 401")


def test_cleared_credentials_are_not_sent(phone, sipp):
    phone.endpoint.add_credentials(USER, PASSWORD)
    phone.endpoint.clear_credentials()
    peer = sipp(
        Callee().recv("REGISTER").reply(401, headers=[("WWW-Authenticate", _digest("one"))]).pause(500)
    )
    with pytest.raises(sipbridge.AuthenticationError):
        phone.endpoint.register("sip:" + peer.host_port)
    peer.wait()


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refused_registration_raises_the_response(phone, sipp, status):
    peer = sipp(Callee().recv("REGISTER").reply(status, reason="For a Reason"))
    with pytest.raises(sipbridge.ResponseError) as caught:
        phone.endpoint.register("sip:" + peer.host_port)
    peer.wait()
    assert (caught.value.status, caught.value.reason) == (status, "For a Reason")
    phone.expect("registration failed %d" % status)


def test_refreshed_before_it_runs_out(phone, sipp):
    peer = sipp(
        Callee()
        .recv("REGISTER").reply(200, headers=[("Expires", "4")])
        .recv("REGISTER", within=4000).reply(200, headers=[("Expires", "600")])
        .recv("REGISTER").reply(200)
    )  # fmt: skip
    registration = phone.endpoint.register("sip:" + peer.host_port, expires=3600)
    assert registration.expires == 4
    phone.wait("registration active 200", count=2)
    assert (registration.state, registration.expires) == ("active", 600)
    registration.unregister()
    peer.wait()
    phone.expect("registration active 200", "registration active 200", "registration ended 200")
    bindings = [_binding(each) for each in peer.received("REGISTER")]
    assert [seconds for _, seconds in bindings] == [3600, 3600, 0]
    assert len(set(contact for contact, _ in bindings)) == 1


def test_refreshed_by_the_user(phone, sipp):
    peer = sipp(
        Callee()
        .recv("REGISTER").reply(200, headers=[("Expires", "3600")])
        .recv("REGISTER").reply(200, headers=[("Expires", "120")])
        .recv("REGISTER").reply(200)
    )  # fmt: skip
    registration = phone.endpoint.register("sip:" + peer.host_port, expires=3600)
    registration.refresh(expires=120)
    assert registration.expires == 120
    registration.unregister()
    peer.wait()
    phone.expect("registration active 200", "registration active 200", "registration ended 200")
    assert [_binding(each)[1] for each in peer.received("REGISTER")] == [3600, 120, 0]


def test_one_register_is_under_way_at_a_time(phone, by_hand):
    """What the user asks for while the endpoint's own refresh is on its way follows its answer (10.2)."""
    registering = Thread(target=phone.endpoint.register, args=(by_hand.uri, AOR), kwargs=dict(expires=2))
    registering.start()
    by_hand.reply(by_hand.next("REGISTER"), 200, [("Expires", "2")])
    registering.join(10.0)
    refresh = by_hand.next("REGISTER")
    registration = phone.wait("registration active 200").registration
    asking = Thread(target=registration.refresh, args=(120,))
    asking.start()
    assert by_hand.take(0.4) is None
    by_hand.reply(refresh, 200, [("Expires", "2")])
    asked = by_hand.next("REGISTER")
    assert _binding(asked)[1] == 120 and asked["CSeq"] != refresh["CSeq"]
    by_hand.reply(asked, 200, [("Expires", "120")])
    asking.join(10.0)
    assert registration.expires == 120


def test_a_refused_refresh_is_told(phone, sipp):
    peer = sipp(
        Callee().recv("REGISTER").reply(200, headers=[("Expires", "600")]).recv("REGISTER").reply(403)
    )
    registration = phone.endpoint.register("sip:" + peer.host_port)
    with pytest.raises(sipbridge.ResponseError):
        registration.refresh()
    assert registration.state == "failed"
    peer.wait()
    phone.expect("registration active 200", "registration failed 403")


def test_a_given_contact_and_aor_are_registered(phone, sipp):
    peer = sipp(
        Callee().recv("REGISTER").reply(200, headers=[("Expires", "600")]).recv("REGISTER").reply(200)
    )
    registration = phone.endpoint.register(
        "sip:" + peer.host_port, aor="sip:desk@sipbridge.test", contact="sip:desk@198.51.100.7:5062"
    )
    registration.unregister()
    register = peer.wait().received("REGISTER")[0]
    assert "sip:desk@198.51.100.7:5062" in register["Contact"]
    assert "<sip:desk@sipbridge.test>" in register["To"]


def test_close_unregisters(phone, sipp):
    peer = sipp(
        Callee().recv("REGISTER").reply(200, headers=[("Expires", "600")]).recv("REGISTER").reply(200)
    )
    registration = phone.endpoint.register("sip:" + peer.host_port)
    phone.close()
    assert registration.state == "ended"
    assert _binding(peer.wait().received("REGISTER")[1])[1] == 0


@pytest.mark.parametrize("headers", [[("Contact", "[$REGISTER_Contact];expires=0")], [("Expires", "0")]])
def test_a_registration_granted_zero_seconds_is_over(phone, sipp, headers):
    """The registrar keeps no binding of ours: it is over, and not refreshed as if all of it had been granted."""
    peer = sipp(Callee().recv("REGISTER").reply(200, headers=headers))
    registration = phone.endpoint.register("sip:" + peer.host_port, expires=600)
    assert (registration.state, registration.expires) == ("ended", 0)
    peer.wait()
    phone.expect("registration ended 200")
    with pytest.raises(sipbridge.CallStateError):
        registration.refresh()


def test_a_kept_registration_granted_zero_seconds_is_tried_again(phone, sipp):
    peer = sipp(Callee().recv("REGISTER").reply(200, headers=[("Expires", "0")]))
    registration = phone.endpoint.register("sip:" + peer.host_port, keep=True)
    assert (registration.state, registration.expires) == ("waiting", 0) and registration.retry_in > 0
    registration.unregister()
    assert registration.state == "ended"
    peer.wait()
    phone.expect("registration waiting 200")
