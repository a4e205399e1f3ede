"""The name by which programs made after older examples find ``local_address``."""

from __future__ import absolute_import, division, print_function

from sipbridge._command.commands import local_address

__all__ = ["local_address"]
