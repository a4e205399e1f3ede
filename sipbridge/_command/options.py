"""The options of the ``sipbridge`` command, its help, and its exit codes."""

from __future__ import absolute_import, division, print_function

import argparse
import sys

from sipbridge._command import (
    commands,
    event_commands,
    listening,
    options_compare,
    options_fleet,
    texts,
    values,
)
from sipbridge._command.console import KEY_VARIABLE, PASSWORD_VARIABLE, Console
from sipbridge._engine.libraries import NAMES
from sipbridge._later import later
from sipbridge._text.printable import printable
from sipbridge._version import __version__
from sipbridge.tls import VERIFY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, List, NoReturn

    from sipbridge._command import engine, replaying
else:
    # The one needs what Windows lacks, the other what is slow to load.
    engine, replaying = later("sipbridge._command.engine", "sipbridge._command.replaying")


EXIT_USAGE = 2
EXIT_TRANSPORT = 3
EXIT_REFUSED = 4
EXIT_AUTHENTICATION = 5
EXIT_TIMEOUT = 6
EXIT_UNSUPPORTED = 7
EXIT_INTERRUPTED = 130


def examples():
    # type: () -> str
    """All examples in the help, as text."""
    return "".join([
        texts.EXAMPLES, texts.CALL_EXAMPLES, texts.LISTEN_EXAMPLES, texts.REGISTER_EXAMPLES,
        texts.MESSAGE_EXAMPLES, texts.PING_EXAMPLES, texts.SUBSCRIBE_EXAMPLES, texts.PUBLISH_EXAMPLES,
        texts.LADDER_EXAMPLES, texts.REPLAY_EXAMPLES, texts.COMPARE_EXAMPLES, texts.ENGINE_EXAMPLES,
        texts.FLEET_EXAMPLES, texts.DOCTOR_EXAMPLES,
    ])  # fmt: skip


# -- arguments ---------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser that reports wrong usage in one line, and leaves a program behind -- as it is."""

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        program = []  # type: List[str]
        if self.get_default("program") is not None and args is not None and "--" in args:
            begin = args.index("--")
            args, program = args[:begin], args[begin + 1 :]
        namespace, rest = argparse.ArgumentParser.parse_known_args(self, args, namespace)
        if program:
            namespace.program = program
        return namespace, rest

    def _print_message(self, message, file=None):  # type: ignore[no-untyped-def]
        console = Console(errors=file is not None and file is sys.stderr)
        console.line(message.rstrip("\n"))
        if console.finish(0):
            self.exit(EXIT_USAGE)

    def error(self, message):
        # type: (str) -> NoReturn
        self.exit(EXIT_USAGE, "%s: %s (try: %s --help)\n" % (self.prog, printable(message), self.prog))


def _common(parser):
    # type: (argparse.ArgumentParser) -> None
    group = parser.add_argument_group("common options")
    group.add_argument(
        "--engine",
        choices=NAMES + ("container",),
        help="the SIP engine (default: the first that was built), or the one of the image, in a container",
    )
    group.add_argument("--image", metavar="NAME", default="sipbridge:runtime", help="that image (default: %(default)s)")
    group.add_argument(
        "--network",
        metavar="NAME",
        default="bridge",
        help='the container\'s network (default: bridge; "host" reaches peers on loopback, on Linux)',
    )
    group.add_argument("--proxy", metavar="URI", help="send every request to this proxy first")
    group.add_argument(
        "--advertised", metavar="HOST:PORT", help="what Contact names instead of the local address (NAT)"
    )
    group.add_argument(
        "--resolv-conf", metavar="FILE", help="ask the DNS servers that it names (default: the system's)"
    )
    group.add_argument(
        "--keepalive",
        metavar="SECONDS",
        type=int,
        help="send a ping on a connection (TCP, TLS) that was silent for so long (default: never)",
    )
    group.add_argument(
        "--user", metavar="NAME", help="answer digest challenges as NAME, with $%s" % PASSWORD_VARIABLE
    )
    group.add_argument(
        "--trace", action="store_true", help="print the messages as they pass, digest responses masked"
    )
    group.add_argument(
        "--record",
        metavar="FILE",
        type=values.capture,
        help="write a pcap file of the messages, credentials masked",
    )
    group.add_argument(
        "--record-credentials", action="store_true", help="leave digest responses readable in that file"
    )
    group.add_argument(
        "--hep", metavar="udp://HOST:PORT", type=values.capture_server,
        help="send the messages to this capture server of Homer, credentials masked; $%s is its key" % KEY_VARIABLE,
    )  # fmt: skip
    group.add_argument(
        "--hep-id", metavar="N", type=values.capture_id, default=1, help="the capture id to send (default: %(default)s)"
    )
    group.add_argument(
        "--flight", metavar="FOLDER", type=values.capture,
        help="write the last messages there when a handler fails, an engine is lost or SIGUSR1 comes",
    )  # fmt: skip
    group.add_argument("-v", "--verbose", action="store_true", help="log what the library does to stderr")
    _tls(parser)


