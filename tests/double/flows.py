"""What an engine does from open to close, in short flows, with a peer that answers by itself.

A step that fails does not stop a flow: what depends on it is left out.
"""

from __future__ import absolute_import, division, print_function

import threading
import time

from peers.byhand import ByHand

CHALLENGE = [("WWW-Authenticate", 'Digest realm="sipbridge.test", nonce="one", qop="auth"')]
TEXT = {"headers": [("X-Step", "one")], "content_type": "text/plain", "body": b"body"}


#: flow: (what the peer answers, the functions of the library that it comes to).
FLOWS = {
    "nothing": (
        {},
        "eXosip_malloc eXosip_init eXosip_set_option eXosip_listen_addr eXosip_guess_localip eXosip_event_wait"
        " eXosip_message_build_request",
    ),
    "register": (
        {"REGISTER": [401, 200]},
        "eXosip_add_authentication_info eXosip_clear_authentication_info eXosip_register_build_initial_register"
        " eXosip_register_build_register eXosip_register_send_register eXosip_register_remove osip_message_to_str",
    ),
    "call": (
        {"INVITE": [401, 200]},
        "eXosip_default_action eXosip_call_build_initial_invite eXosip_call_send_initial_invite eXosip_call_build_ack"
        " eXosip_call_send_ack eXosip_call_build_request eXosip_call_send_request osip_message_set_header"
        " osip_message_set_content_type osip_message_set_body osip_message_to_str",
    ),
    "cancel": ({"INVITE": [180]}, "eXosip_call_terminate"),
    "take": (
        {},
        "eXosip_call_build_answer eXosip_call_send_answer osip_message_set_header osip_message_set_content_type"
        " osip_message_set_body",
    ),
    "refuse": ({}, "eXosip_call_build_answer eXosip_call_send_answer osip_message_set_header"),
    "outside": (
        {},
        "eXosip_message_build_request eXosip_message_send_request eXosip_message_build_answer"
        " eXosip_message_send_answer osip_message_set_header",
    ),
    "subscribe": (
        {"SUBSCRIBE": [401, 200]},
        "eXosip_default_action eXosip_subscribe_build_initial_request eXosip_subscribe_send_initial_request"
        " eXosip_subscribe_remove eXosip_message_build_answer eXosip_message_send_answer osip_message_set_header",
    ),
    "notify": (
        {},
        "eXosip_insubscription_build_answer eXosip_insubscription_send_answer eXosip_insubscription_build_request"
        " eXosip_insubscription_send_request eXosip_insubscription_remove osip_message_set_header"
        " osip_message_set_content_type osip_message_set_body",
    ),
    "publish": ({}, "eXosip_message_build_request eXosip_message_send_request osip_message_set_header"),
}

class Answering(threading.Thread):
    """A peer that answers every request: with the statuses given for its method, the last of them for good.

    ``statuses``: of INVITE, 180 alone leaves the call ringing; before a 200 comes a 180. ``challenge``: the headers of
    a 401.

    Attributes:
        answers: the final responses that it got: pairs of method and status.
        heard: all messages that it got, but for repetitions.
    """

    def __init__(self, challenge=CHALLENGE, **statuses):
        super(Answering, self).__init__()
        self.daemon = True
        self.hand = ByHand()
        self.uri = self.hand.uri
        self.answers = []
        self.heard = []
        self._statuses = statuses
        self._challenge = challenge
        self._stopping = False
        self.subscribe = None  # the last that was received
        self._invite = None  # received, not answered finally yet
        self._sent = {}  # our requests by Call-ID and CSeq
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self._stopping = True
        self.join(10)
        self.hand.stop()

    def request(self, port, method, **options):
        message = self.hand.request(port, method, **options)
        self._sent[message["Call-ID"], message["CSeq"]] = message, port
        return message

    def run(self):
        while True:
            message = self.hand.take(0.02)
            if message is None and self._stopping:
                return
            if message is not None:
                self.heard.append(message)
            if message is not None and message.is_request:
                self._answer(message)
            elif message is not None and message.status >= 200:
                self._record(message)

    def _answer(self, request):
        if request.method == "ACK":
            return
        statuses = self._statuses.get(request.method, [200])
        status = statuses[0]
        if len(statuses) > 1:
            statuses.pop(0)
        if request.method == "SUBSCRIBE":
            self.subscribe = request
        if request.method == "INVITE":
            self._invite = request
            if status == 200 and "tag=" not in request["To"]:
                self.hand.reply(request, 180)
        self.hand.reply(request, status, self._challenge if status == 401 else ())
        if request.method == "CANCEL" and self._invite is not None:
            self.hand.reply(self._invite, 487)

    def _record(self, response):
        self.answers.append((response.method, response.status))
        if response.method == "INVITE":
            invite, port = self._sent[response["Call-ID"], response["CSeq"]]
            self.hand.within(port, invite, response["To"], "ACK", 1)

    def notify(self, port, cseq, state):
        """A NOTIFY in the subscription whose SUBSCRIBE came last."""
        tag = ";tag=byhand%d" % self.hand.port
        to = self.subscribe["To"]
        dialog = {"From": to if "tag=" in to else to + tag, "Call-ID": self.subscribe["Call-ID"]}
        headers = [("Event", "presence"), ("Subscription-State", state)]
        self.hand.within(port, dialog, self.subscribe["From"], "NOTIFY", cseq, headers)

    def within(self, invite, to, method, cseq, **options):
        """A request in the dialog that our INVITE began."""
        _, port = self._sent[invite["Call-ID"], invite["CSeq"]]
        message = self.hand.within(port, invite, to, method, cseq, **options)
        self._sent[message["Call-ID"], message["CSeq"]] = message, port
        return message


