"""The ``sipbridge`` command: its options, its errors, its exit codes."""

from __future__ import absolute_import, division, print_function

import argparse
import logging
import re
import sys

from sipbridge import shield
from sipbridge._command import commands, event_commands
from sipbridge._command.console import PASSWORD_VARIABLE, Console, Interrupts
from sipbridge._compat import PY2
from sipbridge._engine.libraries import NAMES
from sipbridge._text.printable import printable
from sipbridge._version import __version__
from sipbridge.errors import (
    AuthenticationError,
    CallStateError,
    EngineError,
    InputError,
    NotSupportedError,
    PeerUnreachable,
    ResponseError,
    SipbridgeError,
    TimeoutError,
    TransportError,
)
from sipbridge.headers import check_headers
from sipbridge.record import require
from sipbridge.tls import VERIFY
from sipbridge.uri import check_address

EXIT_USAGE = 2
EXIT_TRANSPORT = 3
EXIT_REFUSED = 4
EXIT_AUTHENTICATION = 5
EXIT_TIMEOUT = 6
EXIT_UNSUPPORTED = 7
EXIT_INTERRUPTED = 130

_EXIT_CODES = """\
exit codes:
  0    done
  1    doctor: something keeps the image from being used
  2    wrong usage, or input that is malformed or cannot be read
  3    transport: the local address cannot be used, or the peer cannot be reached
  4    the peer refused, redirected, or left before all was done
  5    authentication failed: credentials are missing or wrong
  6    the peer did not answer in time
  7    no engine is built, or the engine does not offer it
  130  interrupted before it was done
"""

_DESCRIPTION = """\
SIP by hand: place and take calls, register, send messages.

An endpoint address is written udp://host:port; port 0 lets the system choose, and no port is SIP's, 5060. A password is
read from the environment variable %s, or asked for; it is never an argument.
""" % (
    PASSWORD_VARIABLE
)

_EXAMPLES = """\
examples:
  sipbridge listen udp://127.0.0.1:5070 --trace
  sipbridge call sip:bob@127.0.0.1:5070 --dtmf 42# --duration 5
  sipbridge message sip:bob@127.0.0.1:5070 "lunch at noon?"
  SIPBRIDGE_PASSWORD=... sipbridge register sip:example.com --user alice

"""

_CALL_EXAMPLES = """\
Without --sdp the call offers one audio stream over which nothing is sent. Without --duration it stays up until
the peer hangs up or you interrupt it (Ctrl-C hangs up). --hold comes after the keys, --transfer after the hold; a
transfer that the target refuses ends with 4. A peer that hangs up, before --duration too, ends it with 0, but with
4 while there are keys to send or a transfer to see through.

examples:
  sipbridge call sip:bob@192.0.2.7
  sipbridge call sip:bob@192.0.2.7:5070 --from sip:alice@example.com --sdp offer.sdp --duration 10 --trace
  sipbridge call sip:1000@example.com --proxy "sip:192.0.2.1;lr" --user alice --timeout 20
  sipbridge call sip:bob@192.0.2.7 --hold 5 --transfer sip:carol@192.0.2.8
  sipbridge call sip:bob@192.0.2.7 --follow 3    # redirections
  sipbridge call "sip:bob@example.com;transport=tls" --ca company.pem

"""

_LISTEN_EXAMPLES = """\
Calls are answered with 200 (or as --reject says), OPTIONS and MESSAGE with 200; one line is printed for each
event. SIGINT and SIGTERM hang up every call and end with 0. Without --sdp a call gets one audio stream over
which nothing is sent.

examples:
  sipbridge listen udp://127.0.0.1:5070
  sipbridge listen udp://0.0.0.0:5060 --advertised 192.0.2.7:5060 --ring-seconds 2 --sdp answer.sdp
  sipbridge listen udp://127.0.0.1:5070 --once          # one call, then end
  sipbridge listen udp://127.0.0.1:5070 --reject 486    # always busy
  sipbridge listen tls://0.0.0.0:5061 --certificate server.pem

"""

_REGISTER_EXAMPLES = """\
The registration is refreshed before it runs out, and removed at the end.

examples:
  sipbridge register sip:example.com --user alice
  sipbridge register sip:192.0.2.1:5060 --aor sip:alice@example.com --user alice --expires 600
  sipbridge register sip:example.com --user alice --once   # to see whether the password is right
  sipbridge register sip:example.com --user alice --list   # where alice is to be reached

"""

_SUBSCRIBE_EXAMPLES = """\
Each NOTIFY is printed with its body. The subscription is refreshed before it runs out, made again when it is lost,
and ended at the end.

examples:
  sipbridge subscribe sip:bob@192.0.2.7 presence
  sipbridge subscribe sip:1000@example.com message-summary --user 1000 --from sip:1000@example.com
  sipbridge subscribe sip:1000@example.com dialog --accept application/dialog-info+xml --expires 600
  sipbridge subscribe sip:bob@192.0.2.7 presence --once    # the state as it is now

"""