def _tls(parser):
    # type: (argparse.ArgumentParser) -> None
    group = parser.add_argument_group("TLS options")
    group.add_argument(
        "--certificate", metavar="FILE", help="the certificate to show, PEM (to listen on tls://)"
    )
    group.add_argument("--key", metavar="FILE", help="its private key (default: in the same file)")
    group.add_argument("--ca", metavar="FILE", help="whom to believe (default: whom this system does)")
    group.add_argument(
        "--verify", choices=VERIFY, help="whose certificate has to be right (default: the server's)"
    )


def _caller(parser):
    # type: (argparse.ArgumentParser) -> None
    parser.add_argument(
        "--local",
        metavar="ADDRESS",
        help="udp://host:port to use here (default: any port, as the target says)",
    )


def _sender(parser):
    # type: (argparse.ArgumentParser) -> None
    _caller(parser)
    parser.add_argument("--from", dest="from_", metavar="URI", help="who it is from")
    parser.add_argument(
        "--header", metavar="'NAME: VALUE'", type=values.header, action="append", default=[], help="one more header"
    )


def _expires(parser):
    # type: (argparse.ArgumentParser) -> None
    parser.add_argument(
        "--expires", metavar="S", type=values.whole_seconds, default=3600, help="seconds to ask for (default: 3600)"
    )


def _timeout(parser, default, what):
    # type: (argparse.ArgumentParser, float, str) -> None
    parser.add_argument(
        "--timeout", metavar="S", type=values.seconds, default=default, help="%s (default: %%(default)s)" % what
    )


