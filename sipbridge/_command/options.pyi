import argparse
from typing import Any, Callable, List

EXIT_USAGE: int
EXIT_TRANSPORT: int
EXIT_REFUSED: int
EXIT_AUTHENTICATION: int
EXIT_TIMEOUT: int
EXIT_UNSUPPORTED: int
EXIT_INTERRUPTED: int

COMMANDS: List[Callable[[Any], None]]

def examples() -> str: ...
def build_parser() -> argparse.ArgumentParser: ...
