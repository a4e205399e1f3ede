FIRST: float
LONGEST: float

def delay(tries: int, least: float = 0.0) -> float: ...
