"""Plays an audio file to whoever calls, then hangs up. It takes ffmpeg.

    python examples/announcement.py closed.wav udp://192.0.2.1:5060

The offer is answered through the SDP model; when the ACK is there, ffmpeg sends the file to where the caller
receives. A caller that puts us on hold is answered by sipbridge and misses what is played meanwhile.
"""

from __future__ import absolute_import, division, print_function

import sys
import threading

import rtp

import sipbridge
from sipbridge import negotiation, sdp


class Announcement(object):
    """Answers the calls of one endpoint. Those of different calls run at the same time."""

    def __init__(self, phone, path):
        self._host = rtp.host_of(phone)
        self._path = path
        self._local = {}  # our description, by call
        self._players = {}
        phone.on(sipbridge.IncomingCall, self._incoming)
        phone.on(sipbridge.CallConfirmed, self._confirmed)
        phone.on(sipbridge.CallEnded, self._ended)

    def _incoming(self, event):
        ours = [sdp.medium("audio", rtp.free_port(self._host), rtp.CODECS, "sendonly")]
        try:
            if event.sdp is None:  # then the offer is ours, and the answer comes with the ACK
                local = sdp.build(self._host, ours)
            else:
                local = negotiation.answer(sdp.parse(event.sdp), self._host, ours)
        except sipbridge.InputError as error:
            print("no session description: %s" % error)
            event.call.reject(400)
            return
        if not local.live:
            event.call.reject(488)  # Not Acceptable Here: no codec in common
            return
        self._local[event.call] = local
        event.call.answer(local.raw)

    def _confirmed(self, event):
        call = event.call
        if call in self._players or call not in self._local:  # the ACK to a re-INVITE
            return
        for stream in self._streams(call):
            if stream.kind == "audio" and stream.sending:
                print("playing to %s:%d in %s" % (stream.remote + (stream.codec.rtpmap,)))
                self._players[call] = player = rtp.play(stream, self._path)
                threading.Thread(target=self._finish, args=(call, player)).start()
                return
        call.hangup()

    def _streams(self, call):
        try:
            return negotiation.streams(self._local[call], sdp.parse(call.remote_sdp or b""))
        except sipbridge.InputError:
            return ()

    @staticmethod
    def _finish(call, player):
        player.wait()
        call.hangup()

    def _ended(self, event):
        self._local.pop(event.call, None)
        player = self._players.pop(event.call, None)
        if player is not None:
            player.stop()
        print("over: %s" % event.cause)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    address = sys.argv[2] if len(sys.argv) == 3 else "udp://127.0.0.1:5060"
    with sipbridge.Endpoint(address) as phone:
        Announcement(phone, sys.argv[1])
        print("listening on %s" % phone.address)
        sys.stdout.flush()
        try:
            threading.Event().wait(10**6)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
