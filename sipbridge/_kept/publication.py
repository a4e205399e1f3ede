"""State of ours that an event state compositor keeps (RFC 3903)."""

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

    #: What ``state`` may be.
    State = Literal["pending", "active", "retrying", "ended", "failed"]

#: How often in a row a 423 is followed by a PUBLISH for longer.
_MAX_RAISES = 3


class Publication(object):
    """Published state; refreshed before it runs out, and published again when it was lost, until :meth:`remove`.

    Attributes:
        uri: whose state it is, text.
        event: the event package.
        etag: the compositor's name for it (SIP-ETag), or None.
        state: "pending", "active", "retrying" while the compositor refuses or says nothing, "ended" once removed,
            "failed".
        expires: seconds that the compositor granted last.
    """

    def __init__(self, agent, uri, parties, event, expires, content):
        # type: (Agent, str, Parties, str, int, Content) -> None
        self._agent = agent
        self._engine = agent.engine
        self._parties = parties
        self._content = content
        self._wanted = expires
        self._busy = False  # a PUBLISH is on its way
        self._response = None  # type: Optional[Response]
        self._error = None  # type: Optional[SipbridgeError]
        self._tries = 0
        self._raises = 0  # how often more seconds were asked for than before, in a row
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
        """Why it is "failed" or "retrying": what a method that waits for the compositor raises; else None."""
        return self._failure() if self.state in ("failed", "retrying") else None

    def _failure(self):
        # type: () -> Optional[SipbridgeError]
        """What the last answer, or its lack, comes to; or None."""
        if self._error is not None or self._response is None:
            return self._error
        return error_of(self._response, "publication of %s" % self.uri)

    def refresh(self, expires=None, timeout=32.0):
        # type: (Optional[int], Optional[float]) -> None
        """Publish the same again now, for ``expires`` seconds (None: as asked for before).

        Waits at most ``timeout`` seconds for the compositor. Raises TimeoutError, ResponseError,
        AuthenticationError, CallStateError when it was removed, and InputError.
        """
        if expires is not None:
            check_seconds(expires, "expires")
        self._perform(expires or self._wanted, None, timeout)

    def modify(self, body, content_type=None, headers=(), timeout=32.0):
        # type: (Body, Optional[str], HeaderFields, Optional[float]) -> None
        """Publish another state in its place (RFC 3903, 4.4). ``body`` is bytes; ``content_type`` None: as before.

        As :meth:`refresh`.
        """
        if content_type is None:
            content_type = self._content.content_type
        self._perform(self._wanted, make_content(headers, body, content_type), timeout)

    def remove(self, timeout=32.0):
        # type: (Optional[float]) -> None
        """Take it back (RFC 3903, 4.5). For one that is over this does nothing. As :meth:`refresh`."""
        check_timeout(timeout)
        if self.state in ("ended", "failed"):
            return
        self._perform(0, None, timeout)

    def _perform(self, expires, content, timeout):
        # type: (int, Optional[Content], Optional[float]) -> None
        """Send, once nothing else is on its way, and wait for the answer."""
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
            except SipbridgeError:  # what is published stands, and is refreshed as before
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
        """A PUBLISH: the first one, a refresh, a change, or with 0 seconds the last one.

        Where this raises nothing was sent, and nothing has changed.
        """
        content = self._content if (with_body or self.etag is None) and expires else None
        transaction = self._engine.publish(self._parties, self.event, self.etag, expires, content)
        if self._timer is not None:
            self._timer.cancel()
        self._error = None
        self._busy = True
        self._agent.expect(transaction, lambda response: self._answered(expires, response))

    def _answered(self, expires, response):
        # type: (int, Response) -> Optional[PublicationChanged]
        """The event for the user, or None when it goes on."""
        self._busy = False
        self._response = response
        if response.ok:
            return self._accepted(expires, response)
        if response.status == 412 and expires and self.etag is not None:  # RFC 3903, 4.1: it forgot ours
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
        """The same again, as the compositor's refusal has it; where that cannot be sent it stands."""
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
        if not expires or granted == 0:  # it keeps none
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
        """One that was there is tried again; a new one, or the removal, is not."""
        self.expires = 0
        if not expires:  # 412: the compositor has forgotten it, as was wished
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
            except SipbridgeError as error:  # the engine is lost, and may come back
                was_up, self._error = self.state == "active", error
                self._retry()
                if was_up:
                    self.expires = 0
                    self._agent.post(PublicationChanged(self, self.state, 503, str(error), 0))

    def _leave(self):
        # type: () -> None
        """The endpoint is being closed: take it back without waiting."""
        if self._timer is not None:
            self._timer.cancel()
        if self.state == "active" and not self._busy:
            try:
                self._send(0)
                return
            except SipbridgeError:  # nobody is to be told any more
                pass
        self._over("ended", Response(0, "", Headers(), b""))

    def _lost(self, error):
        # type: (SipbridgeError) -> None
        """The engine is gone; what was under way has failed. What was published stands for a while."""
        if self._response is not None and self._response.status == 503:
            self._error = error


def publish(agent, parties, event, body, content_type, expires, headers, timeout):
    # type: (Agent, Parties, str, Body, str, int, HeaderFields, Optional[float]) -> Publication
    """Publish and wait for the answer. Returns the Publication; ``parties`` are checked."""
    check_timeout(timeout)
    content = package_content(headers, body, content_type)
    if content is None or content.body is None:
        raise InputError("a publication needs a body")
    event, expires = check_event(event), check_seconds(expires, "expires")
    publication = Publication(agent, address_uri(parties.to), parties, event, expires, content)
    try:
        with agent.lock:
            agent.publications.add(publication)
            publication._send(expires)
        publication._await(timeout)
    except BaseException:
        with agent.lock:
            agent.publications.discard(publication)
        raise
    return publication
