from typing import Iterable, NamedTuple, Optional, Tuple

from sipbridge.payload import Codec
from sipbridge.sdp import Media, Session

class Stream(NamedTuple):
    kind: str
    local: Tuple[str, int]
    remote: Tuple[str, int]
    sending: bool
    receiving: bool
    codec: Optional[Codec]
    telephone_event: Optional[Codec]
    ptime: Optional[int]

def answer(
    offer: Session,
    host: str,
    media: Iterable[Media],
    session_id: int = 1,
    version: int = 1,
    name: str = "-",
) -> Session: ...
def answer_again(offer: Session, ours: Session) -> Session: ...
def streams(local: Session, remote: Session) -> Tuple[Stream, ...]: ...
