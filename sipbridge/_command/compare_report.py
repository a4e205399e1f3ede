"""What ``sipbridge compare`` says: a line or a diff for each call, sums at the end; or all of it as JSON."""

from __future__ import absolute_import, division, print_function

import json
import os
from collections import Counter

from sipbridge._compat import to_text
from sipbridge._replay.contrast import DIED, NAMES_ONE, PLAYED
from sipbridge._text.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Set, Tuple

    from sipbridge._replay.contrast import Contrast, Difference, Run
    from sipbridge._replay.dialogue import Call
    from sipbridge._replay.message import Message

#: The verdicts on a call, in the order of the table.
VERDICTS = ("same", "differs", "died", "failed", "not compared")


class Result(object):
    """What came of one call.

    Attributes:
        path, call: the capture, and the call in it.
        runs: with each engine.
        differences: of each engine from the first one.
        left_out: why it was not compared, or "".
        habits: how often each habit of the engines was seen, as of a Contrast.
        note: what the recorded endpoint has answered well, and no engine's did, as a sentence; or "".
        is_broken: whether that says that a program does not work.
    """

    def __init__(self, path, call):
        # type: (str, Call) -> None
        self.path = path
        self.call = call
        self.role = ""
        self.runs = []  # type: List[Run]
        self.differences = []  # type: List[List[Difference]]
        self.left_out = ""
        self.habits = Counter()  # type: Counter[str]
        self.note = u""
        self.is_broken = False

    def played(self, role, runs):
        # type: (str, List[Run]) -> None
        self.role = role
        self.runs = runs

    def add(self, contrast):
        # type: (Contrast) -> None
        self.differences.append(contrast.differences)
        self.habits.update(contrast.left_out)

    def refused(self, refusals, by_program):
        # type: (List[Tuple[Message, List[Message]]], bool) -> None
        """Take what :func:`sipbridge._replay.contrast.refusals` found; of a program of the user's or not."""
        broken = [each for each in refusals if by_program and all(_is_broken(now.status) for now in each[1])]
        self.is_broken = bool(broken)
        for before, now in (broken or refusals)[:1]:
            phrases = dict((each.status, each.answer) for each in now[::-1])  # each engine has phrases of its own
            seen = u" or ".join(phrases[status] for status in sorted(phrases))
            self.note = u"recorded was %s to %s, and %s with each engine" % (before.answer, before.method, seen)
            self.note += u": does the program work?" if by_program else u""

    @property
    def verdict(self):
        # type: () -> str
        """One of :data:`VERDICTS`."""
        if self.left_out:
            return "not compared"
        outcomes = [each.outcome for each in self.runs]
        if any(each.startswith(DIED) for each in outcomes):
            return "died"
        if any(each.startswith(NAMES_ONE) for each in outcomes) or not any(
            each.startswith(PLAYED) for each in outcomes
        ):
            return "failed"
        if any(self.differences):
            return "differs"
        return "failed" if self.is_broken else "same"

    def data(self):
        # type: () -> Dict[str, Any]
        """All of it, for JSON."""
        call = self.call
        runs = [
            {
                "engine": each.engine, "version": each.version, "outcome": each.outcome, "played": each.played,
                "messages": len(each.messages), "events": [event["event"] for event in each.events],
                "notes": each.notes,
            }
            for each in self.runs
        ]  # fmt: skip
        differences = [
            {"engine": run.engine, "kind": each.kind, "what": each.what, "lines": each.lines}
            for run, found in zip(self.runs[1:], self.differences)
            for each in found
        ]
        return {
            "capture": self.path, "call": call.number, "call_id": call.call_id, "method": call.method,
            "verdict": self.verdict, "reason": self.left_out, "played": self.role, "runs": runs,
            "differences": differences, "left_out": dict(self.habits), "note": self.note,
        }  # fmt: skip


