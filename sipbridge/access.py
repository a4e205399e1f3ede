"""Who may call an endpoint: passwords, bans, and limits for each source; see docs/access.md.

``Endpoint(allow=[...])`` takes networks, ``authenticator=`` an :class:`Authenticator`, ``bans=`` a :class:`BanList`
and ``limits=`` :class:`SourceLimits`.
"""

from __future__ import absolute_import, division, print_function

from sipbridge._access.authenticator import Authenticator
from sipbridge._access.bans import Ban, BanList
from sipbridge._access.limits import SourceLimits

__all__ = ["Authenticator", "Ban", "BanList", "SourceLimits"]
