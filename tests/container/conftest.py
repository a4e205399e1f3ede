"""Endpoints whose engine is in a container of the image that SIPBRIDGE_TEST_IMAGE names, and a daemon to ask."""

from __future__ import absolute_import, division, print_function

import os

import pytest

import sipbridge

if os.environ.get("SIPBRIDGE_TEST_IMAGE"):
    import docker
else:
    collect_ignore_glob = ["test_*.py"]

IMAGE = os.environ.get("SIPBRIDGE_TEST_IMAGE", "")


@pytest.fixture(scope="session")
def client():
    """The SDK's client."""
    client = docker.from_env()
    client.api.headers["Connection"] = "close"  # tests count descriptors
    yield client
    client.close()


@pytest.fixture
def make_phone(make_phone):
    """Makes a Phone whose engine is in a container on this machine's network, with options of Container.

    ``endpoint`` has options of the endpoint.
    """

    def make(address=None, identity="sip:alice@sipbridge.test", endpoint=None, **options):
        engine = sipbridge.Container(**dict({"image": IMAGE, "network": "host"}, **options))
        return make_phone(address=address, identity=identity, engine=engine, **(endpoint or {}))

    return make


@pytest.fixture
def phone(make_phone):
    """One that restarts at once, however often."""
    return make_phone(max_restarts=None, backoff=0.0)
