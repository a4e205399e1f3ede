"""The part of the table that is about those who watch an endpoint: logs, the flight recorder."""

from __future__ import absolute_import, division, print_function

from misuse import values
from misuse.values import entry, optional, whole

WATCHING = {
    "EcsFormatter.__init__": entry({}, service=values.LINE),
    "logs.write_json": entry(
        {}, stream=[5, u"text", object()], level=whole(0, 100), service=values.LINE, seconds=values.SECONDS
    ),
    "BufferedHandler.__init__": entry({}, stream=[5, u"text", object()], seconds=values.SECONDS),
    "FlightRecorder.__init__": entry(
        dict(folder=u"unused-incidents"),
        folder=values.PATH + [None],
        minutes=values.SECONDS,
        megabytes=whole(1, 1024),
        causes=[5, None, u"failed", [u"no-such-cause"], [5]],
        signal=optional(whole(1, 64)) + [9],
        interval=values.SECONDS,
        keep=whole(1, 100000),
        keep_megabytes=whole(1, 1000000),
        keep_days=values.SECONDS,
        mask_numbers=values.FLAG,
        mask_bodies=values.FLAG,
    ),
    "FlightRecorder.dump": entry(
        {}, reason=[5, None, b"\xff", u"", u"A b", u"a/b", u"a" * 41], call=[5, u"call", values.OBJECT],
        text=[5, None, b"\xff"], timeout=values.SECONDS,
    ),
}  # fmt: skip
