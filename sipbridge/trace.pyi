from typing import List

from sipbridge.events import TraceMessage

MASK: str

def masked(text: str) -> str: ...
class Peers:
    def completed(self, message: TraceMessage) -> TraceMessage: ...

def render(message: TraceMessage) -> List[str]: ...
