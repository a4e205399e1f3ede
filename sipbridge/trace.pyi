from typing import List

from sipbridge.events import TraceMessage

MASK: str

def masked(text: str) -> str: ...
def render(message: TraceMessage) -> List[str]: ...
