"""What the shield counts in this process."""

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
    """How many messages of this process passed (rule ``""``), or offended against a rule and were answered or
    dropped. The rules are those of csrc/shield/check/shield.h: ``"via"``, ``"cseq-method"``, ``"overload-invite"``
    and so on.
    """

    __slots__ = ()


def binding():
    # type: () -> Tuple[ModuleType, ModuleType]
    """The extension module of an engine, any: the shield is one for the process."""
    module = choose(None)
    return module.lib, module.ffi


def counters():
    # type: () -> List[Counter]
    """What became of the messages that this process received: a list of :class:`Counter`, those that passed first.

    Raises EngineError when no shield is loaded.
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
