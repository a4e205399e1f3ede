"""What Wireshark makes of a capture file."""

from __future__ import absolute_import, division, print_function

import os
import subprocess

from peers.process import require


def fields(path, *names):
    """For each packet the fields of these names, as tuples of text. Wrong checksums fail here."""
    # Decoded as SIP whatever the port: a free one may be another protocol's.
    command = [require("tshark"), "-n", "-r", path, "-T", "fields", "-E", "separator=\t"]
    for transport in ("udp", "tcp"):
        command += ["-d", transport + ".port==1-65535,sip"]
    for check in ("ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE"):
        command += ["-o", check]
    for name in ("_ws.expert.message",) + names:
        command += ["-e", name]
    with open(os.devnull, "w") as nothing:
        output = subprocess.check_output(command, stderr=nothing).decode("utf-8")
    rows = [tuple(line.split("\t")) for line in output.splitlines()]
    for row in rows:
        assert "hecksum" not in row[0] and "alformed" not in row[0], row
    return [row[1:] for row in rows]
