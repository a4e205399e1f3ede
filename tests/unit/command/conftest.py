"""Peers of the command's tests."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge._command.demo_registrar import Registrar


@pytest.fixture
def registrar():
    with Registrar({"alice": "secret"}) as running:
        yield running
