"""State that we publish at an event state compositor (RFC 3903)."""

from __future__ import absolute_import, division, print_function

from sipbridge._engine.content import make_content
from sipbridge._engine.response import Response, error_of
from sipbridge._kept import backoff
from sipbridge._kept.package import check_event, package_content
from sipbridge._text.arguments import check_timeout
from sipbridge._text.checks import check_seconds
from sipbridge._text.parameters import number
from sipbridge.errors import CallStateError, InputError, SipbridgeError, TimeoutError
from sipbridge.events import PublicationChanged
from sipbridge.headers import Headers
from sipbridge.uri import address_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, Optional

    from sipbridge._engine.agent import Alarm
    from sipbridge._engine.records import Content, Parties
    from sipbridge._kept.agent import Agent
    from sipbridge._text.arguments import Body
    from sipbridge.headers import HeaderFields

    #: The values of ``Publication.state``.
    State = Literal["pending", "active", "retrying", "ended", "failed"]

#: How many times in a row a 423 is answered with a PUBLISH that asks for more seconds.
_MAX_RAISES = 3


class Publication(object):
    """Published state. It is refreshed before it expires, and published again when it was lost, until :meth:`remove`.

    Attributes:
        uri: the URI of the resource whose state it is, text.
        event: the event package.
        etag: the compositor's tag for it (SIP-ETag; RFC 3903, 11.3.1), or None.
        state: "pending", then "active"; "retrying" while the compositor refuses it or does not answer; "ended" once it
            is removed; or "failed".
        expires: the seconds that the compositor granted last.
    """

    def __init__(self, agent, uri, parties, event, expires, content):
        # type: (Agent, str, Parties, str, int, Content) -> None
        self._agent = agent
        self._engine = agent.engine
        self._parties = parties
        self._content = content
        self._wanted = expires
        self._busy = False  # a PUBLISH has no response yet
        self._response = None  # type: Optional[Response]
        self._error = None  # type: Optional[SipbridgeError]
        self._tries = 0
        self._raises = 0  # how many times in a row we asked for more seconds after a 423
        self._timer = None  # type: Optional[Alarm]
        self.uri = uri
        self.event = event
        self.etag = None  # type: Optional[str]
        self.state = "pending"  # type: State
        self.expires = 0  # type: int

    def __repr__(self):
        # type: () -> str
        return "<Publication of %s for %s %s>" % (self.event, self.uri, self.state)

    @property
    def error(self):
        # type: () -> Optional[SipbridgeError]
        """The error because of which it is "failed" or "retrying"; else None."""
        return self._failure() if self.state in ("failed", "retrying") else None

    def _failure(self):
        # type: () -> Optional[SipbridgeError]
        """The error of the last PUBLISH, or None."""
        if self._error is not None or self._response is None:
            return self._error
        return error_of(self._response, "publication of %s" % self.uri)

    def refresh(self, expires=None, timeout=32.0):
        # type: (Optional[int], Optional[float]) -> None
        """Publish the same state again now, for ``expires`` seconds (None: as before; RFC 3903, 4.3).

        It waits at most ``timeout`` seconds (None: no limit) for the compositor. Raises TimeoutError, ResponseError,
        AuthenticationError, CallStateError when the publication is over, and InputError.
        """
        if expires is not None:
            check_seconds(expires, "expires")
        self._perform(expires or self._wanted, None, timeout)

    def modify(self, body, content_type=None, headers=(), timeout=32.0):
        # type: (Body, Optional[str], HeaderFields, Optional[float]) -> None
        """Publish another state in its place (RFC 3903, 4.4).

        ``body`` is bytes; ``content_type`` None stands for that of before. Raises what :meth:`refresh` raises.
        """
        if content_type is None:
            content_type = self._content.content_type
        self._perform(self._wanted, make_content(headers, body, content_type), timeout)

    def remove(self, timeout=32.0):
        # type: (Optional[float]) -> None
        """Remove the state from the compositor (RFC 3903, 4.5). If it is over, this does nothing.

        Raises what :meth:`refresh` raises.
        """
        check_timeout(timeout)
        if self.state in ("ended", "failed"):
            return
        self._perform(0, None, timeout)

    def _perform(self, expires, content, timeout):
        # type: (int, Optional[Content], Optional[float]) -> None
        """Wait until no PUBLISH is on its way, send one, and wait for its response."""
        check_timeout(timeout)
        self._agent.wait(lambda: not self._busy, timeout)
        with self._agent.lock:
            if self._busy or self.state in ("ended", "failed"):
                raise CallStateError(
                    "the publication is %s" % ("being changed" if self._busy else self.state)
                )
            before = self._content, self._wanted
            if content is not None:
                self._content = content
            if expires:
                self._wanted = expires
            try:
                self._send(expires, content is not None)
            except SipbridgeError:  # what was published before stays, and is refreshed
                self._content, self._wanted = before
                raise
        self._await(timeout)

    # -- for the endpoint, under the lock -----------------------------------------------------------------------

    def _await(self, timeout):
        # type: (Optional[float]) -> None
        if not self._agent.wait(lambda: not self._busy or self._error, timeout):
            raise TimeoutError("no answer from the compositor of %s in %s s" % (self.uri, timeout))
        failure = self._failure()
        if failure is not None:
            raise failure

    def _send(self, expires, with_body=True):
        # type: (int, bool) -> None
        """Send a PUBLISH: the first one, a refresh, a change, or with 0 seconds the removal.

        When this raises an error, nothing was sent, and nothing has changed.
        """
        content = self._content if (with_body or self.etag is None) and expires else None
        self._parties = self._agent.rerouted(self._parties)
        transaction = self._engine.publish(self._parties, self.event, self.etag, expires, content)
        if self._timer is not None:
            self._timer.cancel()
        self._error = None
        self._busy = True
        self._agent.expect(transaction, lambda response: self._answered(expires, response))

    def _answered(self, expires, response):
        # type: (int, Response) -> Optional[PublicationChanged]
        """Take the response. Returns the event for the user, or None when another PUBLISH was sent."""
        self._busy = False
        self._response = response
        self._agent.heard(self._parties.route, response)
        if response.ok:
            return self._accepted(expires, response)
        if response.status == 412 and expires and self.etag is not None:  # RFC 3903, 4.1: it does not know our tag
            self.etag = None
            return self._resend(expires, response)
        least = number(response.headers.get("Min-Expires", "")) or 0
        if response.status == 423 and expires and least > self._wanted and self._raises < _MAX_RAISES:
            self._raises += 1
            self._wanted = least
            return self._resend(least, response)
        return self._refused(expires, response)

    def _resend(self, expires, response):
        # type: (int, Response) -> Optional[PublicationChanged]
        """Send the same state again after a refusal that allows that. If that fails, the refusal counts."""
        try:
            self._send(expires)
        except SipbridgeError as error:
            self._error = error
            return self._refused(expires, response)
        return None

    def _accepted(self, expires, response):
        # type: (int, Response) -> PublicationChanged
        self._tries = 0
        granted = number(response.headers.get("Expires", ""))
        if not expires or granted == 0:  # the compositor keeps no state
            return self._over("ended", response)
        self._raises = 0
        self.etag = response.headers.get("SIP-ETag") or self.etag
        self.expires = expires if granted is None else granted
        self.state = "active"
        self._timer = self._agent.later(
            self.expires * (0.5 if self.expires < 60 else 0.9), self._send_again
        )
        return PublicationChanged(self, self.state, response.status, response.reason, self.expires)

    def _refused(self, expires, response):
        # type: (int, Response) -> PublicationChanged
        """Take a refusal: try a publication again that was active; a new one and a removal have failed."""
        self.expires = 0
        if not expires:  # 412: the compositor has forgotten the state already
            return self._over("ended" if response.status == 412 else "failed", response)
        if self.state == "pending":
            return self._over("failed", response)
        self._retry()
        return PublicationChanged(self, self.state, response.status, response.reason, 0)

    def _over(self, state, response):
        # type: (State, Response) -> PublicationChanged
        self.state, self.expires = state, 0
        self._agent.publications.discard(self)
        return PublicationChanged(self, state, response.status, response.reason, 0)

    def _retry(self):
        # type: () -> None
        self.state, self.etag = "retrying", None
        self._timer = self._agent.later(backoff.delay(self._tries), self._send_again)
        self._tries += 1

    def _send_again(self):
        # type: () -> None
        with self._agent.lock:
            if self._busy or self.state not in ("active", "retrying"):
                return
            try:
                self._send(self._wanted, with_body=False)
            except SipbridgeError as error:  # the engine is lost; another may take its place
                was_up, self._error = self.state == "active", error
                self._retry()
                if was_up:
                    self.expires = 0
                    self._agent.post(PublicationChanged(self, self.state, 503, str(error), 0))

    def _leave(self):
        # type: () -> None
        """Remove the state without waiting, because the endpoint closes."""
        if self._timer is not None:
            self._timer.cancel()
        if self.state == "active" and not self._busy:
            try:
                self._send(0)
                return
            except SipbridgeError:  # nobody needs to know any more
                pass
        self._over("ended", Response(0, "", Headers(), b""))

    def _lost(self, error):
        # type: (SipbridgeError) -> None
        """The engine is lost: the PUBLISH without a response fails. Published state stays until it expires."""
        if self._response is not None and self._response.status == 503:
            self._error = error


def publish(agent, parties, event, body, content_type, expires, headers, timeout):
    # type: (Agent, Parties, str, Body, str, int, HeaderFields, Optional[float]) -> Publication
    """Publish, and wait for the response. ``parties`` are checked already. Returns the Publication."""
    check_timeout(timeout)
    content = package_content(headers, body, content_type)
    if content is None or content.body is None:
        raise InputError("a publication needs a body")
    event, expires = check_event(event), check_seconds(expires, "expires")

    def begin(parties, left):
        # type: (Parties, Optional[float]) -> Publication
        publication = Publication(agent, address_uri(parties.to), parties, event, expires, content)
        try:
            with agent.lock:
                agent.publications.add(publication)
                publication._send(expires)
            publication._await(left)
        except BaseException:
            with agent.lock:
                agent.publications.discard(publication)
            raise
        return publication

    return agent.through(parties, begin, timeout)