class Flow(object):
    """One engine and what is done with it.

    Attributes:
        codes: what each step returned, by its name.
        events: the types of events that came.
        told: these events.
        patience: seconds to wait for an event.
    """

    def __init__(self, raw, patience, **config):
        self.patience = patience
        self._raw, self._lib, self._null = raw, raw.lib, raw.ffi.NULL
        self.codes, self.events, self.told = {}, [], []
        self.engine = self._step("open", raw.open(**config))
        self.port = raw.lib.sb_port(self.engine)

    def close(self):
        return self._step("close", self._lib.sb_close(self.engine, 200))

    @property
    def failures(self):
        """The steps that returned an error."""
        return sorted(name for name, code in self.codes.items() if code < 0)

    def _step(self, name, code):
        self.codes[name] = min(code, self.codes.get(name, code))
        return code

    def _do(self, name, handle, function, *arguments):
        """A step with a handle, left out where there is none."""
        return self._step(name, function(self.engine, handle, *arguments)) if handle > 0 else -1

    def _await(self, *types):
        """The next event of these types, or None: not in time, or a call has ended instead."""
        deadline = time.time() + self.patience
        while time.time() < deadline:
            event = self._raw.wait(self.engine, 50)
            if event == 0:
                continue
            self.note(event)
            if event.type in types:
                return event
            if event.type == self._lib.SB_EV_CALL_ENDED:
                return None
        return None

    def note(self, event):
        self.events.append(event.type)
        self.told.append(event)

    def _content(self):
        content, self._keep = self._raw.content(**TEXT)
        return content

    # -- the flows -----------------------------------------------------------------------------------------

    def credentials(self):
        arguments = self._null, self._raw.text("peer"), self._raw.text("secret")
        self._step("credentials", self._lib.sb_credentials(self.engine, *arguments))

    def register(self, peer):
        lib = self._lib
        self.credentials()
        handle = self._step("register", self._raw.register(self.engine, peer.uri, peer.uri))
        if handle > 0:
            self._await(lib.SB_EV_REGISTRATION)
        if self._do("refresh", handle, lib.sb_register_refresh, 60) == 0:
            self._await(lib.SB_EV_REGISTRATION)
        if self._do("unregister", handle, lib.sb_unregister) == 0:
            self._await(lib.SB_EV_REGISTRATION)
        self._step("clear", lib.sb_credentials_clear(self.engine))

    def call(self, peer):
        """Placed, challenged, answered, with an INFO and a re-INVITE, and hung up."""
        lib = self._lib
        self.credentials()
        call = self._step("call", self._raw.call(self.engine, peer.uri, from_=peer.uri, **TEXT))
        answered = call > 0 and self._await(lib.SB_EV_CALL_ANSWERED)
        if answered:
            self._do("ack", call, lib.sb_call_ack, self._content())
            if self._do("info", call, lib.sb_call_request, self._raw.text("INFO"), self._content()) > 0:
                self._await(lib.SB_EV_CALL_RESPONSE)
            if self._do("reinvite", call, lib.sb_call_reinvite, self._content()) > 0:
                self._await(lib.SB_EV_CALL_RESPONSE)
                self._do("ack again", call, lib.sb_call_ack, self._null)
            if self._do("hangup", call, lib.sb_call_hangup, self._content()) == 0:
                self._await(lib.SB_EV_CALL_ENDED)

    def cancel(self, peer):
        lib = self._lib
        call = self._step("call", self._raw.call(self.engine, peer.uri))
        if call > 0 and self._await(lib.SB_EV_CALL_PROGRESS):
            if self._do("hangup", call, lib.sb_call_hangup, self._null) == 0:
                self._await(lib.SB_EV_CALL_ENDED)

    def take(self, peer):
        """A call from the peer: rung, answered, INFO and BYE from there."""
        lib = self._lib
        invite = peer.request(self.port, "INVITE")
        event = self._await(lib.SB_EV_CALL_INCOMING)
        if event is None:
            return
        self._do("ring", event.call, lib.sb_call_ring, 180, self._content())
        if self._do("answer", event.call, lib.sb_call_answer, self._content()) < 0:
            return
        confirmed = self._await(lib.SB_EV_CALL_CONFIRMED)
        if confirmed is None:
            return
        to = header_of(confirmed.headers, b"to")
        peer.within(invite, to, "INFO", 2)
        request = self._await(lib.SB_EV_CALL_REQUEST)
        if request is not None:
            self._do("answer info", request.transaction, lib.sb_answer, 200, self._null, self._content())
        peer.within(invite, to, "BYE", 3)
        self._await(lib.SB_EV_CALL_ENDED)

    def refuse(self, peer):
        lib, raw = self._lib, self._raw
        refusals = (
            ("reject", lib.sb_call_reject, (486, raw.text("Not Now"), self._content())),
            ("redirect", lib.sb_call_redirect, (302, raw.text(peer.uri))),
            ("hang up", lib.sb_call_hangup, (self._null,)),
        )
        for name, function, arguments in refusals:
            peer.request(self.port, "INVITE")
            event = self._await(lib.SB_EV_CALL_INCOMING)
            if event is not None and self._do(name, event.call, function, *arguments) == 0:
                self._await(lib.SB_EV_CALL_ENDED)

    def outside(self, peer):
        """MESSAGE both ways; OPTIONS and a SUBSCRIBE without Event, which the engine answers by itself."""
        lib = self._lib
        if self._step("request", self._raw.request(self.engine, "MESSAGE", peer.uri, **TEXT)) > 0:
            self._await(lib.SB_EV_RESPONSE)
        peer.request(self.port, "OPTIONS")
        peer.request(self.port, "SUBSCRIBE")
        peer.request(self.port, "MESSAGE", headers=[("Content-Type", "text/plain")], body=b"hello")
        event = self._await(lib.SB_EV_REQUEST)
        if event is not None:
            self._do("answer", event.transaction, lib.sb_answer, 200, self._null, self._content())

    def subscribe(self, peer):
        """Subscribed, challenged, told, refreshed, and ended."""
        lib = self._lib
        self.credentials()
        handle = self._step("subscribe", self._raw.subscribe(self.engine, peer.uri, from_=peer.uri, **TEXT))
        if handle <= 0 or not self._active():
            return
        peer.notify(self.port, 1, "active;expires=600")
        self._await(lib.SB_EV_NOTIFY)
        if self._do("refresh", handle, lib.sb_subscribe_refresh, 60) == 0 and not self._active():
            return
        if self._do("unsubscribe", handle, lib.sb_unsubscribe) == 0:
            peer.notify(self.port, 2, "terminated;reason=timeout")
            self._await(lib.SB_EV_SUBSCRIPTION)

    def _active(self):
        event = self._await(self._lib.SB_EV_SUBSCRIPTION)
        return event is not None and event.state == self._lib.SB_STATE_ACTIVE

    def notify(self, peer):
        """A subscriber that is accepted, told twice, and goes; another that is refused."""
        lib, raw = self._lib, self._raw
        peer.request(self.port, "SUBSCRIBE", headers=[("Event", "presence")])
        event = self._await(lib.SB_EV_SUBSCRIBE)
        if event is not None:
            handle = event.subscription
            self._do("accept", handle, lib.sb_subscription_accept, 200, 60)
            self._do("notify", handle, lib.sb_notify, raw.text("active;expires=60"), self._content())
            self._do("notify again", handle, lib.sb_notify, raw.text("active;expires=60"), self._content())
            if self._do("terminate", handle, lib.sb_notify, raw.text("terminated"), self._null) == 0:
                event = self._await(lib.SB_EV_UNSUBSCRIBED)
                self._step("unsubscribed", 0 if event is not None and event.status == 200 else -1)
        peer.request(self.port, "SUBSCRIBE", headers=[("Event", "dialog")])
        event = self._await(lib.SB_EV_SUBSCRIBE)
        if event is not None:
            content, phrase = self._content(), raw.text("Not You")
            self._do("reject", event.subscription, lib.sb_subscription_reject, 403, phrase, content)

    def publish(self, peer):
        if self._step("publish", self._raw.publish(self.engine, peer.uri, etag="one", expires=60, **TEXT)) > 0:
            self._await(self._lib.SB_EV_RESPONSE)

    def nothing(self, peer):
        """Open and close alone, with every field that the engine hands to the library."""


def header_of(headers, name):
    """The value of a header in an event's lines, as text; To may be in compact form."""
    for line in headers.decode("utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() in (name.decode("ascii"), "t"):
            return value.strip()
    raise AssertionError(headers)
