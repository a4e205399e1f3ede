from types import ModuleType
from typing import List, NamedTuple, Tuple

class Counter(NamedTuple):
    rule: str
    passed: int
    answered: int
    dropped: int

def binding() -> Tuple[ModuleType, ModuleType]: ...
def counters() -> List[Counter]: ...
