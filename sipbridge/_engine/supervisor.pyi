from typing import Any, Dict, List, Optional, Tuple

from sipbridge._engine.channel import Channel
from sipbridge._engine.records import RawEvent
from sipbridge._engine.worker import Worker
from sipbridge._engine.worker_process import Process

class Supervisor:
    port: Optional[int]
    starting: Optional[Process]
    deaths: int
    def __init__(
        self,
        worker: Worker,
        settings: Dict[str, Any],
        python: Optional[str],
        max_restarts: Optional[int],
        backoff: float,
    ) -> None: ...
    @property
    def has_begun(self) -> bool: ...
    @property
    def last_id(self) -> int: ...
    def begin(self) -> None: ...
    def join(self) -> None: ...
    def start(self) -> Tuple[Channel, List[str], List[RawEvent]]: ...

def end(channel: Channel) -> None: ...
