from typing import List, NamedTuple, Optional, Tuple

from sipbridge.headers import HeaderFields, Headers

class _Reason(NamedTuple):
    protocol: str
    cause: Optional[int]
    text: str

class Reason(_Reason):
    def __new__(cls, protocol: str, cause: Optional[int] = None, text: str = "") -> Reason: ...
    @property
    def value(self) -> str: ...

def with_reason(headers: HeaderFields, reason: Optional[Reason]) -> List[Tuple[str, str]]: ...
def parse_reasons(headers: Headers) -> Tuple[Reason, ...]: ...
