"""The settings of an endpoint as an incident tells them: what is no secret, by name."""

from __future__ import absolute_import, division, print_function

import os

from sipbridge._compat import text_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

#: The arguments of Endpoint whose values are told. Of any other it is told whether it was given, and of what kind.
_PLAIN = (
    "address", "identity", "outbound_proxy", "user_agent", "advertised", "session_expires", "resolv_conf", "keepalive",
    "handlers", "trusted_proxies", "source_header", "allow", "engine", "record", "hep",
)  # fmt: skip

#: The classes of ours whose repr() is for everybody.
_SHOWN = ("Authenticator", "BanList", "CaptureAgent", "SourceLimits")

#: The environment variables that are told. There are others that hold passwords and keys.
_ENVIRONMENT = (
    "SIPBRIDGE_ENGINE", "SIPBRIDGE_SHIELD_INVITE", "SIPBRIDGE_SHIELD_REGISTER", "SIPBRIDGE_SHIELD_SUBSCRIBE",
)  # fmt: skip


def of_arguments(arguments):
    # type: (Dict[str, Any]) -> Dict[str, Any]
    """The arguments of an Endpoint, by their names, as JSON takes them and without secrets.

    Passwords in URIs are left to whoever masks all texts of an incident.
    """
    told = {}  # type: Dict[str, Any]
    for name, value in arguments.items():
        if name in ("self", "flight"):
            continue
        told[name] = _plain(value) if name in _PLAIN else _kind(value)
    tls = arguments.get("tls")
    if tls is not None:
        told["tls"] = {"certificate": tls.certificate, "ca_file": tls.ca_file, "verify": tls.verify}  # and not its key
    told["environment"] = dict((name, os.environ[name]) for name in _ENVIRONMENT if name in os.environ)
    return told


def _plain(value):
    # type: (Any) -> Any
    if value is None or isinstance(value, (bool, int, float, str, text_type)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return _kind(value)


def _kind(value):
    # type: (Any) -> Any
    """What a value is; the repr() of a foreign object may tell anything."""
    if value is None:
        return None
    kind = type(value)
    if kind.__module__.partition(".")[0] == "sipbridge" and kind.__name__ in _SHOWN:
        return repr(value)
    name = getattr(value, "__name__", None)
    return "%s.%s" % (value.__module__, name) if name and hasattr(value, "__module__") else kind.__name__
