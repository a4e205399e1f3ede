"""``local_address`` under the name that older examples show."""

from __future__ import absolute_import, division, print_function

from sipbridge._command.commands import local_address

__all__ = ["local_address"]
