"""What announcement.py and recorder.py share: from a negotiated stream to an ffmpeg process that carries it.

sipbridge signals, it does not carry audio. What the media side needs to know is a sipbridge.negotiation.Stream:
where to send, where to receive, in which format. Any RTP stack takes it from there; here it is ffmpeg.
"""

from __future__ import absolute_import, division, print_function

import os
import socket
import subprocess
import tempfile
import time
from contextlib import closing

from sipbridge import sdp
from sipbridge.payload import G722, PCMA, PCMU

#: What can be played and recorded, in order of preference, and how ffmpeg calls it.
CODECS = (PCMU, PCMA, G722)
ENCODERS = {
    "PCMU": ["-c:a", "pcm_mulaw", "-ar", "8000"],
    "PCMA": ["-c:a", "pcm_alaw", "-ar", "8000"],
    "G722": ["-c:a", "g722", "-ar", "16000"],
}


def host_of(phone):
    """The address that an endpoint listens at."""
    return phone.address.partition("://")[2].rpartition(":")[0].strip("[]")


def free_port(host):
    """An even port whose successor is free as well, for RTCP (RFC 3550, 11)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(100):
        rtp, rtcp = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
        try:
            rtp.bind((host, 0))
            port = rtp.getsockname()[1]
            if port % 2 == 0 and port < 65535:
                rtcp.bind((host, port + 1))
                return port
        except socket.error:
            pass
        finally:
            rtp.close()
            rtcp.close()
    raise RuntimeError("no free pair of UDP ports at %s" % host)


class Ffmpeg(object):
    """An ffmpeg process."""

    def __init__(self, arguments):
        command = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
        self._process = subprocess.Popen(command + arguments)

    def is_running(self):
        return self._process.poll() is None

    def wait(self):
        """Wait for its end; the exit code."""
        return self._process.wait()

    def stop(self):
        """End it."""
        if self.is_running():
            self._process.terminate()
        return self.wait()


class Recording(Ffmpeg):
    """An ffmpeg process that writes down what arrives at a host and port."""

    def __init__(self, host, port, arguments, description):
        Ffmpeg.__init__(self, arguments)
        self._rtcp = (host, port + 1)
        self._description = description

    def stop(self):
        """End it with the RTCP BYE (RFC 3550, 6.6) that peers often owe: ffmpeg then completes the file."""
        family = socket.AF_INET6 if ":" in self._rtcp[0] else socket.AF_INET
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as bye:
            bye.sendto(b"\x81\xcb\x00\x02\x00\x00\x00\x00\x03end", self._rtcp)
        code = self.wait()
        os.unlink(self._description)
        return code


def play(stream, path):
    """Send an audio file, in real time, to where the peer receives."""
    where = "rtp://%s:%d?localrtpport=%d" % (_bracketed(stream.remote[0]), stream.remote[1], stream.local[1])
    codec = ENCODERS[stream.codec.name.upper()] + ["-ac", "1"]
    payload_type = ["-payload_type", "%d" % stream.codec.payload_type]
    # The description that ffmpeg prints is for those who have no SIP.
    printed = ["-sdp_file", os.devnull]
    return Ffmpeg(["-re", "-i", path, "-vn"] + codec + payload_type + printed + ["-f", "rtp", where])


def record(local, path):
    """Write what arrives into a WAV file. ``local`` is our own description: it has the port and the numbers.

    Returns when ffmpeg listens, so that the peer can be told to begin.
    """
    audio = local.audio
    ours = sdp.build(local.address(audio)[0], [sdp.medium("audio", audio.port, audio.codecs[:1])])
    handle, name = tempfile.mkstemp(".sdp")
    with os.fdopen(handle, "wb") as stream:
        stream.write(ours.raw)
    # The description tells the format: nothing has to be guessed from the first seconds.
    options = ["-analyzeduration", "0", "-protocol_whitelist", "file,udp,rtp", "-f", "sdp", "-i", name]
    options += ["-c:a", "pcm_s16le", "-ac", "1", path]
    process = Recording(local.address(audio)[0], audio.port, options, name)
    deadline = time.time() + 5.0
    while process.is_running() and not _is_bound(audio.port) and time.time() < deadline:
        time.sleep(0.02)
    return process


def _is_bound(port):
    """Whether somebody listens on the UDP port: looked up, since a probe could take it away."""
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        if os.path.exists(table):
            with open(table) as lines:
                if any(line.split()[1].endswith(":%04X" % port) for line in lines.readlines()[1:]):
                    return True
    return False


def _bracketed(host):
    return "[%s]" % host if ":" in host else host