class Report(object):
    """All results.

    Args:
        names: of the engines.

    Attributes:
        differs: whether a call differs, or an engine died, or there was no endpoint that could be played to.
        compared: whether a call was.
    """

    def __init__(self, names):
        # type: (List[str]) -> None
        self._names = names
        self._results = []  # type: List[Result]

    def add(self, result):
        # type: (Result) -> None
        self._results.append(result)

    @property
    def differs(self):
        # type: () -> bool
        return any(each.verdict in ("differs", "died", "failed") for each in self._results)

    @property
    def compared(self):
        # type: () -> bool
        return any(not each.left_out for each in self._results)

    def lines(self, result, number, total):
        # type: (Result, int, int) -> List[str]
        """What to print when a call is done, the ``number``-th of so many."""
        call = result.call
        head = u"%d of %d  %s call %d  %s  %s" % (
            number, total, os.path.basename(to_text(result.path)), call.number, call.method, result.verdict
        )  # fmt: skip
        if result.left_out:
            return [printable(u"%s: %s" % (head, result.left_out))]
        first = result.runs[0]
        noted = [printable(u"     note: " + result.note)] if result.note else []
        if result.verdict == "same":
            said = u"%d messages, %d events" % (len(first.messages), len(first.events))
            return [printable(u"%s: %s" % (head, said if first.outcome == PLAYED else first.outcome))] + noted
        found = [printable(head + u":")]
        if result.verdict != "differs" and any(each.outcome != PLAYED for each in result.runs):
            found += [printable(u"     %s: %s" % (_name(each), each.outcome)) for each in result.runs]
        found += noted
        for run, every in zip(result.runs[1:], result.differences):
            differences = [each for each in every if each.kind != "outcome" or result.verdict == "differs"]
            if differences:
                found.append(u"     - %s   + %s" % (_name(first), _name(run)))
            for each in differences:
                found.append(printable(u"     %s: %s" % (each.kind, each.what)))
                found += [printable(u"       " + line) for line in each.lines]
        return found + _notes(result.runs, result.is_broken)

    def sums(self):
        # type: () -> List[str]
        """The table at the end."""
        counts = Counter(each.verdict for each in self._results)
        found = [u"", u"compared: %s" % u", ".join(self._versions())]
        found.append(u"".join(u"%14s" % name for name in (u"calls",) + VERDICTS))
        found.append(u"".join(u"%14d" % each for each in [len(self._results)] + [counts[name] for name in VERDICTS]))
        what = Counter(each for result in self._results for each in _kinds(result))
        if what:
            found += [u"", u"what differs, and in how many calls:"]
            found += [printable(u"%14d  %s" % (count, name)) for name, count in _sorted(what)]
        left_out = sum((each.habits for each in self._results), Counter())  # type: Counter[str]
        if left_out:
            found += [u"", u"what always differs, and in how many messages and events (--all shows it):"]
            found += [u"%14d  %s" % (count, habit) for habit, count in _sorted(left_out)]
        return found

    def _versions(self):
        # type: () -> List[str]
        """The engines, with the versions of their libraries where these are known."""
        known = dict((run.engine, _name(run)) for result in self._results for run in result.runs if run.version)
        return [known.get(name, name) for name in self._names]

    def json(self):
        # type: () -> List[str]
        """The report for machines."""
        counts = Counter(each.verdict for each in self._results)
        data = {
            "engines": self._names,
            "calls": [each.data() for each in self._results],
            "sums": dict((name, counts[name]) for name in VERDICTS),
        }
        return json.dumps(data, indent=1, sort_keys=True).splitlines()


def _name(run):
    # type: (Run) -> str
    return (u"%s %s" % (run.engine, run.version)).rstrip()


def _is_broken(status):
    # type: (int) -> bool
    """Whether it is what an endpoint answers whose handler raises, or which has none."""
    return status == 480 or 500 <= status < 600


def _notes(runs, every):
    # type: (Iterable[Run], bool) -> List[str]
    """What the process of an engine wrote that went wrong; or that of every engine."""
    found = []  # type: List[str]
    for each in runs:
        if (every or each.outcome != PLAYED) and each.notes:
            found.append(u"     the last that %s wrote:" % each.engine)
            found += [printable(u"       | " + line) for line in each.notes]
    return found


def _sorted(counts):
    # type: (Counter[str]) -> List[Any]
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _kinds(result):
    # type: (Result) -> Iterable[str]
    """What differs in a call, each kind once: as "message 180 to INVITE: Allow"."""
    found = set()  # type: Set[str]
    for differences in result.differences:
        for each in differences:
            names = set(_about(line) for line in each.lines) if each.kind in ("message", "event") else set([u""])
            found.update((u"%s %s: %s" % (each.kind, each.what, name)).rstrip(u": ") for name in names)
    return found


def _about(line):
    # type: (str) -> str
    """The name of a header field, or of a field of an event, of which a line of a diff is."""
    name, colon, _ = line[1:].partition(u":")
    if colon and u" " not in name:
        return name
    name, _, rest = line[1:].partition(u" ")
    return name if rest and name.replace(u"_", u"").islower() else u"the body"
