import argparse
import threading

from sipbridge._agent.endpoint import Endpoint
from sipbridge._command.console import Console

def listen(options: argparse.Namespace, console: Console) -> int: ...

class Listener:
    finished: threading.Event
    def __init__(self, options: argparse.Namespace, console: Console, sdp: bytes) -> None: ...
    def attach(self, phone: Endpoint) -> None: ...
