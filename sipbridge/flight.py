"""A flight recorder: keeps the last messages in memory, and writes them to a folder when something goes wrong.

>>> recorder = FlightRecorder("/var/lib/service/incidents", causes=["failed", "timeout"])
>>> phone = sipbridge.Endpoint("udp://192.0.2.7:5060", flight=recorder)

See docs/flight.md. It needs dpkt: ``pip install sipbridge[pcap]``.
"""

from __future__ import absolute_import, division, print_function

from sipbridge._flight.recorder import FlightRecorder as FlightRecorder
