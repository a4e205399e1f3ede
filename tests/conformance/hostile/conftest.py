"""What the hostile peers disturb."""

from __future__ import absolute_import, division, print_function

import pytest

from conformance.dialog import Dialog


@pytest.fixture(params=["answered", "placed"])
def dialog(request, phone, by_hand):
    """A call that the phone answered, or placed."""
    return Dialog(phone, by_hand, request.param == "placed")
