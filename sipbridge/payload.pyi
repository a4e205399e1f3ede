from typing import Dict, FrozenSet, Iterable, NamedTuple, Optional

KEYS: str

class _Codec(NamedTuple):
    payload_type: int
    name: str
    clock_rate: int
    channels: int
    parameters: Optional[str]

class Codec(_Codec):
    def __new__(
        cls,
        payload_type: int,
        name: str,
        clock_rate: int = 8000,
        channels: int = 1,
        parameters: Optional[str] = None,
    ) -> Codec: ...
    @property
    def rtpmap(self) -> str: ...
    @property
    def is_telephone_event(self) -> bool: ...
    @property
    def events(self) -> FrozenSet[int]: ...
    def is_same_as(self, other: Codec) -> bool: ...

def telephone_event(payload_type: int = 101, clock_rate: int = 8000, events: str = "0-15") -> Codec: ...
def parse_events(text: str) -> FrozenSet[int]: ...
def format_events(events: Iterable[int]) -> str: ...
def parse_rtpmap(value: str) -> Codec: ...

STATIC: Dict[int, Codec]
PCMU: Codec
PCMA: Codec
G722: Codec
G729: Codec
