"""A copy of the service for each file of tests, and a telephone."""

import pytest

from service.postgresql import PostgreSQL
from service.running import Running, Telephone


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A copy that runs, on SQLite; its `api` may do everything."""
    running = Running(tmp_path_factory.mktemp("service"))
    running.api.headers.update(running.token())
    running.start()
    yield running
    assert running.stop() == 0, running.log()[-3000:]


@pytest.fixture(scope="module")
def telephone():
    """Who is called."""
    telephone = Telephone()
    with telephone.endpoint:
        yield telephone


@pytest.fixture(scope="module")
def postgresql():
    """A server of the module's own."""
    server = PostgreSQL()
    server.start()
    yield server
    server.remove()
