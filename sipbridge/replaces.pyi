from typing import Iterable, NamedTuple, Optional, Tuple

from sipbridge.call import Call
from sipbridge.headers import Headers

class Replaces(NamedTuple):
    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool

def parse_replaces(text: str) -> Optional[Replaces]: ...
def tags(call: Call) -> Tuple[Optional[str], Optional[str]]: ...
def in_place_of(call: Call) -> Replaces: ...
def find(calls: Iterable[Call], headers: Headers) -> Tuple[Optional[Call], int]: ...
