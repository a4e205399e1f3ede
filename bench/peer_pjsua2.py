"""Answers each call with pjsua2, until SIGTERM: what bench/facade_answer.py does.

python bench/peer_pjsua2.py PORT

pjsua2 carries audio as well: each call opens its RTP sockets. The audio device is the null device.
"""

import os
import signal
import sys

import pjsua2 as pj

MAX_CALLS = 32


class Call(pj.Call):
    def onCallState(self, prm):
        if self.getInfo().state == pj.PJSIP_INV_STATE_DISCONNECTED:
            calls.discard(self)


class Account(pj.Account):
    def onIncomingCall(self, prm):
        call = Call(self, prm.callId)
        calls.add(call)
        answer = pj.CallOpParam()
        answer.statusCode = 200
        call.answer(answer)


calls = set()  # Python's references, without which the calls would go


def main():
    said = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # it logs before it can be told not to
    running = [True]
    signal.signal(signal.SIGTERM, lambda number, frame: running.clear())
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.logConfig.level = config.logConfig.consoleLevel = 0
    config.uaConfig.maxCalls = MAX_CALLS
    config.uaConfig.threadCnt = 0  # everything in this thread: what its documentation advises for Python
    config.uaConfig.mainThreadOnly = True
    config.medConfig.sndAutoCloseTime = -1  # the conference bridge gives ports back when the device ticks
    config.medConfig.maxMediaPorts = 10000
    endpoint.libInit(config)
    transport = pj.TransportConfig()
    transport.port = int(sys.argv[1])
    transport.boundAddress = "127.0.0.1"
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.audDevManager().setNullDev()
    endpoint.libStart()
    account = Account()
    account_config = pj.AccountConfig()
    account_config.idUri = "sip:bench@127.0.0.1"
    account.create(account_config)
    print("ready", file=said, flush=True)
    while running:
        endpoint.libHandleEvents(10)
    endpoint.libDestroy()


main()
