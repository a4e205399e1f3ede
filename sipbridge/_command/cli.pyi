import argparse
from typing import Any, Callable, List, Optional, Sequence, Tuple

from sipbridge._command.console import Console

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
def explain(error: Exception, options: argparse.Namespace) -> Tuple[int, str]: ...
def run(options: argparse.Namespace, console: Console) -> int: ...
def main(argv: Optional[Sequence[str]] = None) -> int: ...
