"""The ``sipbridge`` command: run the chosen command, and explain errors."""

from __future__ import absolute_import, division, print_function

import logging
import sys

from sipbridge import shield
from sipbridge._command.console import PASSWORD_VARIABLE, Console, Failure, Interrupts, complain
from sipbridge._command.options import (
    EXIT_AUTHENTICATION,
    EXIT_INTERRUPTED,
    EXIT_REFUSED,
    EXIT_TIMEOUT,
    EXIT_TRANSPORT,
    EXIT_UNSUPPORTED,
    EXIT_USAGE,
    build_parser,
)
from sipbridge._compat import PY2
from sipbridge._later import later
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import List, Optional, Sequence, Tuple

    from sipbridge import logs
else:
    logs = later("sipbridge.logs")


def _challenge_hint(error, options):
    # type: (AuthenticationError, argparse.Namespace) -> str
    if getattr(options, "user", None) is None:
        return "give --user NAME, and the password in %s or at the prompt" % PASSWORD_VARIABLE
    return "check --user and the password"


def _response_hint(error):
    # type: (ResponseError) -> str
    if 300 <= error.status <= 399 and error.contacts:
        return "the peer says to try %s" % ", ".join(error.contacts)
    return "--trace shows what was sent"


def _engine_hint(options):
    # type: (argparse.Namespace) -> str
    if getattr(options, "engine", None) == "container":
        return "sipbridge doctor tells what a container needs"
    return "then try again" if options.command == "version" else "sipbridge version shows what is built"


def explain(error, options):
    # type: (Exception, argparse.Namespace) -> Tuple[int, str]
    """The exit code for an error, and a hint: what the user can do next."""
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
        has_engine = hasattr(options, "engine")  # else a module is missing, and the error names it
        return EXIT_UNSUPPORTED, "another engine may offer it: --engine" if has_engine else "then try again"
    if isinstance(error, EngineError):
        return EXIT_UNSUPPORTED, _engine_hint(options)
    return EXIT_TRANSPORT, "--trace and --verbose show more"


# -- main --------------------------------------------------------------------------------------------------


def _arguments(argv):
    # type: (Optional[Sequence[str]]) -> List[str]
    """The arguments as text."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if PY2:
        encoding = sys.getfilesystemencoding() or "utf-8"
        return [each.decode(encoding) if isinstance(each, bytes) else each for each in arguments]
    return arguments


def begin_logs(options):
    # type: (argparse.Namespace) -> None
    """Have log lines written to standard error. Raises NotSupportedError."""
    if getattr(options, "json_logs", False):
        logs.write_json(level=logging.DEBUG if options.verbose else logging.INFO, service="sipbridge")
    else:
        logging.basicConfig(level=logging.DEBUG if options.verbose else logging.ERROR)


def run(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Run the chosen command. Returns its exit code. Explains an error on standard error."""
    try:
        begin_logs(options)
        with Interrupts() as options.interrupts:
            return int(options.run(options, console))
    except KeyboardInterrupt:
        complain("interrupted")
        return EXIT_INTERRUPTED
    except (SipbridgeError, UnicodeError) as error:
        code, hint = (error.code, error.hint) if isinstance(error, Failure) else explain(error, options)
        complain("%s; %s" % (error, hint))
        return code


def main(argv=None):
    # type: (Optional[Sequence[str]]) -> int
    """Run the command line. Returns the exit code. Wrong usage exits with 2 at once."""
    parser = build_parser()
    try:
        options = parser.parse_args(_arguments(argv))
    except UnicodeError as error:
        parser.error("an argument is not text: %s" % error)
    console = Console()
    if console.failure is not None:
        return console.finish(0)
    if argv is None and hasattr(options, "engine"):
        shield.restart_with("sipbridge", sys.argv[1:], options.engine)
    return console.finish(run(options, console))
