"""The counters of the shield in this process."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import NamedTuple
from sipbridge._engine.libraries import choose
from sipbridge.errors import EngineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import List, Tuple


class Counter(NamedTuple("Counter", [
    ("rule", "str"),
    ("passed", "int"),
    ("answered", "int"),
    ("dropped", "int"),
])):
    """The number of messages that passed (rule ``""``), or that broke a rule and were answered or dropped.

    csrc/shield/check/shield.h has the rules: ``"via"``, ``"cseq-method"``, ``"overload-invite"`` and so on.

    The rule ``"remembered"`` counts final responses: ``passed`` are in memory now, ``answered`` were sent again for a
    repeated request, and ``dropped`` were pushed out by others before their 32 seconds were over.
    ``"queue-full"`` counts events of the library: ``dropped`` were lost, since too many waited.
    """

    __slots__ = ()


def binding():
    # type: () -> Tuple[ModuleType, ModuleType]
    """The extension module of any engine: a process has only one shield."""
    module = choose(None)
    return module.lib, module.ffi


def counters():
    # type: () -> List[Counter]
    """A list of :class:`Counter`: what the shield did with the messages that this process received. The first one
    counts those that passed. Raises EngineError when no shield is loaded.
    """
    lib, ffi = binding()
    count = lib.sb_shield_counters(ffi.NULL, 0)
    if count < 0:
        raise EngineError("counters: no shield is loaded in this process", count)
    records = ffi.new("sb_shield_counter[]", count)
    lib.sb_shield_counters(records, count)
    return [
        Counter(ffi.string(each.rule).decode("ascii"), each.passed, each.answered, each.dropped)
        for each in records
    ]
