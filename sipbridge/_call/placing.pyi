from typing import Iterable, Optional, Tuple, Union

from sipbridge._call.agent import Agent
from sipbridge._call.call import SDP as SDP
from sipbridge._call.call import Call
from sipbridge._engine.content import Body
from sipbridge._engine.records import Parties, RawEvent
from sipbridge.headers import HeaderFields

def check_redirects(number: int) -> int: ...
def place(
    agent: Agent,
    to: str,
    sdp: Optional[Body] = None,
    headers: HeaderFields = (),
    from_: Optional[str] = None,
    route: Optional[str] = None,
    content_type: str = ...,
    follow_redirects: int = 0,
    session_expires: Optional[int] = None,
    asserted_identity: Union[None, str, Iterable[str]] = None,
    privacy: Union[str, Iterable[str]] = (),
) -> Call: ...

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
