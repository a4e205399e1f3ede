from typing import Iterable, Optional, Tuple

from sipbridge._call.call import Call
from sipbridge._engine.content import Body
from sipbridge._engine.records import Parties, RawEvent

def check_redirects(number: int) -> int: ...

class Attempt:
    def __init__(
        self,
        call: Call,
        parties: Parties,
        headers: Iterable[Tuple[str, str]],
        sdp: Optional[Body],
        content_type: str,
        redirects: int,
    ) -> None: ...
    def send(self) -> int: ...
    def again(self, raw: RawEvent) -> bool: ...
