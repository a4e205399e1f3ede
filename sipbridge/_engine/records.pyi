from typing import List, NamedTuple, Optional, Tuple

class RawEvent(NamedTuple):
    type: str
    cause: str
    state: Optional[str]
    status: int
    expires: int
    outgoing: int
    call: int
    registration: int
    subscription: int
    transaction: int
    time: float
    method: str
    reason: str
    request_uri: str
    headers: str
    peer: str
    body: bytes

class Content(NamedTuple):
    headers: List[Tuple[str, str]]
    content_type: Optional[str]
    body: Optional[bytes]

class Parties(NamedTuple):
    to: str
    from_: Optional[str]
    route: Optional[str]
