from sipbridge._engine.choice import make as make
from sipbridge._engine.in_process import InProcess as InProcess
from sipbridge._engine.libraries import NAMES as NAMES
from sipbridge._engine.libraries import available as available
from sipbridge._engine.records import Content as Content
from sipbridge._engine.records import Parties as Parties
from sipbridge._engine.records import RawEvent as RawEvent
from sipbridge._engine.worker import Worker as Worker

__all__ = ["NAMES", "Content", "InProcess", "Parties", "RawEvent", "Worker", "available", "make"]
