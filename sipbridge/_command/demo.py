"""The demo, ``python -m sipbridge.demo``: two endpoints and a registrar on loopback use all features of a call.

Alice is an endpoint in this process, Bob one in a child process, and the registrar runs in a thread here. Each step is
checked on both sides. Any deviation ends the demo with the exit code 1.
"""

from __future__ import absolute_import, division, print_function

import argparse
import logging
import platform
import shutil
import sys

from sipbridge import shield
from sipbridge._agent.endpoint import Endpoint
from sipbridge._command.console import Console
from sipbridge._command.demo_party import (
    DEVIATIONS,
    TIMEOUT,
    Child,
    Deviation,
    Empty,
    Queue,
    direction,
    session,
)
from sipbridge._command.demo_registrar import Registrar
from sipbridge._compat import monotonic
from sipbridge._engine.libraries import NAMES
from sipbridge._text.printable import printable
from sipbridge.errors import AuthenticationError, SipbridgeError
from sipbridge.events import CallAnswered, CallEnded, CallProgress
from sipbridge.ladder import draw
from sipbridge.uri import parse_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Sequence, Tuple

    from sipbridge.events import TraceMessage

PASSWORDS = {"alice": "wonderland", "bob": "builder"}
KEYS = "42#"
TEXT = u"Gr\xfc\xdfe: lunch at noon?"
_WIDTH = 100  # columns, if the terminal does not tell its width


def require(what, found, expected):
    # type: (str, object, object) -> None
    """Raise Deviation unless ``found`` equals ``expected``; ``what`` names it."""
    if found != expected:
        raise Deviation("%s should be %r, and is %r" % (what, expected, found))


