from sipbridge._command.demo import main as main

__all__ = ["main"]
