from typing import Union

from sipbridge._engine.in_process import InProcess
from sipbridge._engine.worker import Worker

Engine = Union[InProcess, Worker]

def make(engine: Union[str, Engine, None]) -> Engine: ...
