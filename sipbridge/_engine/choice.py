"""Where the engine of an endpoint runs: in this process, or in another one."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import text_type
from sipbridge._engine.in_process import InProcess
from sipbridge._later import later
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    from sipbridge._engine import memory, remote

    Engine = Union[InProcess, remote.Remote, memory.Memory]
else:
    memory, remote = later("sipbridge._engine.memory", "sipbridge._engine.remote")


def make(engine):
    # type: (Union[str, Engine, None]) -> Engine
    """The engine for an endpoint: the given object, or an engine of that name in this process."""
    if engine is None or isinstance(engine, (str, text_type)):
        return InProcess(engine)
    if isinstance(engine, InProcess):
        return engine
    if isinstance(engine, (remote.Remote, memory.Memory)):
        return engine
    raise InputError("an engine is a name, a Worker, a Sidecar, a Container or an InProcess, not %r" % (engine,))