class Demo(object):
    """One run of the demo.

    Attributes:
        step: the name of the present step, for an error.
        trace: the messages that Alice sent and received.
    """

    def __init__(self, console, registrar, engine=None, deviation=None):
        # type: (Console, Registrar, Optional[str], Optional[str]) -> None
        self._console = console
        self._registrar = registrar
        self._begin = monotonic()
        self._events = []  # type: List[Any]
        self._coming = Queue()  # type: Queue[Any]
        self.step = "start"
        self.trace = []  # type: List[TraceMessage]
        self.alice = Endpoint(
            identity="sip:alice@" + registrar.host_port, engine=engine, trace=self.trace.append
        )  # type: Endpoint
        for kind in (CallProgress, CallAnswered, CallEnded):
            self.alice.on(kind, self._coming.put)
        self.bob = Child(
            "sip:bob@" + registrar.host_port,
            registrar.uri,
            self.alice.engine_name,
            PASSWORDS["bob"],
            deviation,
        )  # type: Child
        self.parties = [(registrar.host_port, "registrar"), (self.alice.uri[len("sip:") :], "alice")]  # type: List[Tuple[str, str]]

    def __enter__(self):
        # type: () -> Demo
        return self

    def __exit__(self, *exc_info):
        # type: (*Any) -> None
        self.alice.close()
        self.bob.__exit__(*exc_info)

    def _say(self, who, what):
        # type: (str, str) -> None
        self._console.line("%7.3f s  %-9s  %s" % (monotonic() - self._begin, who, printable(what)))

    def run(self):
        # type: () -> None
        """Run all steps in order. Raises Deviation and SipbridgeError."""
        for step in (
            self._meet,
            self._refused,
            self._register,
            self._call,
            self._keys,
            self._hold,
            self._message,
            self._hang_up,
            self._unregister,
        ):
            self.step = (step.__doc__ or "").rstrip(".").lower()
            step()

    def _meet(self):
        # type: () -> None
        """Start."""
        self._say("registrar", "checks digests at %s" % self._registrar.uri)
        self._say("alice", "is at %s" % self.alice.uri)
        uri = self.bob.ready()["uri"]
        self.parties.append((uri[len("sip:") :], "bob"))
        self._say("bob", "is at %s, in process %d" % (uri, self.bob.pid))

    # -- the registrar -------------------------------------------------------------------------------------

    def _refused(self):
        # type: () -> None
        """Register with a wrong password."""
        self.alice.add_credentials("alice", "wrong " + PASSWORDS["alice"])
        try:
            self.alice.register(self._registrar.uri, timeout=TIMEOUT)
        except AuthenticationError as error:
            require("the refusal", error.status, 401)
        else:
            raise Deviation("the registrar took a wrong password")
        self._check_answers([("alice", 401), ("alice", 401)])
        require("what is registered", self._registrar.bindings, {})
        self._say("alice", "is refused with a wrong password: 401")

    def _register(self):
        # type: () -> None
        """Register."""
        self.alice.clear_credentials()
        self.alice.add_credentials("alice", PASSWORDS["alice"])
        self.registration = self.alice.register(self._registrar.uri, expires=300, timeout=TIMEOUT)
        require("alice's registration", (self.registration.state, self.registration.expires), ("active", 300))
        self._check_answers([("alice", 401), ("alice", 200)])
        self._say("alice", "registers: 401, then 200 for %d s" % self.registration.expires)
        self.bob.tell("register")
        expires = self.bob.expect("registered", expires=300)["expires"]
        self._check_answers([("bob", 401), ("bob", 200)])
        self._say("bob", "registers: 401, then 200 for %d s" % expires)
        require("who is registered", sorted(self._registrar.bindings), ["alice", "bob"])
        bound = parse_uri(self._registrar.bindings["alice"])
        require("alice's binding", "sip:%s:%s" % (bound.host, bound.port), self.alice.uri)

    def _check_answers(self, expected):
        # type: (List[Tuple[str, int]]) -> None
        """Compare what the registrar has answered since the last check."""
        answers, self._registrar.answers[:] = list(self._registrar.answers), []
        require("what the registrar answered", answers, expected)

    def _unregister(self):
        # type: () -> None
        """Unregister."""
        self.registration.unregister(TIMEOUT)
        require("alice's registration", self.registration.state, "ended")
        self._say("alice", "unregisters")
        self.bob.tell("unregister")
        self.bob.expect("unregistered", state="ended")
        self._say("bob", "unregisters")
        require("what is registered", self._registrar.bindings, {})

    # -- the call ------------------------------------------------------------------------------------------

    def _call(self):
        # type: () -> None
        """Call."""
        offer = session("alice", 1)
        uri = self._registrar.bindings["bob"]
        self._say("alice", "calls %s, where bob is registered" % uri)
        self.call = self.alice.call(uri, offer, timeout=TIMEOUT)
        self.bob.expect("incoming", caller=self.alice.identity, sdp=offer.decode("ascii"))
        self._say("bob", "rings: 180")
        answer = self.bob.expect("answered")["sdp"]
        require("the answer that alice got", (self.call.remote_sdp or b"").decode("utf-8"), answer)
        require("whether the answer is there", bool(answer), True)
        self._say("bob", "answers: 200, SDP of %d octets" % len(answer))
        self.call.wait_established(TIMEOUT)
        self.bob.expect("confirmed")
        self._say("alice", "acknowledges: the call is up on both sides")
        self._check_events([(CallProgress, 180), (CallAnswered, 200)])

    def _keys(self):
        # type: () -> None
        """Send keys."""
        self.call.send_dtmf(KEYS, timeout=TIMEOUT)
        for key in KEYS:
            self.bob.expect("dtmf", key=key)
        self._say("alice", "presses %s: an INFO each, bob got them" % KEYS)

    def _hold(self):
        # type: () -> None
        """Hold and resume."""
        self._reinvite(2, "sendonly", "recvonly")
        self._say("alice", "holds the call: a=sendonly, bob says a=recvonly")
        self._reinvite(3, "sendrecv", "sendrecv")
        self._say("alice", "resumes it: a=sendrecv on both sides")

    def _reinvite(self, version, way, answered):
        # type: (int, str, str) -> None
        response = self.call.reinvite(session("alice", version, way), timeout=TIMEOUT)
        self.bob.expect("reinvited", way=way)
        self.bob.expect("confirmed")
        require("the direction that bob answered", direction(response.body), answered)
        require("the call", self.call.state, "established")

    def _message(self):
        # type: () -> None
        """Send a message."""
        response = self.alice.message(self._registrar.bindings["bob"], TEXT, timeout=TIMEOUT)
        require("the answer to the message", response.status, 200)
        self.bob.expect("message", text=TEXT, sender=self.alice.identity)
        self._say("alice", u"sends a message, bob reads: %s" % TEXT)

    def _hang_up(self):
        # type: () -> None
        """Hang up."""
        self.call.hangup()
        require("why the call ended", self.call.wait_ended(TIMEOUT).cause, "local-bye")
        self.bob.expect("ended", cause="remote-bye", calls=0)
        require("the calls that are left", len(self.alice.calls), 0)
        self._check_events([(CallProgress, 180), (CallAnswered, 200), (CallEnded, 200)])
        self._say("alice", "hangs up: BYE, the call is over on both sides")

    def _check_events(self, expected):
        # type: (List[Tuple[type, int]]) -> None
        """Wait for as many events as are expected, because another thread brings them; then compare them."""
        while len(self._events) < len(expected):
            try:
                self._events.append(self._coming.get(timeout=TIMEOUT))
            except Empty:
                break
        found = [(type(event).__name__, event.status) for event in self._events]
        require("alice's events", found, [(kind.__name__, status) for kind, status in expected])

    def diagram(self):
        # type: () -> str
        """The ladder diagram of Alice's messages, as text."""
        size = getattr(shutil, "get_terminal_size", None)  # Python 3
        width = size((_WIDTH, 24)).columns if size else _WIDTH
        return draw(self.trace, self.alice.uri[len("sip:") :], self.parties, width - 1)


