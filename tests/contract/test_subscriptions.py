"""Which command is possible in which state of a subscription, and a user who reads no events."""

from __future__ import absolute_import, division, print_function

EVENT = ("Event", "presence")

#: More events than an engine lets a user leave unread.
MANY = 10050


def _asked(raw, engine, port, peer):
    """A subscription from outside that is not answered yet: the handle and the SUBSCRIBE."""
    subscribe = peer.request(port, "SUBSCRIBE", [EVENT])
    event = raw.wait(engine)
    assert (event.type, event.state) == (raw.lib.SB_EV_SUBSCRIBE, 0)
    return event.subscription, subscribe


def _granted(raw, engine, port, peer, expires=600):
    handle, subscribe = _asked(raw, engine, port, peer)
    assert raw.lib.sb_subscription_accept(engine, handle, 200, expires) == 0
    return handle, subscribe, peer.next("200")["To"]


def _of_the_other_role(raw, engine, handle):
    lib = raw.lib
    return lib.sb_subscribe_refresh(engine, handle, 60), lib.sb_unsubscribe(engine, handle)


def _notify(raw, engine, handle, state="active;expires=60"):
    return raw.lib.sb_notify(engine, handle, raw.text(state), raw.ffi.NULL)


def test_states_of_an_incoming_subscription(raw, engine, port, peer):
    lib, null = raw.lib, raw.ffi.NULL
    handle, _ = _asked(raw, engine, port, peer)
    wrong = _of_the_other_role(raw, engine, handle) + (_notify(raw, engine, handle),)
    assert set(wrong) == {lib.SB_ESTATE}
    assert lib.sb_subscription_accept(engine, handle, 202, 60) == 0
    wrong = _of_the_other_role(raw, engine, handle)
    wrong += (lib.sb_subscription_accept(engine, handle, 200, 60),)
    wrong += (lib.sb_subscription_reject(engine, handle, 403, null, null),)
    assert set(wrong) == {lib.SB_ESTATE}
    assert peer.next("202")["Expires"] == "60"
    assert _notify(raw, engine, handle, "Terminated ; reason=noresource") == 0
    assert _notify(raw, engine, handle) == lib.SB_ESTATE
    peer.reply(peer.next("NOTIFY"), 200)
    event = raw.wait(engine)
    assert (event.type, event.subscription, event.status) == (lib.SB_EV_UNSUBSCRIBED, handle, 200)
    assert _notify(raw, engine, handle) == lib.SB_ENOENT


def test_a_rejected_subscription_has_no_handle(raw, engine, port, peer):
    handle, _ = _asked(raw, engine, port, peer)
    content, _keep = raw.content([("WWW-Authenticate", 'Digest realm="a"'), ("WWW-Authenticate", 'Digest realm="b"')])
    assert raw.lib.sb_subscription_reject(engine, handle, 401, raw.ffi.NULL, content) == 0
    assert peer.next("401").get_all("WWW-Authenticate") == ['Digest realm="a"', 'Digest realm="b"']
    assert raw.lib.sb_subscription_accept(engine, handle, 200, 60) == raw.lib.SB_ENOENT
    assert raw.wait(engine, 200) == 0


def test_a_subscriber_who_is_refused_tries_again(raw, engine, port, peer):
    """With the same Call-ID and tag, as after a challenge: libeXosip2 must have forgotten the first one by then."""
    lib, null = raw.lib, raw.ffi.NULL
    handle, subscribe = _asked(raw, engine, port, peer)
    for number in range(2, 30):
        assert lib.sb_subscription_reject(engine, handle, 401, null, null) == 0
        peer.next("401")
        peer.within(port, subscribe, subscribe["To"], "SUBSCRIBE", number, [EVENT])
        event = raw.wait(engine)
        assert (event.type, event.state) == (lib.SB_EV_SUBSCRIBE, 0) and event.subscription > handle
        handle = event.subscription


def test_states_of_an_outgoing_subscription(raw, engine, port, peer):
    lib, null = raw.lib, raw.ffi.NULL
    handle = raw.subscribe(engine, peer.uri)
    assert handle > 0
    wrong = (lib.sb_subscription_accept(engine, handle, 200, 60),)
    wrong += (lib.sb_subscription_reject(engine, handle, 403, null, null),)
    assert set(wrong + (_notify(raw, engine, handle),)) == {lib.SB_ESTATE}
    peer.reply(peer.next("SUBSCRIBE"), 200, [("Expires", "60")])
    event = raw.wait(engine)
    assert (event.type, event.state) == (lib.SB_EV_SUBSCRIPTION, lib.SB_STATE_ACTIVE)
    assert lib.sb_unsubscribe(engine, handle) == 0
    assert set(_of_the_other_role(raw, engine, handle)) == {lib.SB_ESTATE}
    peer.reply(peer.next("SUBSCRIBE"), 481)
    event = raw.wait(engine)
    assert (event.state, event.status) == (lib.SB_STATE_ENDED, 481)
    assert set(_of_the_other_role(raw, engine, handle)) == {lib.SB_ENOENT}


def _wait(raw, engine, kind):
    """The next event of that type; traces and others before it are taken and dropped."""
    while True:
        event = raw.wait(engine)
        assert event != 0
        if event.type == kind:
            return event


def test_notifies_that_nobody_reads_get_503(raw, peer):
    """NOTIFYs without end: they are refused with 503 once too many events wait (and the memory is bounded)."""
    lib = raw.lib
    engine = raw.open(trace=1)  # three events for each message, which fill the queue sooner
    port = lib.sb_port(engine)
    assert raw.subscribe(engine, peer.uri) > 0
    subscribe = peer.next("SUBSCRIBE")
    peer.reply(subscribe, 200, [("Expires", "600")])
    _wait(raw, engine, lib.SB_EV_SUBSCRIPTION)
    dialog = {"From": subscribe["To"] + ";tag=byhand%d" % peer.port, "Call-ID": subscribe["Call-ID"]}
    headers = [EVENT, ("Subscription-State", "active")]
    statuses = []
    while statuses[-1:] != [503] and len(statuses) < MANY:
        peer.within(port, dialog, subscribe["From"], "NOTIFY", 1 + len(statuses), headers)
        statuses.append(peer.next("200", "503").status)
    assert statuses[-1] == 503 and set(statuses[:-1]) == {200}
    peer.request(port, "SUBSCRIBE", [EVENT])
    peer.next("503")
    for _ in range(len(statuses) - 1):
        _wait(raw, engine, lib.SB_EV_NOTIFY)
    peer.within(port, dialog, subscribe["From"], "NOTIFY", MANY, headers)
    peer.next("200")
    assert lib.sb_close(engine, 0) == 0
