"""Two peers by hand, which the phone connects."""

from __future__ import absolute_import, division, print_function

import pytest

from conformance.call.legs import Leg


@pytest.fixture
def first(phone, by_hand):
    return Leg(by_hand, phone.endpoint.port)


@pytest.fixture
def second(phone, elsewhere):
    return Leg(elsewhere, phone.endpoint.port)
