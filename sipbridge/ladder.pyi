from typing import Iterable, Iterator, List, NamedTuple, Optional, Tuple, Union

from sipbridge.events import TraceMessage

class Arrow(NamedTuple):
    time: float
    source: str
    target: str
    text: str
    brief: str

def label(data: bytes, brief: bool = False) -> str: ...
def arrows(messages: Iterable[TraceMessage], local: str) -> Iterator[Arrow]: ...
def draw_arrows(
    rows: Iterable[Arrow],
    parties: Iterable[Union[str, Tuple[str, str]]] = (),
    width: Optional[int] = None,
    times: bool = True,
) -> str: ...
def make_columns(
    rows: Iterable[Arrow], parties: Iterable[Union[str, Tuple[str, str]]] = ()
) -> List[Tuple[str, str]]: ...
def draw(
    messages: Iterable[TraceMessage],
    local: str,
    parties: Iterable[Union[str, Tuple[str, str]]] = (),
    width: Optional[int] = None,
    times: bool = True,
) -> str: ...
