"""The command ``sipbridge engine``: run an engine for a service in another process or container."""

from __future__ import absolute_import, division, print_function

import logging
import os
from contextlib import closing

from sipbridge._command.console import Interrupted
from sipbridge._command.systemd import Notifier, inherited_socket
from sipbridge._compat import monotonic
from sipbridge._engine import first_process, protocol
from sipbridge._engine.crash_files import check_crash_folder
from sipbridge._engine.listener import QUESTION, Listener
from sipbridge._engine.process import BEAT
from sipbridge._engine.sidecar import ask
from sipbridge._engine.socket_file import SocketFile
from sipbridge._engine.unix_socket import check_address
from sipbridge.errors import InputError, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    import socket
    from typing import Any, Dict, FrozenSet, Optional

    from sipbridge._command.console import Console

OK = 0

#: The seconds that an engine has to answer the question whether all is well.
_ANSWER = 5.0


def engine(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Serve one service after the other until the user interrupts, or ask whether another process does."""
    if options.check:
        return check(options, console)
    if options.address == "stdio:":
        return first_process.run()
    logging.getLogger("sipbridge").setLevel(logging.DEBUG if options.verbose else logging.INFO)
    settings = _settings(options)
    inherited = inherited_socket()
    if inherited is not None:
        if options.socket_group is not None:
            raise InputError("systemd makes the socket: give the group there, SocketGroup=, and not here")
        serve(inherited, "systemd's socket", settings, options, console)
    elif options.address is None:
        raise InputError("give an address, unix:///PATH; only systemd hands over a socket without one")
    else:
        path = check_address(options.address)
        with closing(SocketFile(path, options.socket_group)) as file:
            serve(file.socket, options.address, settings, options, console)
    return OK


def serve(listening, address, settings, options, console):
    # type: (socket.socket, str, Dict[str, Any], argparse.Namespace, Console) -> None
    """Serve a listening socket until the user interrupts."""
    listener = Listener(listening, address, settings, allowed(options))
    notifier = Notifier()
    try:
        console.event("waiting for a service at %s" % address)
        notifier.tell("READY=1", "STATUS=waiting for a service")
        _turn(listener, notifier)
    except Interrupted:
        console.event("interrupted: hanging up")
        notifier.tell("STOPPING=1")
    finally:
        options.interrupts.ignore()
        listener.close()


def _turn(listener, notifier):
    # type: (Listener, Notifier) -> None
    limit = min(1.0, notifier.interval or 1.0)
    told = monotonic()
    while True:
        listener.turn(limit)
        if notifier.interval is not None and monotonic() - told >= notifier.interval / 2:
            notifier.tell("WATCHDOG=1")
            told = monotonic()


def _settings(options):
    # type: (argparse.Namespace) -> Dict[str, Any]
    """The settings of each process, as worker_main takes them."""
    return {
        "engine": options.kind,
        "beat": BEAT,
        "hang": options.hang_timeout,
        "silence": options.silence,
        "crash_folder": check_crash_folder(options.crash_folder),
        "beats": True,
    }


def allowed(options):
    # type: (argparse.Namespace) -> Optional[FrozenSet[int]]
    """Ids of the users that may connect: this process's own, root and those that the options name."""
    return frozenset([os.geteuid(), 0] + options.allow_uid)


def check(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Ask the engine at the address whom it serves, and print that."""
    if options.address is None:
        raise InputError("--check takes the address of the engine")
    path = check_address(options.address)
    try:
        kind, payload = ask(path, QUESTION, _ANSWER)
    except (OSError, IOError) as error:
        raise TransportError("no engine answers at %s: %s" % (options.address, error))
    if kind == protocol.FAILURE:
        raise protocol.parse_failure(payload)[1]
    serves = (protocol.parse_result(payload)[1] or {}).get("serves")
    console.event("serves %s" % serves if serves else "waiting for a service")
    return OK
