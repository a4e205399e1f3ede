"""What an engine does in each flow, as JSON, for `make double-check`: it runs once on the double, once on the library.

    python tests/double/journal.py FLOW           one flow: its events, its messages, and what each step returned
    python tests/double/journal.py --datagrams    an engine that listens, prints its port, and drops what it tells
"""

from __future__ import absolute_import, division, print_function

import json
import os
import sys

if __name__ == "__main__":  # started by path
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from contract.raw import Raw
from double.flows import FLOWS, Answering, Flow, header_of
from peers.waiting import wait_until

#: Those of :class:`Longer`, as in FLOWS: what the peer answers.
LONGER = {
    "refer": {"REFER": [202]},
    "reinvited": {},
    "cancelled": {},
    "repeated": {},
    "forked": {},
    "refused": {"INVITE": [486], "MESSAGE": [404], "SUBSCRIBE": [489], "REGISTER": [403], "PUBLISH": [489]},
    "redirected": {"INVITE": [302]},
    "wrong password": {"REGISTER": [401], "INVITE": [407, 407]},
    "unknown": {},
}

#: Seconds for what has to come, and for what may.
LONG, SHORT = 5.0, 0.5


class Longer(Flow):
    """Flows that no function has to fail in."""

    def _taken(self, peer, **options):
        """A call from the peer that is up: its INVITE, its To and the handle."""
        invite = peer.request(self.port, "INVITE", **options)
        event = self._await(self._lib.SB_EV_CALL_INCOMING)
        if event is None or self._do("answer", event.call, self._lib.sb_call_answer, self._content()) < 0:
            return invite, None, -1
        confirmed = self._await(self._lib.SB_EV_CALL_CONFIRMED)
        return invite, confirmed and header_of(confirmed.headers, b"to"), event.call

    def refer(self, peer):
        """A REFER of ours, and one of the peer's that is refused."""
        lib = self._lib
        invite, to, call = self._taken(peer)
        content, self._keep = self._raw.content(headers=[("Refer-To", "<sip:carol@127.0.0.1:9>")])
        if self._do("refer", call, lib.sb_call_request, self._raw.text("REFER"), content) > 0:
            self._await(lib.SB_EV_CALL_RESPONSE)
        peer.within(invite, to, "REFER", 2, headers=[("Refer-To", "<sip:carol@127.0.0.1:9>")])
        event = self._await(lib.SB_EV_CALL_REQUEST)
        if event is not None:
            self._do("refuse", event.transaction, lib.sb_answer, 603, self._null, self._null)
        self._do("hangup", call, lib.sb_call_hangup, self._null)
        self._await(lib.SB_EV_CALL_ENDED)

    def reinvited(self, peer):
        """A re-INVITE that is answered, one that is refused, an UPDATE, an OPTIONS, a BYE twice."""
        lib = self._lib
        invite, to, call = self._taken(peer, headers=[("Content-Type", "application/sdp")], body=b"v=0\r\n")
        for number, status in ((2, 200), (3, 488)):
            peer.within(invite, to, "INVITE", number)
            event = self._await(lib.SB_EV_CALL_REINVITE)
            if event is not None:
                self._do("reinvite %d" % status, event.transaction, lib.sb_answer, status, self._null, self._content())
            self._await_quiet()
        peer.within(invite, to, "UPDATE", 4)
        event = self._await(lib.SB_EV_CALL_REQUEST)
        if event is not None:
            self._do("update", event.transaction, lib.sb_answer, 200, self._null, self._null)
        peer.within(invite, to, "OPTIONS", 5)
        self._await_quiet()
        peer.within(invite, to, "BYE", 6)
        self._await(lib.SB_EV_CALL_ENDED)
        peer.within(invite, to, "BYE", 7)
        self._await_quiet()

    def cancelled(self, peer):
        """A call that the peer takes back, while it rings and before; a CANCEL of nothing."""
        lib = self._lib
        for ring in (True, False):
            invite = peer.request(self.port, "INVITE")
            event = self._await(lib.SB_EV_CALL_INCOMING)
            if ring and event is not None:
                self._do("ring", event.call, lib.sb_call_ring, 180, self._null)
                wait_until(lambda: any(message.status == 180 for message in peer.heard))
            peer.hand.cancel(self.port, invite)
            self._await(lib.SB_EV_CALL_ENDED)
            self._await_quiet()
        peer.hand.cancel(self.port, invite)
        self._await_quiet()

    def repeated(self, peer):
        """Datagrams that come twice: an INVITE, a MESSAGE, an ACK, a BYE; and a request of an old CSeq."""
        lib = self._lib
        invite = peer.request(self.port, "INVITE")
        peer.hand.send(self.port, invite.octets)
        event = self._await(lib.SB_EV_CALL_INCOMING)
        peer.hand.send(self.port, invite.octets)
        if event is not None:
            self._do("answer", event.call, lib.sb_call_answer, self._content())
        confirmed = self._await(lib.SB_EV_CALL_CONFIRMED)
        to = confirmed and header_of(confirmed.headers, b"to")
        for method, number in (("INFO", 5), ("INFO", 3), ("BYE", 6)):
            message = peer.within(invite, to, method, number)
            peer.hand.send(self.port, message.octets)
            event = self._await(lib.SB_EV_CALL_REQUEST) if number == 5 else self._await_quiet()
            if event is not None:
                self._do("answer info", event.transaction, lib.sb_answer, 200, self._null, self._null)
        message = peer.request(self.port, "MESSAGE", headers=[("Content-Type", "text/plain")], body=b"hello")
        event = self._await(lib.SB_EV_REQUEST)
        if event is not None:
            self._do("answer", event.transaction, lib.sb_answer, 200, self._null, self._null)
        peer.hand.send(self.port, message.octets)
        self._await_quiet()

    def forked(self, peer):
        """Requests within dialogs that are not there, and answers to nothing."""
        for method in ("BYE", "INFO", "INVITE", "NOTIFY", "ACK", "REFER"):
            invite = {"From": "<%s>;tag=ours" % peer.uri, "Call-ID": "nowhere-" + method}
            peer.hand.within(self.port, invite, "<sip:engine@127.0.0.1>;tag=none", method, 2)
            event = self._await_quiet()
            if event is not None and event.transaction > 0:
                self._do("answer " + method, event.transaction, self._lib.sb_answer, 481, self._null, self._null)
            elif event is not None and event.call > 0:
                self._do("reject " + method, event.call, self._lib.sb_call_reject, 481, self._null, self._null)
        self._await_quiet()

    def refused(self, peer):
        """Each request of ours, refused by the peer."""
        lib, raw = self._lib, self._raw
        self._step("call", raw.call(self.engine, peer.uri, from_=peer.uri))
        self._await(lib.SB_EV_CALL_ENDED)
        self._step("request", raw.request(self.engine, "MESSAGE", peer.uri, **{"content_type": "a/b", "body": b"x"}))
        self._await(lib.SB_EV_RESPONSE)
        self._step("subscribe", raw.subscribe(self.engine, peer.uri, from_=peer.uri))
        self._await(lib.SB_EV_SUBSCRIPTION)
        self._step("register", raw.register(self.engine, peer.uri, peer.uri))
        self._await(lib.SB_EV_REGISTRATION)
        self._step("publish", raw.publish(self.engine, peer.uri, content_type="a/b", body=b"x"))
        self._await(lib.SB_EV_RESPONSE)

    def redirected(self, peer):
        self._step("call", self._raw.call(self.engine, peer.uri, from_=peer.uri))
        self._await(self._lib.SB_EV_CALL_ENDED)

    def wrong_password(self, peer):
        """The peer asks again and again."""
        self.credentials()
        self._step("register", self._raw.register(self.engine, peer.uri, peer.uri))
        self._await(self._lib.SB_EV_REGISTRATION)
        self._step("call", self._raw.call(self.engine, peer.uri, from_=peer.uri))
        self._await(self._lib.SB_EV_CALL_ENDED)

    def unknown(self, peer):
        """Methods that nobody knows, and what the engine does not take."""
        for method in ("PUBLISH", "REGISTER", "REFER", "INFO", "NOTIFY", "PRACK", "HELLO"):
            peer.request(self.port, method, headers=[("Event", "presence")])
            event = self._await_quiet()
            if event is not None and event.transaction > 0:
                self._do("answer " + method, event.transaction, self._lib.sb_answer, 501, self._null, self._null)
        self._await_quiet()

    def _await_quiet(self):
        """The next event, if there is one soon."""
        event = self._raw.wait(self.engine, int(1000 * SHORT))
        if event == 0:
            return None
        self.note(event)
        return event


