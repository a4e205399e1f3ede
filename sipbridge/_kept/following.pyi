from typing import Any, Callable, Dict, Optional

from sipbridge._engine.records import RawEvent
from sipbridge._kept.agent import Agent
from sipbridge.errors import SipbridgeError

FOLLOW: Dict[str, Callable[[Agent, RawEvent], Optional[Any]]]

def leave(agent: Agent) -> None: ...
def lose(agent: Agent, error: SipbridgeError) -> None: ...
