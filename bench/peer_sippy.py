"""Answers each call with sippy, until SIGTERM: what bench/facade_answer.py does.

python bench/peer_sippy.py PORT
"""

import os
import sys

os.environ["SIPLOG_BEND"] = "none"  # it would log every message

from sippy.CCEvents import CCEventConnect, CCEventTry
from sippy.Core.EventDispatcher import ED2
from sippy.MsgBody import MsgBody
from sippy.SipConf import SipConf
from sippy.SipLogger import SipLogger
from sippy.SipTransactionManager import SipTransactionManager
from sippy.UA import UA

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"


def answer(event, ua):
    if isinstance(event, CCEventTry):
        ua.recvEvent(CCEventConnect((200, "OK", MsgBody(SDP))))


def main():
    port = int(sys.argv[1])
    SipConf.my_address, SipConf.my_port = "127.0.0.1", port
    config = {"_sip_address": "127.0.0.1", "_sip_port": port, "_sip_logger": SipLogger("bench")}

    def request(message, transaction):
        if message.getHFBody("to").getTag() is not None:
            return message.genResponse(481, "Call Leg/Transaction Does Not Exist"), None, None
        if message.getMethod() == "INVITE":
            return UA(config, answer).recvRequest(message, transaction)
        return message.genResponse(501, "Not Implemented"), None, None

    config["_sip_tm"] = SipTransactionManager(config, request)
    print("ready", flush=True)
    ED2.loop()


main()
