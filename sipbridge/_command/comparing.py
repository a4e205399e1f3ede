"""The command ``sipbridge compare``: recorded calls, played to each engine, and in what the engines differ."""

from __future__ import absolute_import, division, print_function

import os
import threading

from sipbridge import record
from sipbridge._command import compare_report
from sipbridge._command.compare_process import Contender
from sipbridge._command.compare_run import Performance, Way
from sipbridge._command.console import PASSWORD_VARIABLE, Console, password_for
from sipbridge._command.replaying import DIFFERENT, OK, read_capture
from sipbridge._compat import to_text
from sipbridge._engine.libraries import available
from sipbridge._replay import dialogue
from sipbridge._replay.contrast import contrast, refusals
from sipbridge._replay.fitting import Settings
from sipbridge._text.names import key_of
from sipbridge.errors import EngineError, InputError, NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Iterator, List, Sequence, Set, Tuple, Union

    from sipbridge._replay.contrast import Run


def compare(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Play each call of each capture to each engine, and report in what they differ."""
    return compare_with(contenders(options.engines), options, console)


def contenders(wanted):
    # type: (Sequence[str]) -> List[Contender]
    """Who is compared: the named engines, or all that are built. Raises EngineError and InputError."""
    built = available()
    for name in wanted:
        if name not in built:
            raise EngineError("the %s engine is not built here. %s" % (name, _HOW_TO_GET))
    names = list(wanted) or sorted(built, reverse=True)
    if len(names) < 2:
        if wanted:
            raise InputError("one engine is nothing to compare: give --engine twice, or leave it out")
        raise EngineError("there is %s here, and it takes two. %s" % (names[0] if names else "no engine", _HOW_TO_GET))
    return [Contender(_label(names, place), name, {}) for place, name in enumerate(names)]


_HOW_TO_GET = (
    "Install the library of the other with its headers, libeXosip2 3.x or libsofia-sip-ua-dev, and build sipbridge"
    " again (in a checkout: make develop)"
)

_ENDS = 8  # addresses that are named


def _label(names, place):
    # type: (List[str], int) -> str
    before = names[:place].count(names[place])
    return names[place] if not before else "%s (%d)" % (names[place], before + 1)


def compare_with(rivals, options, console):
    # type: (Sequence[Contender], argparse.Namespace, Console) -> int
    """As :func:`compare`, with these."""
    record.require()
    program = _program(options)
    password = password_for(options.user) if options.user else to_text(os.environ.get(PASSWORD_VARIABLE))
    way = Way(Settings(options.user, password), options.speed, options.timeout, program)
    chosen = list(_chosen(options))
    ignored = frozenset(key_of(each) for each in options.ignore)
    report = compare_report.Report([each.name for each in rivals])
    progress = Console(errors=True) if options.json else console
    for number, (path, call, recorded) in enumerate(chosen, 1):
        result = compare_report.Result(path, call)
        try:
            played = dialogue.played_of(recorded, options.role, options.party)
            result.played(played.role, _run_all(rivals, played, way))
        except (InputError, NotSupportedError) as error:
            result.left_out = "%s" % error
        else:
            for other in result.runs[1:] if result.verdict != "failed" else []:
                result.add(contrast(result.runs[0], other, ignored, options.all))
            said = [each.data for each in played.steps if not each.ours]
            result.refused(refusals(said, result.runs), bool(program))
        report.add(result)
        progress.lines(report.lines(result, number, len(chosen)))
        if console.broken.is_set():
            break
    console.lines(report.json() if options.json else report.sums())
    if not report.compared and not console.broken.is_set():
        raise InputError("nothing was compared: no call could be played")
    return DIFFERENT if report.differs else OK


def _program(options):
    # type: (argparse.Namespace) -> List[str]
    if options.app is None:
        if options.program:
            raise InputError("what stands after -- is for a program, and none is named: give --app PROGRAM")
        return []
    program = [options.app] + options.program  # type: List[str]
    if not os.path.isfile(options.app):
        raise InputError("there is no program %s" % options.app)
    return program


def _chosen(options):
    # type: (argparse.Namespace) -> Iterator[Tuple[str, dialogue.Call, dialogue.Recorded]]
    """The calls to compare: the paths of their captures, what they are, and their messages. Raises InputError."""
    ends = set()  # type: Set[str]
    for path in options.file:
        recorded = read_capture(path, dialogue.by_call)
        if not recorded:
            raise InputError("%s: no SIP message in the capture" % path)
        found = [dialogue.call_of(number, each) for number, each in enumerate(recorded, 1)]
        wanted = [each for each in found if not options.call or {each.number, each.call_id} & set(options.call)]
        for each in wanted:
            yield path, each, recorded[each.number - 1]
        if not wanted:
            raise InputError("%s: no such call in the capture: it has %d" % (path, len(found)))
        ends.update(*[each.ends for each in recorded])
    if options.party is not None and options.party not in ends:
        known = sorted(ends)[:_ENDS] + (["..."] if len(ends) > _ENDS else [])
        raise InputError("--party: %s is in no capture: there are %s" % (options.party, ", ".join(known)))


def _run_all(rivals, played, way):
    # type: (Sequence[Contender], dialogue.Dialogue, Way) -> List[Run]
    """The same call with each, at the same time. Raises what the first of them raised."""
    performances = [Performance(rival, played, way) for rival in rivals]
    results = [None] * len(rivals)  # type: List[Union[None, Run, BaseException]]

    def perform(place):
        # type: (int) -> None
        try:
            results[place] = performances[place].run()
        except BaseException as error:
            results[place] = error

    threads = [threading.Thread(target=perform, args=(place,)) for place in range(len(rivals))]
    try:
        for thread in threads:
            thread.daemon = True
            thread.start()
        for thread in threads:
            while thread.is_alive():  # Python 2.7 heeds no signal while it waits without a limit
                thread.join(1.0)
    finally:
        for performance in performances:
            performance.leave()
    for each in results:
        if isinstance(each, BaseException):
            raise each
    return [each for each in results if each is not None and not isinstance(each, BaseException)]
