from typing import NamedTuple, Optional, Tuple, Union

from sipbridge.record import Recorder
from sipbridge.tls import Tls
from sipbridge.uri import TransportAddress

MAX_KEEPALIVE: int

class Settings(NamedTuple):
    advertised: Optional[Tuple[str, int]]
    user_agent: Optional[str]
    outbound_proxy: Optional[str]
    tls: Optional[Tls]
    resolv_conf: Optional[str]
    keepalive: int

def checked(
    local: TransportAddress,
    address: str,
    advertised: Optional[str],
    user_agent: Optional[str],
    outbound_proxy: Optional[str],
    tls: Optional[Tls],
    resolv_conf: Optional[str],
    keepalive: Optional[int],
) -> Settings: ...
def check_keepalive(value: Optional[int], transport: str) -> int: ...
def check_session_interval(seconds: Optional[int]) -> Optional[int]: ...
def make_recorder(record: Union[None, str, Recorder]) -> Optional[Recorder]: ...
def reachable(host: str) -> str: ...
