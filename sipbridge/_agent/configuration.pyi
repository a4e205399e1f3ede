from typing import Optional

MAX_KEEPALIVE: int

def check_keepalive(value: Optional[int], transport: str) -> int: ...
