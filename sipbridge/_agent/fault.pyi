from types import TracebackType
from typing import Any, Callable, NamedTuple, Optional, Tuple, Type

class _Fields(NamedTuple):
    error: BaseException
    traceback: Optional[TracebackType]
    event: Any
    handler: Optional[Callable[[Any], object]]
    call_id: str
    fatal: bool

class Fault(_Fields):
    @property
    def exc_info(self) -> Tuple[Type[BaseException], BaseException, Optional[TracebackType]]: ...

def call_id_of(event: Any) -> str: ...