_PUBLISH_EXAMPLES = """\
The publication is refreshed before it runs out, and taken back at the end.

examples:
  sipbridge publish sip:alice@example.com presence open.xml --user alice --from sip:alice@example.com
  sipbridge publish sip:alice@example.com dialog busy.xml --content-type application/dialog-info+xml
  sipbridge publish sip:alice@example.com presence open.xml --once

"""

_MESSAGE_EXAMPLES = """\
examples:
  sipbridge message sip:bob@192.0.2.7 "lunch at noon?"
  date | sipbridge message sip:bob@192.0.2.7 - --from sip:clock@example.com

"""

_PING_EXAMPLES = """\
Any response counts but 408, 502, 503 and 504, with which a proxy says that nobody is there. Ends with 6 when there
was none.

examples:
  sipbridge ping sip:192.0.2.7
  sipbridge ping "sip:example.com;transport=tls" --count 10 --interval 0.5 --timeout 2

"""

_DOCTOR_EXAMPLES = """\
Looks at the container client and its daemon, amd64 emulation, the kernel's vsyscall page, the image, the UDP
port and the engines of this Python, and says what to do about what is missing. Ends with 1 when something keeps
the image from being used. It changes nothing, and needs no engine.

examples:
  sipbridge doctor
  DOCKER=podman PORT=5080 sipbridge doctor

"""


_LADDER_EXAMPLES = """\
FILE is a capture, as --record, tcpdump and Wireshark write them (pcap or pcapng; it takes dpkt: pip install
sipbridge[pcap]), or the output of a command with --trace.

examples:
  sipbridge ladder call.pcap
  sipbridge ladder call.pcap --svg call.svg --party 192.0.2.7:5060=gateway
  sipbridge ladder trace.txt --width 100
  tcpdump -c 20 -w - udp port 5060 | sipbridge ladder -

"""


def examples():
    """Every example that the help shows, as text."""
    calls = (_CALL_EXAMPLES, _LISTEN_EXAMPLES, _REGISTER_EXAMPLES, _MESSAGE_EXAMPLES, _PING_EXAMPLES)
    events = (_SUBSCRIBE_EXAMPLES, _PUBLISH_EXAMPLES)
    return "".join((_EXAMPLES,) + calls + events + (_LADDER_EXAMPLES, _DOCTOR_EXAMPLES))


# -- arguments ---------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser that complains in one line."""

    def error(self, message):
        self.exit(EXIT_USAGE, "%s: %s (try: %s --help)\n" % (self.prog, printable(message), self.prog))


def _number(text, kind, lowest, highest, what):
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not lowest <= value <= highest:
        raise argparse.ArgumentTypeError("%s, not %r" % (what, str(text)))
    return value


def _seconds(text):
    return _number(text, float, 0, 1e6, "must be seconds")


def _whole_seconds(text):
    return _number(text, int, 1, 2**31 - 1, "must be whole seconds above 0")


def _count(text):
    return _number(text, int, 1, 10**9, "must be a number above 0")


def _redirects(text):
    return _number(text, int, 0, 70, "must be a number from 0 to 70")


def _uri(text):
    try:
        return check_address(text, "address")
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error))


def _refusal(text):
    return _number(text, int, 400, 699, "must be a status from 400 to 699")


def _keys(text):
    if not re.match(r"[0-9*#A-Da-d]+\Z", text):
        raise argparse.ArgumentTypeError("must be keys from 0-9, *, # and A-D, not %r" % str(text))
    return text


def _header(text):
    name, colon, value = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError("must be 'Name: value', not %r" % str(text))
    try:
        return check_headers([(name.strip(), value.strip())])[0]
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error))


def _capture(text):
    try:
        require()
    except NotSupportedError as error:
        raise argparse.ArgumentTypeError(str(error))
    return text


def _party(text):
    address, equals, name = text.rpartition("=")
    if not equals or not address:
        raise argparse.ArgumentTypeError("must be HOST:PORT=NAME, not %r" % str(text))
    return address, name


def _common(parser):
    group = parser.add_argument_group("common options")
    group.add_argument("--engine", choices=NAMES, help="the SIP engine (default: the first that was built)")
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
        type=_capture,
        help="write a pcap file of the messages, credentials masked",
    )
    group.add_argument(
        "--record-credentials", action="store_true", help="leave digest responses readable in that file"
    )
    group.add_argument("-v", "--verbose", action="store_true", help="log what the library does to stderr")
    _tls(parser)


def _tls(parser):
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
    parser.add_argument(
        "--local",
        metavar="ADDRESS",
        help="udp://host:port to use here (default: any port, as the target says)",
    )


