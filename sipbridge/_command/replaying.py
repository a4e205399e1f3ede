"""The command ``sipbridge replay``: the calls of a capture, played against an endpoint."""

from __future__ import absolute_import, division, print_function

import io
import os
import sys
import time

from sipbridge import record
from sipbridge._command.console import PASSWORD_VARIABLE, password_for
from sipbridge._compat import to_text
from sipbridge._replay import dialogue, scenario, stage
from sipbridge._replay.fitting import Settings
from sipbridge._replay.player import Pace
from sipbridge._text.names import key_of
from sipbridge._text.printable import clock, printable
from sipbridge.errors import InputError
from sipbridge.uri import parse_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import BinaryIO, Callable, List, Optional, TypeVar, Union

    from sipbridge._command.console import Console

    _T = TypeVar("_T")

OK, DIFFERENT = 0, 1


def replay(options, console):
    # type: (argparse.Namespace, Console) -> int
    """List the calls of a capture, write one as a scenario, or play some."""
    record.require()
    if options.list:
        console.lines(_row(each) for each in read_capture(options.file, dialogue.calls))
        return OK
    if (options.to is not None and options.listen is not None) or not _says_whom(options):
        raise InputError("give --to URI to call the endpoint, --listen ADDRESS for it to call here, or --list")
    role = options.role or (None if options.party else "caller" if options.to else "callee")
    if options.scenario is not None and len(options.call) > 1:
        raise InputError("a scenario is of one call: give one --call")
    chosen = [_load(options, which, role) for which in options.call or [None]]
    if options.scenario is not None:
        return _write_scenario(options, console, chosen[0])
    names = [u"call %s: " % each for each in options.call] if len(chosen) > 1 else [u""]
    return max([_play(options, console, each, name) for each, name in zip(chosen, names)])


def _load(options, which, role):
    # type: (argparse.Namespace, Union[None, int, str], Optional[str]) -> dialogue.Dialogue
    return read_capture(options.file, lambda file: dialogue.load(file, which, role, options.party))


def _says_whom(options):
    # type: (argparse.Namespace) -> bool
    """Whether the options say whom to play."""
    given = [options.to, options.listen] + ([options.role, options.party] if options.scenario is not None else [])
    return any(each is not None for each in given)


def _write_scenario(options, console, chosen):
    # type: (argparse.Namespace, Console, dialogue.Dialogue) -> int
    text = scenario.write(chosen, os.path.basename(options.file), options.user)
    try:
        with io.open(options.scenario, "wb") as stream:
            stream.write(text)
    except (IOError, OSError) as error:
        raise InputError("cannot write %s: %s" % (options.scenario, error.strerror))
    console.line("the %s is in %s, for sipp -sf" % (chosen.role, options.scenario))
    return OK


def _play(options, console, chosen, name):
    # type: (argparse.Namespace, Console, dialogue.Dialogue, str) -> int
    def tell(lines):
        # type: (List[str]) -> None
        if lines:
            first = u"%s  %s" % (clock(time.time()), printable(lines[0]))
            console.lines([first] + [printable(line) for line in lines[1:]])

    password = password_for(options.user) if options.user else to_text(os.environ.get(PASSWORD_VARIABLE))
    user = parse_uri(options.to).user if options.to else None
    settings = Settings(options.user, password, user, options.media_port)
    timeout = None if options.step else options.timeout
    pace = Pace(options.speed, timeout, options.to is None, _prompt(console) if options.step else None)
    ignored = set(key_of(each) for each in options.ignore)
    player = stage.play(chosen, settings, pace, tell, options.to, options.listen or options.local, ignored)
    console.line(printable(name + _verdict(player.played, player.different)))
    return DIFFERENT if player.different else OK


def _verdict(played, different):
    # type: (int, int) -> str
    if different:
        return "%d messages, %d of them otherwise than recorded" % (played, different)
    return "%d messages, as recorded" % played


def read_capture(path, read):
    # type: (str, Callable[[BinaryIO], _T]) -> _T
    """What the function has of the file. Raises InputError, which names the file."""
    try:
        with io.open(path, "rb") as stream:
            return read(stream)
    except (IOError, OSError) as error:
        raise InputError("cannot read %s: %s" % (path, error.strerror))
    except InputError as error:
        raise InputError("%s: %s" % (path, error))


def _row(call):
    # type: (dialogue.Call) -> str
    begin = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(call.begin))
    return u"%d  %s  %.1f s  %s  %d messages  %s  %s -> %s  %s" % (
        call.number, begin, call.duration, call.method, call.messages, call.result, call.from_, call.to,
        printable(call.call_id),
    )  # fmt: skip


def _prompt(console):
    # type: (Console) -> Callable[[str], None]
    """Waits for Enter before a message; at the end of the input no more."""
    ended = []  # type: List[bool]

    def wait(label):
        # type: (str) -> None
        if not ended:
            console.line("next: %s. Enter sends it." % label)
            if not sys.stdin.readline():
                ended.append(True)

    return wait
