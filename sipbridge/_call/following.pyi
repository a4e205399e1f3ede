from typing import Any, Callable, Dict, Optional

from sipbridge._call.agent import Agent
from sipbridge._call.call import Call
from sipbridge._engine.records import RawEvent
from sipbridge.events import CallEnded

FOLLOW: Dict[str, Callable[[Agent, RawEvent], Optional[Any]]]

def end(agent: Agent, call: Call, event: CallEnded) -> None: ...
def tell_watchers(event: Any) -> None: ...
