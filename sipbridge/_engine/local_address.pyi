from typing import Optional

SOMEWHERE: str
SOMEWHERE_IPV6: str

def reachable(host: str) -> str: ...
def source_address(host: str, port: int) -> Optional[str]: ...
