"""The options of ``sipbridge compare``."""

from __future__ import absolute_import, division, print_function

from sipbridge._command import values
from sipbridge._engine.libraries import NAMES
from sipbridge._later import later

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sipbridge._command import comparing
    from sipbridge._command.console import Console
else:
    comparing = later("sipbridge._command.comparing")


def run(options, console):
    # type: (argparse.Namespace, Console) -> int
    return comparing.compare(options, console)


def add(parser):
    # type: (argparse.ArgumentParser) -> None
    """Add the options to a parser."""
    parser.usage = "sipbridge compare CAPTURE... [options] [--app PROGRAM [-- ARGUMENT ...]]"
    parser.set_defaults(verbose=False, program=[])
    parser.add_argument("file", metavar="CAPTURE", nargs="+", help="a capture, pcap or pcapng")
    parser.add_argument(
        "--engine", dest="engines", choices=NAMES, action="append", default=[],
        help="one of those to compare, the first is what the others are compared with (default: all that are built)",
    )  # fmt: skip
    parser.add_argument(
        "--app", metavar="PROGRAM", help="a Python program that is the endpoint (default: it does what was recorded)"
    )
    parser.add_argument(
        "--call", metavar="N|CALL-ID", type=values.call, action="append", default=[],
        help="a call of each capture; may be given often (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--role", choices=("caller", "callee"),
        help="whom to play (default: the caller; the callee where the endpoint called, if the capture shows that)",
    )  # fmt: skip
    parser.add_argument(
        "--party", metavar="HOST:PORT", help="the address that the endpoint had in the capture, if more than two talk"
    )
    parser.add_argument(
        "--speed", metavar="N", type=values.speed, default=1.0, help="N times as fast; 0: as fast as possible"
    )
    parser.add_argument("--user", metavar="NAME", help="answer digest challenges as NAME (default: as recorded)")
    parser.add_argument(
        "--ignore", metavar="NAME", type=values.header_name, action="append", default=[],
        help="a header that may differ; may be given often",
    )  # fmt: skip
    parser.add_argument("--all", action="store_true", help="show also what always differs between engines")
    parser.add_argument("--json", action="store_true", help="print a report for machines; progress to standard error")
    parser.add_argument(
        "--timeout", metavar="S", type=values.seconds, default=8.0,
        help="wait S seconds longer than was recorded (default: %(default)s)",
    )  # fmt: skip
