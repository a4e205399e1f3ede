from typing import NamedTuple, Optional

from sipbridge.headers import Headers

class Replaces(NamedTuple):
    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool

def parse_replaces(text: str) -> Optional[Replaces]: ...
def with_replaces(uri: str, replaces: Replaces) -> str: ...
def target_of(headers: Headers) -> str: ...
def replaces_of(headers: Headers) -> Optional[Replaces]: ...
