from types import TracebackType
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple, Type

class Answer(NamedTuple):
    status: int
    reason: str
    headers: List[Tuple[str, str]]

def digest(user: str, realm: str, password: str, method: str, parameters: Mapping[str, str]) -> str: ...

class Registrar:
    bindings: Dict[str, str]
    answers: List[Tuple[str, int]]
    def __init__(self, passwords: Mapping[str, str], realm: str = "sipbridge demo") -> None: ...
    @property
    def host_port(self) -> str: ...
    @property
    def uri(self) -> str: ...
    def __enter__(self) -> Registrar: ...
    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None: ...
