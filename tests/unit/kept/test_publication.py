"""A publication whose next PUBLISH cannot be sent (sipbridge._kept.publication)."""

from __future__ import absolute_import, division, print_function

import threading

import pytest

from sipbridge._engine.records import Content, Parties
from sipbridge._engine.response import Response
from sipbridge._kept.publication import Publication
from sipbridge.errors import EngineError, InputError
from sipbridge.headers import Headers

BODY, OTHER = Content([], "text/plain", b"on"), Content([], "text/plain", b"off")


class _Timer(object):
    def __init__(self, function):
        self.function = function

    def cancel(self):
        self.function = None


class _Agent(object):
    """An agent and its engine, which fails when told to; ``answer`` is what is to be called with a response."""

    def __init__(self):
        self.engine = self
        self.lock = threading.RLock()
        self.publications = set()
        self.timers, self.posted, self.sent = [], [], []
        self.error = self.answer = None

    def publish(self, parties, event, etag, expires, content):
        if self.error is not None:
            raise self.error
        self.sent.append((etag, expires, content))
        return len(self.sent)

    def rerouted(self, parties):
        return parties

    def through(self, parties, send, timeout):
        return send(parties, timeout)

    def heard(self, route, response):
        return False

    def expect(self, transaction, on_response):
        self.answer = on_response

    def later(self, seconds, function):
        self.timers.append(_Timer(function))
        return self.timers[-1]

    def post(self, event):
        self.posted.append(event)

    def wait(self, predicate, timeout):
        return predicate()

    @property
    def alive(self):
        """The timers that will fire."""
        return [timer for timer in self.timers if timer.function is not None]

    def fire(self):
        """The time of the one timer has come."""
        (timer,) = self.alive
        function, timer.function = timer.function, None
        function()


def _response(status, *headers):
    return Response(status, "Reason", Headers(headers), b"")


@pytest.fixture
def endpoint():
    return _Agent()


@pytest.fixture
def publication(endpoint):
    """One that is active."""
    made = _begun(endpoint)
    endpoint.answer(_response(200, ("SIP-ETag", "one"), ("Expires", "3600")))
    assert (made.state, made.error, len(endpoint.alive)) == ("active", None, 1)
    return made


def _begun(endpoint):
    made = Publication(endpoint, "sip:a@b", Parties("sip:a@b", None, None), "presence", 3600, BODY)
    endpoint.publications.add(made)
    made._send(3600)
    return made


FORGOTTEN, TOO_BRIEF = _response(412), _response(423, ("Min-Expires", "7200"))


@pytest.mark.parametrize("refusal", [FORGOTTEN, TOO_BRIEF])
def test_a_publish_that_cannot_be_sent_is_tried_later(endpoint, publication, refusal):
    """The publication is tried again later, the user gets an event, and the waiting method raises the reason."""
    endpoint.fire()  # the refresh
    endpoint.error = EngineError("no memory")
    event = endpoint.answer(refusal)
    assert (event.publication, event.state, event.status) == (publication, "retrying", refusal.status)
    assert (publication.state, publication.error, publication.expires) == ("retrying", endpoint.error, 0)
    with pytest.raises(EngineError):
        publication._await(1.0)
    endpoint.fire()  # in vain, too
    assert publication.state == "retrying" and endpoint.posted == []
    endpoint.error = None
    endpoint.fire()
    assert endpoint.sent[-1][0] is None and endpoint.sent[-1][2] is BODY
    assert endpoint.answer(_response(200)).state == "active"
    assert publication.error is None and len(endpoint.alive) == 1


@pytest.mark.parametrize("refusal", [FORGOTTEN, TOO_BRIEF])
def test_a_first_publish_that_cannot_be_sent_has_failed(endpoint, refusal):
    publication = _begun(endpoint)
    publication.etag = "one" if refusal is FORGOTTEN else None
    endpoint.error = EngineError("no memory")
    assert endpoint.answer(refusal).state == publication.state == "failed"
    assert not endpoint.publications and not endpoint.alive
    with pytest.raises(EngineError):
        publication._await(1.0)


def test_a_refresh_that_cannot_be_sent_is_told(endpoint, publication):
    endpoint.error = EngineError("no memory")
    endpoint.fire()
    (event,) = endpoint.posted
    assert (event.state, event.status, event.reason) == ("retrying", 503, "no memory")
    assert (publication.state, publication.error, len(endpoint.alive)) == ("retrying", endpoint.error, 1)


def test_a_change_that_cannot_be_sent_changes_nothing(endpoint, publication):
    """The state before stays, and is refreshed in time."""
    endpoint.error = InputError("too long")
    for change in (lambda: publication.modify(b"off"), lambda: publication.refresh(60)):
        with pytest.raises(InputError):
            change()
    assert publication.state == "active" and len(endpoint.alive) == 1
    endpoint.error = None
    endpoint.fire()
    assert endpoint.sent[-1][:2] == ("one", 3600) and publication._content is BODY


def test_a_removal_that_cannot_be_sent_at_close(endpoint, publication):
    """At the end of the endpoint."""
    endpoint.error = EngineError("no memory")
    publication._leave()
    assert publication.state == "ended" and not endpoint.publications
