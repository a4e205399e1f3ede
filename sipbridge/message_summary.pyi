from typing import Dict, NamedTuple, Optional

MESSAGE_SUMMARY: str

class Counts(NamedTuple):
    new: int
    old: int
    urgent_new: int
    urgent_old: int
    def __str__(self) -> str: ...

class MessageSummary(NamedTuple):
    waiting: bool
    account: Optional[str]
    counts: Dict[str, Counts]
    @property
    def voice(self) -> Counts: ...

def parse_message_summary(body: bytes) -> MessageSummary: ...
def build_message_summary(
    new: int, old: int = 0, urgent_new: int = 0, urgent_old: int = 0, account: Optional[str] = None
) -> bytes: ...
