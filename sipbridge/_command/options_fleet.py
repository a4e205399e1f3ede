"""The options of ``sipbridge fleet``."""

from __future__ import absolute_import, division, print_function

from sipbridge._command import values
from sipbridge._compat import PY2
from sipbridge._engine.unix_socket import has_unix_sockets
from sipbridge._later import later
from sipbridge.errors import NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sipbridge._command import fleet
    from sipbridge._command.console import Console
else:
    fleet = later("sipbridge._command.fleet")  # it is for Python 3 alone


def run(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Run the command. Raises NotSupportedError where it cannot run at all."""
    if PY2:
        raise NotSupportedError("sipbridge fleet is for Python 3; its engines may keep this one")
    if not has_unix_sockets():
        raise NotSupportedError("supervisord does not run on this system")
    return int(fleet.fleet(options, console))


def add(parser):
    # type: (argparse.ArgumentParser) -> None
    """Add the options to a parser. Those of the fleet itself are named as the fields of fleet_plan.Plan."""
    parser.usage = "sipbridge fleet [N] [options] [-- PROGRAM ...]"
    parser.set_defaults(verbose=False, program=[])
    parser.add_argument("count", metavar="N", nargs="?", type=values.count, help="how many engines")
    parser.add_argument(
        "--address", metavar="ADDRESS", type=values.transport_address,
        help="that of the first, udp://host:port (default: udp://127.0.0.1:5080)",
    )  # fmt: skip
    parser.add_argument(
        "--http-port", metavar="PORT", type=values.port,
        help="the HTTP_PORT of the first; the others' are 1 above the last one's (default: 8000)",
    )  # fmt: skip
    parser.add_argument(
        "--drain", metavar="S", type=values.seconds,
        help="what has not ended S seconds after SIGTERM is killed (default: 45)",
    )  # fmt: skip
    parser.add_argument(
        "--start-timeout", metavar="S", type=values.seconds,
        help="what takes no calls S seconds after its start has failed (default: 30)",
    )  # fmt: skip
    parser.add_argument(
        "--ready", metavar="URL",
        help="an engine takes calls when GET of URL, with {http_port} in it, gives 200 (default: by OPTIONS)",
    )  # fmt: skip
    parser.add_argument(
        "--kamcmd", metavar="COMMAND", action="append",
        help='tell Kamailio with this command, as "kamcmd"; may be given often, once for each Kamailio',
    )  # fmt: skip
    parser.add_argument(
        "--dispatcher", metavar="FILE", help="write Kamailio's list there (default: dispatcher.list in --folder)"
    )
    parser.add_argument(
        "--dispatcher-set", metavar="N", type=values.count, help="the engines' set in the list (default: 1)"
    )
    parser.add_argument(
        "--folder", metavar="FOLDER", help="where all files of the fleet are (default: ~/.local/state/sipbridge/fleet)"
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--rolling", action="store_true", help="restart all engines, one by one")
    group.add_argument("--status", action="store_true", help="tell of each engine whether it takes calls, and end")
    group.add_argument("--stop", action="store_true", help="have all engines drain at once, and end supervisord")
