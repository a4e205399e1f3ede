"""Has the shield screen Python's own sockets, as it screens a library's; for the tests of what no engine offers yet.

Run as a program, with the shield preloaded, it accepts one TCP connection on a port that it prints, and then prints
what each recv() gives it, one per line: the length, "again" when nothing whole was there, "end". With "octets" behind
its name it prints them in place of their length; with "datagrams" the same of what comes to a UDP socket. With "echo"
it sends back all that it receives, from a small buffer, and prints in one line what the shield tells of each message
that passes: direction, transport, host, port and octets.
"""

from __future__ import absolute_import, division, print_function

import _socket
import binascii
import ctypes
import errno
import select
import socket
import sys


class _Passage(ctypes.Structure):
    """struct shield_passage of csrc/shield/process/passage.h."""

    _fields_ = [
        ("outgoing", ctypes.c_int), ("transport", ctypes.c_int), ("host", ctypes.c_char_p), ("port", ctypes.c_int),
        ("time_us", ctypes.c_int64), ("octets", ctypes.POINTER(ctypes.c_char)), ("length", ctypes.c_size_t),
    ]  # fmt: skip


def _service():
    """The functions of the shield, in the order that they have in csrc/shield/process/service.h."""
    service = ctypes.CDLL(None).sipbridge_shield_10
    service.restype = ctypes.POINTER(ctypes.c_void_p)
    return service()


def screen():
    """Attach the shield to the module that calls recv() and recvfrom() for Python."""
    attach = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(_service()[0])
    path = getattr(_socket, "__file__", None)
    name = "PyInit__socket" if sys.version_info[0] > 2 else "init_socket"
    function = ctypes.pythonapi.Py_Initialize if path is None else getattr(ctypes.CDLL(path), name)
    if attach(ctypes.cast(function, ctypes.c_void_p).value) != 0:
        raise SystemExit("there is nothing to attach to")


def _say(text):
    print(text)
    sys.stdout.flush()


def _say_octets(octets):
    _say(binascii.hexlify(octets).decode("ascii"))


def _datagrams():
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    _say(receiver.getsockname()[1])
    while True:
        _say_octets(receiver.recv(4000))


def _say_passage(passage):
    found = passage.contents
    octets = binascii.hexlify(found.octets[: found.length]).decode("ascii")
    direction, transport = "received" if not found.outgoing else "sent", ("udp", "tcp")[found.transport]
    _say("%s %s %s %d %s" % (direction, transport, found.host.decode("ascii"), found.port, octets))


def _echo():
    note = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Passage))(_say_passage)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_service()[9])(ctypes.cast(note, ctypes.c_void_p))
    connection = _accept()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)  # less than a message
    while True:
        try:
            octets = connection.recv(100000)
        except socket.error as error:
            if error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK):
                raise
            select.select([connection], [], [], 30)
            continue
        if not octets:
            return
        while octets:
            octets = octets[connection.send(octets) :]


def _accept():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    _say(listener.getsockname()[1])
    return listener.accept()[0]


def _stream(say):
    connection = _accept()
    connection.setblocking(False)
    wakes = 0
    while True:
        select.select([connection], [], [], 30)
        wakes += 1
        try:
            octets = connection.recv(4000)
        except socket.error as error:
            if error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK):
                raise
            _say("again")
            continue
        if not octets:
            _say("end %d" % wakes)
            return
        say(octets)


def main():
    screen()
    if "datagrams" in sys.argv:
        _datagrams()
    elif "echo" in sys.argv:
        _echo()
    else:
        _stream(_say_octets if "octets" in sys.argv else lambda octets: _say(len(octets)))


if __name__ == "__main__":
    main()
