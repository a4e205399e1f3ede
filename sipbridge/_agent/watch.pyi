from typing import FrozenSet, Optional

from sipbridge._agent.agent import Agent
from sipbridge._engine.records import Parties

ABSENT: FrozenSet[int]

def check_interval(seconds: float) -> float: ...

class Watch:
    uri: str
    interval: float
    available: Optional[bool]
    status: int
    def __init__(self, agent: Agent, parties: Parties, interval: float) -> None: ...
    def stop(self) -> None: ...
