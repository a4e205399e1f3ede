"""Opening an endpoint: what can be wrong with its address (one at a time: libeXosip2 has one stack)."""

from __future__ import absolute_import, division, print_function

import socket

import pytest

import sipbridge


def test_register_needs_an_aor():
    with sipbridge.Endpoint() as phone:
        with pytest.raises(sipbridge.InputError) as caught:
            phone.register("sip:127.0.0.1")
    assert "aor" in str(caught.value)


def test_a_port_in_use_is_a_transport_error_that_names_it():
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    try:
        with pytest.raises(sipbridge.TransportError) as caught:
            sipbridge.Endpoint("udp://127.0.0.1:%d" % port)
        assert str(port) in str(caught.value)
    finally:
        taken.close()


def test_an_address_of_another_machine_is_a_transport_error():
    with pytest.raises(sipbridge.TransportError) as caught:
        sipbridge.Endpoint("udp://192.0.2.1:5060")
    assert "192.0.2.1" in str(caught.value)
