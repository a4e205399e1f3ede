from types import TracebackType
from typing import Dict, List, Optional, Sequence, Tuple, Type

from sipbridge._agent.endpoint import Endpoint
from sipbridge._command.console import Console
from sipbridge._command.demo_party import Child
from sipbridge._command.demo_registrar import Registrar
from sipbridge.events import TraceMessage

PASSWORDS: Dict[str, str]
KEYS: str
TEXT: str

def require(what: str, found: object, expected: object) -> None: ...

class Demo:
    step: str
    trace: List[TraceMessage]
    alice: Endpoint
    bob: Child
    parties: List[Tuple[str, str]]
    def __init__(
        self,
        console: Console,
        registrar: Registrar,
        engine: Optional[str] = None,
        deviation: Optional[str] = None,
    ) -> None: ...
    def __enter__(self) -> Demo: ...
    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None: ...
    def run(self) -> None: ...
    def diagram(self) -> str: ...

def main(argv: Optional[Sequence[str]] = None) -> int: ...