def _sender(parser):
    _caller(parser)
    parser.add_argument("--from", dest="from_", metavar="URI", help="who it is from")
    parser.add_argument(
        "--header", metavar="'NAME: VALUE'", type=_header, action="append", default=[], help="one more header"
    )


def _expires(parser):
    parser.add_argument(
        "--expires", metavar="S", type=_whole_seconds, default=3600, help="seconds to ask for (default: 3600)"
    )


def _timeout(parser, default, what):
    parser.add_argument(
        "--timeout", metavar="S", type=_seconds, default=default, help="%s (default: %%(default)s)" % what
    )


def _add(subparsers, name, run, help_text, epilog=""):
    parser = subparsers.add_parser(
        name,
        help=help_text,
        description=help_text,
        epilog=epilog + _EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _add_call(subparsers):
    parser = _add(subparsers, "call", commands.call, "place a call", _CALL_EXAMPLES)
    parser.add_argument("to", metavar="TO", help="whom to call, as sip:bob@host:port")
    _sender(parser)
    parser.add_argument("--sdp", metavar="FILE", help="the session description to offer")
    parser.add_argument("--dtmf", metavar="KEYS", type=_keys, help="keys to send once answered (INFO)")
    parser.add_argument("--hold", metavar="S", type=_seconds, help="put the call on hold for S seconds")
    parser.add_argument("--transfer", metavar="URI", type=_uri, help="have the peer call URI instead, and leave")
    parser.add_argument(
        "--follow", metavar="N", type=_redirects, default=0, help="go on to N targets at most when redirected"
    )
    parser.add_argument("--duration", metavar="S", type=_seconds, help="hang up after S seconds")
    _timeout(parser, 60.0, "give up (CANCEL) when there is no answer in S seconds")
    _common(parser)


def _add_listen(subparsers):
    parser = _add(subparsers, "listen", commands.listen, "take calls and messages", _LISTEN_EXAMPLES)
    parser.add_argument(
        "address",
        metavar="ADDRESS",
        nargs="?",
        default="udp://127.0.0.1:5060",
        help="where to listen (default: %(default)s)",
    )
    parser.add_argument("--sdp", metavar="FILE", help="the session description to answer with")
    parser.add_argument("--reject", metavar="STATUS", type=_refusal, help="refuse calls, 400 to 699")
    parser.add_argument(
        "--take-transfers", action="store_true", help="call whom a REFER names (default: refuse it, 603)"
    )
    parser.add_argument(
        "--ring-seconds", metavar="S", type=_seconds, default=0, help="ring (180) S seconds before the answer"
    )
    parser.add_argument(
        "--max-calls", metavar="N", type=_count, help="take N calls, refuse more, end when the last is over"
    )
    parser.add_argument(
        "--once", dest="max_calls", action="store_const", const=1, help="the same as --max-calls 1"
    )
    _common(parser)


def _add_register(subparsers):
    parser = _add(
        subparsers, "register", commands.register, "register, until interrupted", _REGISTER_EXAMPLES
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
    parser = _add(subparsers, "message", commands.message, "send a MESSAGE", _MESSAGE_EXAMPLES)
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
    parser = _add(
        subparsers, "ping", commands.ping, "ask a peer whether it is there (OPTIONS)", _PING_EXAMPLES
    )
    parser.add_argument("to", metavar="TO", help="whom to ask, as sip:host:port")
    parser.add_argument(
        "--count", metavar="N", type=_count, default=4, help="ask N times (default: %(default)s)"
    )
    parser.add_argument(
        "--interval",
        metavar="S",
        type=_seconds,
        default=1.0,
        help="wait S seconds between (default: %(default)s)",
    )
    _sender(parser)
    _timeout(parser, 5.0, "no answer in S seconds counts as none")
    _common(parser)


def _add_subscribe(subparsers):
    run = event_commands.subscribe
    parser = _add(subparsers, "subscribe", run, "subscribe to a state, until interrupted", _SUBSCRIBE_EXAMPLES)
    parser.add_argument("to", metavar="TO", help="whose state, as sip:bob@host:port")
    parser.add_argument("event", metavar="EVENT", help="the package: presence, dialog, message-summary, reg, ...")
    parser.add_argument("--accept", metavar="TYPE", action="append", help="a media type to ask for")
    _expires(parser)
    parser.add_argument("--once", action="store_true", help="the state as it is now, then end")
    _sender(parser)
    _timeout(parser, 32.0, "give up when the notifier does not answer in S seconds")
    _common(parser)


def _add_publish(subparsers):
    parser = _add(
        subparsers, "publish", event_commands.publish, "publish a state, until interrupted", _PUBLISH_EXAMPLES
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
    parser = _add(subparsers, "ladder", commands.ladder, "draw the messages in a file", _LADDER_EXAMPLES)
    parser.set_defaults(verbose=False)
    parser.add_argument(
        "file", metavar="FILE", help="a capture, or what --trace printed; - reads it from standard input"
    )
    parser.add_argument("--svg", metavar="OUT", help="write an SVG image instead of text")
    parser.add_argument(
        "--party", metavar="HOST:PORT=NAME", type=_party, action="append", default=[], help="name a column"
    )
    parser.add_argument(
        "--width", metavar="N", type=_count, help="columns of text (default: as many as it takes)"
    )


def _add_version(subparsers):
    parser = _add(subparsers, "version", commands.version, "print the versions of everything")
    parser.set_defaults(verbose=False)


def _add_doctor(subparsers):
    parser = _add(
        subparsers, "doctor", commands.doctor, "check what this machine needs for the image", _DOCTOR_EXAMPLES
    )
    parser.set_defaults(verbose=False)


#: What adds a command to the parser, in the order of ``sipbridge --help``.
COMMANDS = [_add_call, _add_listen, _add_register, _add_message, _add_ping, _add_subscribe, _add_publish]
COMMANDS += [_add_ladder, _add_version, _add_doctor]


def build_parser():
    """The parser of the whole command line."""
    parser = _Parser(
        prog="sipbridge",
        description=_DESCRIPTION,
        epilog=_EXAMPLES + _EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version="sipbridge " + __version__)
    subparsers = parser.add_subparsers(metavar="COMMAND", dest="command")
    subparsers.required = True
    for add in COMMANDS:
        add(subparsers)
    return parser


# -- errors ------------------------------------------------------------------------------------------------


def _challenge_hint(error, options):
    if getattr(options, "user", None) is None:
        return "give --user NAME, and the password in %s or at the prompt" % PASSWORD_VARIABLE
    return "check --user and the password"


def _response_hint(error):
    if 300 <= error.status <= 399 and error.contacts:
        return "the peer says to try %s" % ", ".join(error.contacts)
    return "--trace shows what was sent"


def explain(error, options):
    """The exit code for an error, and a hint at what to do next."""
    if isinstance(error, (InputError, UnicodeError)):
        return EXIT_USAGE, "try: sipbridge %s --help" % options.command
    if isinstance(error, PeerUnreachable):
        return EXIT_TRANSPORT, "the peer cannot be reached: check its address, and --local if you gave it"
    if isinstance(error, TransportError):
        return EXIT_TRANSPORT, "check the address; if it is the local one: port 0 takes any free port"
    if isinstance(error, AuthenticationError):
        return EXIT_AUTHENTICATION, _challenge_hint(error, options)
    if isinstance(error, ResponseError):
        return EXIT_REFUSED, _response_hint(error)
    if isinstance(error, TimeoutError):
        return EXIT_TIMEOUT, "check the address and that the peer is up, or give it longer with --timeout"
    if isinstance(error, CallStateError):
        return EXIT_REFUSED, "--trace shows what happened"
    if isinstance(error, NotSupportedError):
        has_engine = hasattr(options, "engine")  # else it is a module that is missing, which the error names
        return EXIT_UNSUPPORTED, "another engine may offer it: --engine" if has_engine else "then try again"
    if isinstance(error, EngineError):
        own = options.command == "version"
        return EXIT_UNSUPPORTED, "then try again" if own else "sipbridge version shows what is built"
    return EXIT_TRANSPORT, "--trace and --verbose show more"


def _complain(text):
    Console(sys.stderr).line("sipbridge: " + printable(text))


# -- main --------------------------------------------------------------------------------------------------


def _arguments(argv):
    """The arguments as text."""
    arguments = sys.argv[1:] if argv is None else argv
    if PY2:
        encoding = sys.getfilesystemencoding() or "utf-8"
        return [each.decode(encoding) if isinstance(each, bytes) else each for each in arguments]
    return arguments


def run(options, console):
    """Run the chosen command. Returns its exit code; what it raises is explained on standard error."""
    try:
        with Interrupts() as options.interrupts:
            return options.run(options, console)
    except KeyboardInterrupt:
        _complain("interrupted")
        return EXIT_INTERRUPTED
    except (SipbridgeError, UnicodeError) as error:
        code, hint = explain(error, options)
        _complain("%s; %s" % (error, hint))
        return code


def main(argv=None):
    """Run the command line; returns the exit code. Wrong usage exits with 2 at once."""
    parser = build_parser()
    try:
        options = parser.parse_args(_arguments(argv))
    except UnicodeError as error:
        parser.error("an argument is not text: %s" % error)
    if argv is None and hasattr(options, "engine"):
        shield.restart_with("sipbridge", sys.argv[1:], options.engine)
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.ERROR)
    console = Console()
    code = run(options, console)
    if console.broken.is_set():
        console.abandon()
    return code
