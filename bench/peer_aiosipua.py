"""Answers each call with aiosipua, until SIGTERM: what bench/facade_answer.py does.

python bench/peer_aiosipua.py PORT
"""

import asyncio
import signal
import sys

from aiosipua import SipUAS, UdpSipTransport, parse_sdp

SDP = parse_sdp("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n")


async def main():
    uas = SipUAS(UdpSipTransport(local_addr=("127.0.0.1", int(sys.argv[1]))))
    uas.on_invite = lambda call: call.accept(SDP)
    await uas.start()
    print("ready", flush=True)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await uas.stop()


asyncio.run(main())
