from typing import Any, Optional

from sipbridge._agent.agent import Agent
from sipbridge._engine.records import RawEvent

HEALTH: str

class Table:
    def __init__(self, agent: Agent) -> None: ...
    def follow(self, raw: RawEvent) -> Optional[Any]: ...

def settle(event: Any, seen: bool, failed: bool) -> None: ...
