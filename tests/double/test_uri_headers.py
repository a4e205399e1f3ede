"""What the library makes of the headers of a URI: lines of the message, decoded. The contract keeps them out."""

from __future__ import absolute_import, division, print_function

import pytest

from double.test_rules import program

_PRINTED = """
import sys
message, octets, length = ctypes.c_void_p(), ctypes.c_char_p(), ctypes.c_size_t()
eXosip_init(); eXosip_listen_addr(17, b'127.0.0.1', 0, 2, 0); eXosip_lock()
assert %s == 0
assert osip_message_to_str(message, ctypes.byref(octets), ctypes.byref(length)) == 0
sys.stderr.write(octets.value.decode('utf-8'))
osip_message_free(message)
"""

_INVITE = "eXosip_call_build_initial_invite(ctypes.byref(message), b'<%s>', b'<sip:alice@h>', None, None)"
_MESSAGE = "eXosip_message_build_request(ctypes.byref(message), b'MESSAGE', b'<%s>', b'<sip:alice@h>', None)"


def _lines(build, uri):
    code, printed = program(_PRINTED % (build % uri))
    assert code == 0, printed
    return printed.split("\r\n")


@pytest.mark.parametrize("build", [_INVITE, _MESSAGE])
def test_uri_headers_become_header_lines(build):
    lines = _lines(build, "sip:bob@h?Subject=hi%0D%0AX-Evil:%20yes&Route=%3Csip:192.0.2.1%3E&X-More=1")
    assert lines[0].endswith(" sip:bob@h SIP/2.0") and "To: <sip:bob@h>" in lines
    assert "X-Evil: yes" in lines and "Subject: hi" in lines
    assert "Route: <sip:192.0.2.1>" in lines and "X-more: 1" in [line[:1] + line[1:].lower() for line in lines]


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq", "Via", "Contact"])
def test_uri_headers_of_the_dialog_are_left_out(name):
    lines = _lines(_INVITE, "sip:bob@h?%s=x" % name)
    assert len([line for line in lines if line.lower().startswith(name.lower() + ":")]) == 1
    assert not [line for line in lines if line.endswith(": x")]
