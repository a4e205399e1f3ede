"""What before.c does, from Python through ctypes, as programs on libeXosip2 3.x do it. after.py does it on sipbridge.

    python before.py 5060"""

from __future__ import absolute_import, division, print_function

import ctypes
import re
import signal
import socket
import sys

SDP = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=inactive\r\n"

#: Numbers of eXosip_event_type, which other versions of the library number otherwise.
CALL_INVITE, CALL_CANCELLED, CALL_MESSAGE_NEW, CALL_MESSAGE_ANSWERED, CALL_CLOSED, CALL_RELEASED = 5, 16, 18, 20, 25, 26
DONT_SEND_101, SET_IPV4_FOR_GATEWAY = 6, 8


class Event(ctypes.Structure):
    """eXosip_event_t of libeXosip2 3.x."""

    _fields_ = [("type", ctypes.c_int), ("textinfo", ctypes.c_char * 256)]
    _fields_ += [(name, ctypes.c_void_p) for name in ("reference", "request", "response", "ack")]
    _fields_ += [(name, ctypes.c_int) for name in ("tid", "did", "rid", "cid", "sid", "nid", "ss_status", "ss_reason")]


# It finds the functions of libosipparser2 and libc as well.
library = ctypes.CDLL("libeXosip2.so")
library.eXosip_event_wait.restype = ctypes.POINTER(Event)
library.free.argtypes = [ctypes.c_void_p]


def text_of(message):
    # type: (int) -> str
    """A message as text, which is simpler to read than the structures of libosip2."""
    found, length = ctypes.c_void_p(), ctypes.c_size_t()
    if library.osip_message_to_str(ctypes.c_void_p(message), ctypes.byref(found), ctypes.byref(length)) != 0:
        return ""
    text = ctypes.string_at(found, length.value)
    library.free(found)
    return text.decode("utf-8", "replace")


def answer(tid, status, sdp=None):
    # type: (int, int, object) -> None
    built = ctypes.c_void_p()
    if library.eXosip_call_build_answer(tid, status, ctypes.byref(built)) != 0:
        return
    if sdp is not None:
        library.osip_message_set_body(built, sdp, ctypes.c_size_t(len(SDP)))
        library.osip_message_set_content_type(built, b"application/sdp")
    library.eXosip_call_send_answer(tid, status, built)


class Service(object):
    """The calls that are up, by cid: their dialog, who calls, and the keys so far."""

    def __init__(self):
        # type: () -> None
        self.calls = {}  # type: dict[int, list]

    def follow(self, event):
        # type: (Event) -> None
        if event.type == CALL_INVITE:
            caller = re.search(r"(?im)^From:.*?(sip:[^>;\s]+)", text_of(event.request))
            self.calls[event.cid] = [event.did, caller.group(1) if caller else "somebody", ""]
            answer(event.tid, 180)
            answer(event.tid, 200, SDP)
        elif event.type == CALL_MESSAGE_NEW:
            self.take_key(event)
        elif event.type in (CALL_MESSAGE_ANSWERED, CALL_CLOSED, CALL_CANCELLED, CALL_RELEASED):
            self.end(event.cid)

    def take_key(self, event):
        # type: (Event) -> None
        request = text_of(event.request)
        if not request.startswith("INFO "):
            return  # BYE comes here, too: the library has answered it
        answer(event.tid, 200)
        key = re.search(r"(?m)^Signal=(.)", request)
        call = self.calls.get(event.cid)
        if key and call and key.group(1) == "#":
            library.eXosip_call_terminate(event.cid, call[0])
        elif key and call:
            call[2] += key.group(1)

    def end(self, cid):
        # type: (int) -> None
        """A call ends with one of several events, or with more than one: the first counts."""
        call = self.calls.pop(cid, None)
        if call:
            print("%s keyed in %s" % (call[1], call[2] or "nothing"))
            sys.stdout.flush()


def main():
    # type: () -> None
    on = ctypes.c_int(1)
    if library.eXosip_init() != 0:
        sys.exit("before.py: no libeXosip2")
    if library.eXosip_listen_addr(socket.IPPROTO_UDP, b"127.0.0.1", int(sys.argv[1]), socket.AF_INET, 0) != 0:
        sys.exit("before.py: the port is in use")
    library.eXosip_set_option(DONT_SEND_101, ctypes.byref(on))
    library.eXosip_set_option(SET_IPV4_FOR_GATEWAY, b"127.0.0.1")
    service, stopped = Service(), []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    while not stopped:
        event = library.eXosip_event_wait(1, 0)
        if event:
            library.eXosip_lock()
            service.follow(event.contents)
            library.eXosip_unlock()
            library.eXosip_event_free(event)
    library.eXosip_quit()


if __name__ == "__main__":
    main()
