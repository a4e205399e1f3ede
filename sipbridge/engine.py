"""The engines, under the name that older programs use."""

from __future__ import absolute_import, division, print_function

from sipbridge._engine.choice import make
from sipbridge._engine.in_process import InProcess
from sipbridge._engine.libraries import NAMES, available
from sipbridge._engine.records import Content, Parties, RawEvent
from sipbridge._engine.worker import Worker

__all__ = ["NAMES", "Content", "InProcess", "Parties", "RawEvent", "Worker", "available", "make"]
