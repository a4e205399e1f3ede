from typing import Optional

from sipbridge._call.call import Call
from sipbridge._engine.content import Body
from sipbridge._engine.in_process import InProcess
from sipbridge.headers import HeaderFields

SDP: str

class IncomingRequest:
    __slots__ = ("_engine", "_transaction", "_call", "_offer", "_more", "uri", "answered")
    uri: str
    answered: bool
    def __init__(
        self,
        engine: InProcess,
        transaction: int,
        call: Optional[Call] = None,
        offer: Optional[bytes] = None,
        uri: str = "",
    ) -> None: ...
    def answer(
        self,
        status: int,
        reason: Optional[str],
        body: Optional[Body],
        content_type: Optional[str],
        headers: HeaderFields,
    ) -> None: ...
    def refuse(self, status: int, reason: Optional[str], headers: HeaderFields = ()) -> None: ...
    def accept(self, sdp: Optional[bytes], headers: HeaderFields) -> None: ...
    def answer_by_default(self, status: int, sdp: Optional[bytes] = None) -> None: ...
