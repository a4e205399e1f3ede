import builtins
from urllib.parse import quote as quote
from urllib.parse import unquote as unquote

PY2: bool
text_type = str
TimeoutBase = builtins.TimeoutError

def monotonic() -> float: ...
def to_text(value: object) -> object: ...
