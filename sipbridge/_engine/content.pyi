from typing import Optional, Union

from sipbridge._engine.records import Content, Parties
from sipbridge.errors import InputError
from sipbridge.headers import HeaderFields

Body = Union[bytes, bytearray, memoryview]
MAX_BODY: int

def make_content(
    headers: HeaderFields, body: Optional[Body], content_type: Optional[str]
) -> Optional[Content]: ...

MAX_MESSAGE: int

class MessageTooLarge(InputError):
    size: int
    def __init__(self, size: int, remedy: str = "large=True") -> None: ...

def check_message_size(parties: Parties, content: Optional[Content]) -> None: ...
