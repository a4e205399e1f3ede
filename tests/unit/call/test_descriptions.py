"""What one peer is told of the other's session description (RFC 3264, 8; RFC 3725, 4.4)."""

from __future__ import absolute_import, division, print_function

from conformance.call.legs import description
from sipbridge import sdp
from sipbridge._call import descriptions


class Leg(object):
    def __init__(self, local_sdp=None):
        self.local_sdp = self._wanted_sdp = local_sdp


def ports(octets):
    return [media.port for media in sdp.parse(octets).media]


def test_the_first_description_of_a_call_passes_as_it_is():
    octets = description(5000)
    assert descriptions.offer_for(Leg(), octets) is octets
    assert descriptions.answer_for(Leg(), octets, description(6000)) == octets


def test_a_later_one_has_the_origin_of_the_one_before():
    last = description(4000, session=3, version=8)
    told = sdp.parse(descriptions.offer_for(Leg(last), description(5000, session=7, version=1)))
    assert (told.origin.session_id, told.origin.version, told.media[0].port) == (3, 9, 5000)


def test_what_has_not_changed_keeps_its_version():
    last = description(5000, session=3, version=8)
    assert descriptions.offer_for(Leg(last), description(5000, session=7)) == last


def test_media_keep_their_places():
    last = description(4000, media=3)
    offer = descriptions.offer_for(Leg(last), description(5000))
    assert ports(offer) == [5000, 0, 0]
    answer = descriptions.answer_for(Leg(last), description(5000, media=3), description(6000))
    assert ports(answer) == [5000]


def test_what_does_not_parse_passes_as_it_is():
    assert descriptions.offer_for(Leg(description(4000)), b"v=1") == b"v=1"
    assert descriptions.answer_for(Leg(description(4000)), b"v=1", description(1)) == b"v=1"
    assert descriptions.has_media(b"v=1")


def test_an_answer_that_refuses():
    assert ports(descriptions.refusing(Leg(), description(5000, media=2))) == [0, 0]
    assert descriptions.refusing(Leg(), b"v=1") == b"v=1"
    assert ports(descriptions.refusing(Leg(description(4000)), description(5000))) == [4000]


def test_whether_there_are_media():
    described = (None, description(0), description(5000), descriptions.no_media("[::1]"))
    assert [descriptions.has_media(each) for each in described] == [False, False, True, False]
    assert sdp.parse(descriptions.no_media("192.0.2.1")).media == ()
