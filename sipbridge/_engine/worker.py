"""An engine in a process of its own, a child of this one."""

from __future__ import absolute_import, division, print_function

from sipbridge._engine.crash_files import check_crash_folder
from sipbridge._engine.process import beat_for
from sipbridge._engine.remote import Remote
from sipbridge._engine.worker_process import WorkerProcess
from sipbridge._text.arguments import check_path, check_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional


class Worker(Remote):
    """An engine in a process of its own, for one endpoint: ``Endpoint(..., engine=Worker())``.

    Args:
        engine: ``"sofia"``, ``"exosip"`` or None, as for an endpoint.
        hang_timeout: seconds without a sign of life after which the process counts as hung and is killed.
        max_restarts: the number of restarts in a row after which the worker gives up; None for no limit. A process that
            lived for a minute begins a new row.
        backoff: seconds before the second restart in a row. The seconds double for each further one, up to ten. The
            first restart has no delay.
        crash_folder: the folder for core dumps and tracebacks of processes that died; it keeps the
            last five of each. If it is missing, it is made with the mode 0700. None keeps nothing. A core dump holds
            the memory of the process, so passwords, too.
        python: path of the interpreter for the process; None for the present one.

    When the process dies or hangs, each of its calls ends with a CallEnded whose ``cause`` is "engine-lost", and
    methods that wait raise EngineLost. Another process starts on the same port, with the same credentials and
    registrations, and you get an EngineRestarted. Until then each command raises EngineLost. After ``max_restarts``
    you get an EngineFailed, and each command raises EngineLost from then on.

    Raises InputError.
    """

    def __init__(
        self, engine=None, hang_timeout=5.0, max_restarts=10, backoff=0.25, crash_folder=None, python=None
    ):
        # type: (Optional[str], float, Optional[int], float, Optional[str], Optional[str]) -> None
        if engine is not None:
            check_text(engine, "engine")
        Remote.__init__(self, hang_timeout, max_restarts, backoff, beat_for(hang_timeout))
        if python is not None:
            check_path(python, "python")
        self._python = python
        self._settings = {
            "engine": engine,
            "hang": hang_timeout,
            "beat": beat_for(hang_timeout),
            "crash_folder": check_crash_folder(crash_folder),
        }  # type: Dict[str, Any]

    @property
    def pid(self):
        # type: () -> Optional[int]
        """The process id of the worker, or None while it has no process."""
        channel = self._channel
        return channel.process.pid if channel is not None else None

    def _launch(self):
        # type: () -> WorkerProcess
        return WorkerProcess(self._python, self._settings, self._messages.size > 0)