def _add(subparsers, name, run, help_text, epilog=""):
    # type: (Any, str, Callable[..., int], str, str) -> argparse.ArgumentParser
    parser = subparsers.add_parser(
        name,
        help=help_text,
        description=help_text,
        epilog=epilog + texts.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # type: argparse.ArgumentParser
    parser.set_defaults(run=run)
    return parser


def _add_call(subparsers):
    # type: (Any) -> None
    parser = _add(subparsers, "call", commands.call, "place a call", texts.CALL_EXAMPLES)
    parser.add_argument("to", metavar="TO", help="whom to call, as sip:bob@host:port")
    _sender(parser)
    parser.add_argument("--sdp", metavar="FILE", help="the session description to offer")
    parser.add_argument("--dtmf", metavar="KEYS", type=values.keys, help="keys to send once answered (INFO)")
    parser.add_argument("--hold", metavar="S", type=values.seconds, help="put the call on hold for S seconds")
    parser.add_argument("--transfer", metavar="URI", type=values.uri, help="have the peer call URI instead, and leave")
    parser.add_argument(
        "--follow", metavar="N", type=values.redirects, default=0, help="go on to N targets at most when redirected"
    )
    parser.add_argument("--duration", metavar="S", type=values.seconds, help="hang up after S seconds")
    _timeout(parser, 60.0, "give up (CANCEL) when there is no answer in S seconds")
    _common(parser)


def _add_listen(subparsers):
    # type: (Any) -> None
    parser = _add(subparsers, "listen", listening.listen, "take calls and messages", texts.LISTEN_EXAMPLES)
    parser.add_argument(
        "address",
        metavar="ADDRESS",
        nargs="?",
        default="udp://127.0.0.1:5060",
        help="where to listen (default: %(default)s)",
    )
    parser.add_argument("--sdp", metavar="FILE", help="the session description to answer with")
    parser.add_argument("--reject", metavar="STATUS", type=values.refusal, help="refuse calls, 400 to 699")
    parser.add_argument(
        "--take-transfers", action="store_true", help="call whom a REFER names (default: refuse it, 603)"
    )
    parser.add_argument(
        "--ring-seconds", metavar="S", type=values.seconds, default=0, help="ring (180) S seconds before the answer"
    )
    parser.add_argument(
        "--max-calls", metavar="N", type=values.count, help="take N calls, refuse more, end when the last is over"
    )
    parser.add_argument(
        "--once", dest="max_calls", action="store_const", const=1, help="the same as --max-calls 1"
    )
    parser.add_argument(
        "--drain", metavar="S", type=values.seconds, default=8,
        help="after SIGTERM refuse new calls and give those that are up S seconds to finish; 0: hang up (default: 8)",
    )  # fmt: skip
    parser.add_argument(
        "--allow", metavar="NETWORK", type=values.network, action="append",
        help="take calls and messages from there alone, as 192.0.2.0/24; may be given more than once",
    )  # fmt: skip
    _watching(parser)
    _common(parser)


def _watching(parser):
    # type: (argparse.ArgumentParser) -> None
    group = parser.add_argument_group("options for operation")
    group.add_argument(
        "--metrics", metavar="PORT", type=values.metrics_place,
        help="serve metrics to Prometheus, at /metrics (on 127.0.0.1; or HOST:PORT)",
    )  # fmt: skip
    group.add_argument(
        "--health", metavar="PORT", type=values.place,
        help="tell over HTTP whether all is well, /live and /ready (on 127.0.0.1; or HOST:PORT)",
    )  # fmt: skip
    group.add_argument(
        "--json-logs", action="store_true", help="log calls and faults as JSON lines (ECS) on standard error"
    )


def _add_register(subparsers):
    # type: (Any) -> None
    parser = _add(
        subparsers, "register", commands.register, "register, until interrupted", texts.REGISTER_EXAMPLES
    )
    parser.add_argument("registrar", metavar="REGISTRAR", help="the registrar's URI, as sip:example.com")
    parser.add_argument("--aor", metavar="URI", help="what to register (default: --user at the registrar's host)")
    parser.add_argument("--contact", metavar="URI", help="where to be reached (default: this endpoint)")
    _expires(parser)
    parser.add_argument("--once", action="store_true", help="register, unregister, end")
    parser.add_argument("--list", action="store_true", help="print what is bound (Contact, expires), and end")
    parser.add_argument(
        "--remove-all", action="store_true", help="remove every binding, also those of others, and end"
    )
    _caller(parser)
    _timeout(parser, 32.0, "give up when the registrar does not answer in S seconds")
    _common(parser)


def _add_message(subparsers):
    # type: (Any) -> None
    parser = _add(subparsers, "message", commands.message, "send a MESSAGE", texts.MESSAGE_EXAMPLES)
    parser.add_argument("to", metavar="TO", help="whom to send it to, as sip:bob@host:port")
    parser.add_argument("text", metavar="TEXT", help="what to send; - reads it from standard input")
    parser.add_argument(
        "--content-type", metavar="TYPE", default="text/plain", help="what it is (default: %(default)s)"
    )
    parser.add_argument("--large", action="store_true", help="send more than 1300 octets over UDP (RFC 3428, 8)")
    _sender(parser)
    _timeout(parser, 32.0, "give up when there is no answer in S seconds")
    _common(parser)


def _add_ping(subparsers):
    # type: (Any) -> None
    parser = _add(
        subparsers, "ping", commands.ping, "ask a peer whether it is there (OPTIONS)", texts.PING_EXAMPLES
    )
    parser.add_argument("to", metavar="TO", help="whom to ask, as sip:host:port")
    parser.add_argument(
        "--count", metavar="N", type=values.count, default=4, help="ask N times (default: %(default)s)"
    )
    parser.add_argument(
        "--interval",
        metavar="S",
        type=values.seconds,
        default=1.0,
        help="wait S seconds between (default: %(default)s)",
    )
    _sender(parser)
    _timeout(parser, 5.0, "no answer in S seconds counts as none")
    _common(parser)


def _add_subscribe(subparsers):
    # type: (Any) -> None
    run = event_commands.subscribe
    parser = _add(subparsers, "subscribe", run, "subscribe to a state, until interrupted", texts.SUBSCRIBE_EXAMPLES)
    parser.add_argument("to", metavar="TO", help="whose state, as sip:bob@host:port")
    parser.add_argument("event", metavar="EVENT", help="the package: presence, dialog, message-summary, reg, ...")
    parser.add_argument("--accept", metavar="TYPE", action="append", help="a media type to ask for")
    _expires(parser)
    parser.add_argument("--once", action="store_true", help="the state as it is now, then end")
    _sender(parser)
    _timeout(parser, 32.0, "give up when the notifier does not answer in S seconds")
    _common(parser)


def _add_publish(subparsers):
    # type: (Any) -> None
    parser = _add(
        subparsers, "publish", event_commands.publish, "publish a state, until interrupted", texts.PUBLISH_EXAMPLES
    )
    parser.add_argument("to", metavar="TO", help="whose state it is, as sip:alice@example.com")
    parser.add_argument("event", metavar="EVENT", help="the package, as presence")
    parser.add_argument("file", metavar="FILE", help="the state")
    kind = "application/pidf+xml"
    parser.add_argument("--content-type", metavar="TYPE", default=kind, help="what it is (default: %(default)s)")
    _expires(parser)
    parser.add_argument("--once", action="store_true", help="publish, take it back, end")
    _sender(parser)
    _timeout(parser, 32.0, "give up when the compositor does not answer in S seconds")
    _common(parser)


def _add_ladder(subparsers):
    # type: (Any) -> None
    parser = _add(subparsers, "ladder", commands.ladder, "draw the messages in a file", texts.LADDER_EXAMPLES)
    parser.set_defaults(verbose=False)
    parser.add_argument(
        "file", metavar="FILE", help="a capture, or what --trace printed; - reads it from standard input"
    )
    parser.add_argument("--svg", metavar="OUT", help="write an SVG image instead of text")
    parser.add_argument(
        "--party", metavar="HOST:PORT=NAME", type=values.party, action="append", default=[], help="name a column"
    )
    parser.add_argument(
        "--width", metavar="N", type=values.count, help="columns of text (default: as many as it takes)"
    )


def _add_replay(subparsers):
    # type: (Any) -> None
    parser = _add(
        subparsers, "replay", _replay, "play a recorded call against an endpoint", texts.REPLAY_EXAMPLES
    )
    parser.set_defaults(verbose=False)
    parser.add_argument("file", metavar="CAPTURE", help="the capture, pcap or pcapng")
    parser.add_argument("--list", action="store_true", help="print the calls of the capture, and end")
    parser.add_argument(
        "--call", metavar="N|CALL-ID", type=values.call, action="append", default=[],
        help="the call (default: the only one); may be given often: one after the other",
    )  # fmt: skip
    parser.add_argument("--to", metavar="URI", help="the endpoint to call, as sip:127.0.0.1:5061")
    parser.add_argument("--local", metavar="ADDRESS", help="udp://host:port to use here (default: any port)")
    parser.add_argument(
        "--listen", metavar="ADDRESS", help="udp://host:port where the endpoint calls, to play who was called"
    )
    parser.add_argument("--role", choices=("caller", "callee"), help="whom to play (default: --to: caller)")
    parser.add_argument(
        "--party", metavar="HOST:PORT", help="the address that the endpoint had in the capture, if more than two talk"
    )
    parser.add_argument(
        "--speed", metavar="N", type=values.speed, default=1.0, help="N times as fast; 0: as fast as possible"
    )
    parser.add_argument("--step", action="store_true", help="wait for Enter before each message, and for every answer")
    parser.add_argument("--user", metavar="NAME", help="answer digest challenges as NAME (default: as recorded)")
    parser.add_argument(
        "--media-port", metavar="PORT", type=values.port, help="describe streams from PORT on (default: as recorded)"
    )
    parser.add_argument(
        "--ignore", metavar="NAME", action="append", default=[], help="a header that may differ; may be given often"
    )
    parser.add_argument("--scenario", metavar="FILE", help="write the call as a scenario of sipp, and end")
    _timeout(parser, 32.0, "wait S seconds longer than was recorded")


def _add_compare(subparsers):
    # type: (Any) -> None
    help_text = "play recorded calls to each engine, and tell in what the engines differ"
    options_compare.add(_add(subparsers, "compare", options_compare.run, help_text, texts.COMPARE_EXAMPLES))


def _add_engine(subparsers):
    # type: (Any) -> None
    parser = _add(subparsers, "engine", _run_engine, "run an engine for a service elsewhere", texts.ENGINE_EXAMPLES)
    parser.add_argument(
        "address",
        metavar="ADDRESS",
        nargs="?",
        help="the socket, unix:///PATH (default: the one of systemd; stdio: is for sipbridge.Container)",
    )
    parser.add_argument(
        "--engine", dest="kind", choices=NAMES, help="the SIP engine (default: the first that was built)"
    )
    parser.add_argument(
        "--allow-uid",
        metavar="USER",
        type=values.user,
        action="append",
        default=[],
        help="let a service of this user connect, too (besides this command's own user and root)",
    )
    parser.add_argument(
        "--socket-group",
        metavar="GROUP",
        type=values.group,
        help="give the socket this group, and the mode 0660 (else 0600)",
    )
    parser.add_argument(
        "--silence", metavar="S", type=values.whole_seconds, default=10,
        help="hang up when no sign of life comes from the service for S seconds (default: 10)",
    )  # fmt: skip
    parser.add_argument(
        "--hang-timeout", metavar="S", type=values.whole_seconds, default=5,
        help="end an engine that does nothing for S seconds (default: 5)",
    )  # fmt: skip
    parser.add_argument("--crash-folder", metavar="FOLDER", help="keep core dumps and tracebacks there")
    parser.add_argument("--check", action="store_true", help="ask the engine at ADDRESS whom it serves, and end")
    parser.add_argument("-v", "--verbose", action="store_true", help="log what the library does to stderr")


def _replay(options, console):
    # type: (argparse.Namespace, Console) -> int
    return replaying.replay(options, console)


def _run_engine(options, console):
    # type: (argparse.Namespace, Console) -> int
    return int(engine.engine(options, console))


def _add_fleet(subparsers):
    # type: (Any) -> None
    help_text = "run several engines on this machine, under supervisord"
    options_fleet.add(_add(subparsers, "fleet", options_fleet.run, help_text, texts.FLEET_EXAMPLES))


def _add_version(subparsers):
    # type: (Any) -> None
    parser = _add(subparsers, "version", commands.version, "print the versions of everything")
    parser.set_defaults(verbose=False)


def _add_doctor(subparsers):
    # type: (Any) -> None
    parser = _add(
        subparsers, "doctor", commands.doctor, "check what this machine needs for the image", texts.DOCTOR_EXAMPLES
    )
    parser.set_defaults(verbose=False)


#: The functions that add a command to the parser, in the order of ``sipbridge --help``.
COMMANDS = [_add_call, _add_listen, _add_register, _add_message, _add_ping, _add_subscribe, _add_publish]
COMMANDS += [_add_ladder, _add_replay, _add_compare, _add_engine, _add_fleet, _add_version, _add_doctor]


def build_parser():
    # type: () -> argparse.ArgumentParser
    """The parser for the whole command line."""
    parser = _Parser(
        prog="sipbridge",
        description=texts.DESCRIPTION,
        epilog=texts.EXAMPLES + texts.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version="sipbridge " + __version__)
    subparsers = parser.add_subparsers(metavar="COMMAND", dest="command")
    subparsers.required = True
    for add in COMMANDS:
        add(subparsers)
    return parser


# -- errors ------------------------------------------------------------------------------------------------