def _perform(console, options):
    # type: (Console, Any) -> int
    passwords = dict(PASSWORDS)
    if options.deviation == "password":
        passwords["alice"] = "looking glass"
    with Registrar(passwords) as registrar:
        with Demo(console, registrar, options.engine, options.deviation) as demo:
            engine = "%s %s" % (demo.alice.engine_name, demo.alice.engine_version)
            console.line("sipbridge demo: %s, Python %s, loopback" % (engine, platform.python_version()))
            try:
                demo.run()
            except (Deviation, SipbridgeError) as error:
                demo_failed = "demo: FAILED in step %r: %s" % (demo.step, error)
            else:
                demo_failed = ""
            console.line("\nwhat passed at alice's:\n\n%s\n" % demo.diagram())
    console.line("engine: " + engine)
    console.line(demo_failed or "demo: ok")
    return 1 if demo_failed else 0


def main(argv=None):
    # type: (Optional[Sequence[str]]) -> int
    """Run the demo. Returns the exit code: 0, or 1 for any deviation."""
    parser = argparse.ArgumentParser(
        prog="python -m sipbridge.demo",
        description="Register, call, ring, answer, keys, hold, resume, message, hang up, unregister: a real"
        " call on loopback, checked on both sides. Exit code 0, or 1 when anything goes otherwise.",
    )
    parser.add_argument("--engine", choices=NAMES, help="the SIP engine (default: the first that was built)")
    parser.add_argument(
        "--deviation",
        choices=sorted(DEVIATIONS),
        help="let a party misbehave, to see that the demo notices: "
        + "; ".join("%s, %s" % pair for pair in sorted(DEVIATIONS.items())),
    )
    options = parser.parse_args(argv)
    if argv is None:
        shield.restart_with("sipbridge.demo", sys.argv[1:], options.engine)
    logging.basicConfig()
    console = Console()
    try:
        return console.finish(_perform(console, options))
    except KeyboardInterrupt:
        console.line("demo: interrupted")
        return 130
    except SipbridgeError as error:
        console.line("demo: FAILED: %s" % error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
