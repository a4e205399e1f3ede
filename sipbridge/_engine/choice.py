"""Where the engine of an endpoint runs: in this process, or in a worker."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import text_type, to_text
from sipbridge._engine.in_process import InProcess
from sipbridge._engine.worker import Worker, forward
from sipbridge.errors import InputError


def make(engine):
    """The engine that an endpoint was asked to use: an object as it is, or in this process the one of that name."""
    if isinstance(engine, (InProcess, Worker)):
        return engine
    if engine is not None and not isinstance(to_text(engine), text_type):
        raise InputError("an engine is a name, a Worker or an InProcess, not %r" % (engine,))
    return InProcess(engine)


forward(InProcess)