def journal(name):
    """What came of a flow, as data for JSON; :mod:`sipbridge._replay.contrast` reads it."""
    raw = Raw()
    flow = Longer(raw, LONG, user_agent="journal", advertised_host="127.0.0.1")
    statuses = LONGER[name] if name in LONGER else FLOWS[name][0]
    with Answering(**{method: list(each) for method, each in statuses.items()}) as peer:
        getattr(flow, name.replace(" ", "_"))(peer)
        flow.close()
    types = {getattr(raw.lib, each): each for each in dir(raw.lib) if each.startswith("SB_EV_")}
    steps = {step: code if code < 0 else "done" for step, code in flow.codes.items() if step != "open"}
    return {
        "version": raw.ffi.string(raw.lib.sb_engine_version()).decode("ascii"),
        "events": [_described(each, types) for each in flow.told] + [_event("what the steps returned", steps)],
        "messages": [message.octets.decode("latin-1") for message in peer.heard],
    }


def _event(name, fields, headers=(), body=b""):
    return {"event": name, "fields": fields, "headers": list(headers), "body": body.decode("latin-1")}


def _described(event, types):
    fields = {each: getattr(event, each) for each in ("cause", "state", "status")}
    fields.update({each: getattr(event, each) > 0 for each in ("call", "registration", "transaction", "subscription")})
    fields["method"] = event.method.decode("utf-8", "replace")  # a reason phrase says nothing
    lines = event.headers.decode("utf-8", "replace").splitlines()
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return _event(types[event.type], fields, headers, event.body)


def listen():
    """Listen until standard input ends."""
    raw = Raw()
    engine = raw.open()
    print(raw.lib.sb_port(engine))
    sys.stdout.flush()
    sys.stdin.read()
    raw.close_all()


if __name__ == "__main__":
    if sys.argv[1] == "--datagrams":
        listen()
    else:
        print(json.dumps(journal(sys.argv[1])))
