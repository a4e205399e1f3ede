"""The part of the table that is about who may call: sipbridge.access."""

from __future__ import absolute_import, division, print_function

from misuse import values
from misuse.values import entry, optional, whole

_RATE = [0, -1, u"5", float("nan"), 2**31, True, values.OBJECT]
_NETWORKS = [5, u"192.0.2.1", None, [5], [u"192.0.2.1/33"], [u"192.0.2.7/24"], [u"phone.example.com"]]
_NETWORK = [5, None, b"\xff", values.OBJECT, u"", u"example.com", u"192.0.2.7/33", u"192.0.2.7/24"]


ACCESS = {
    "Authenticator.__init__": entry(
        dict(realm=u"example.com", lookup=len),
        realm=values.QUOTED + [None],
        lookup=values.CALLABLE,
        algorithms=values.SEQUENCE + [(), [u"SHA-512-256"], [u"MD5", u"md5"]],
        secret=[5, values.OBJECT, u"", b"fifteen octets.", u"fifteen octets."],
        lifetime=values.SECONDS + [0],
        proxy=[5, None, u"yes"],
        methods=[5, u"INVITE", [5], [u"ACK"], [u"CANCEL"], [u"IN VITE"]],
        exempt=_NETWORKS,
        lookups=whole(1, 1000),
        nonces=whole(1, 10**7),
    ),
    "BanList.__init__": entry(
        {},
        failures=optional(whole(1, 2**31 - 1)),
        within=values.SECONDS,
        seconds=values.SECONDS + [0],
        most=whole(1, 10**7),
        exempt=_NETWORKS,
    ),
    "BanList.ban": entry(
        dict(network=u"192.0.2.0/24"), network=_NETWORK, seconds=optional(values.SECONDS) + [0]
    ),
    "BanList.lift": entry(dict(network=u"192.0.2.0/24"), network=_NETWORK),
    "BanList.has": entry(dict(address=u"192.0.2.7"), address=_NETWORK + [u"192.0.2.0/24"]),
    "SourceLimits.__init__": entry(
        {},
        calls_per_second=_RATE,
        calls_at_once=optional(whole(1, 2**31 - 1)),
        requests_per_second=_RATE,
        burst=optional(whole(1, 2**31 - 1)),
        most=whole(1, 10**7),
        exempt=_NETWORKS,
    ),
}
