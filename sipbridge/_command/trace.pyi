from typing import List

from sipbridge.events import TraceMessage

def render(message: TraceMessage) -> List[str]: ...
