import builtins

PY2: bool
text_type = str
TimeoutBase = builtins.TimeoutError

def monotonic() -> float: ...
def to_text(value: object) -> object: ...
