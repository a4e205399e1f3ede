"""Where the engine of an endpoint runs: in this process, or in a worker."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import text_type, to_text
from sipbridge._engine.in_process import InProcess
from sipbridge._later import later
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sipbridge._engine import worker
else:
    worker = later("sipbridge._engine.worker")


def make(engine):
    """The engine that an endpoint was asked to use: an object as it is, or in this process the one of that name."""
    if engine is None or isinstance(to_text(engine), text_type):
        return InProcess(engine)
    if isinstance(engine, InProcess):
        return engine
    if isinstance(engine, worker.Worker):
        return engine
    raise InputError("an engine is a name, a Worker or an InProcess, not %r" % (engine,))
