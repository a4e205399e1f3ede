"""Subscriptions of both roles and publications of an endpoint (RFC 6665, RFC 3903)."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge import events
from sipbridge._engine.content import make_content
from sipbridge._engine.records import Content
from sipbridge._kept.notifier import Notifier
from sipbridge._kept.publication import Publication
from sipbridge._kept.subscription import Subscription
from sipbridge._text.arguments import check_sequence, check_text, check_timeout
from sipbridge._text.checks import check_line, check_seconds
from sipbridge.errors import InputError
from sipbridge.headers import Headers
from sipbridge.uri import address_uri

#: What the engine writes from the arguments.
_OWN = frozenset(["event", "o", "expires", "subscription-state", "sip-if-match"])


_PACKAGE = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+[ \t]*(;.*)?\Z")


def _content(headers, body, content_type, accept=None):
    """A Content for a SUBSCRIBE or PUBLISH, or InputError."""
    content = make_content(headers, body, content_type)
    for name, _ in () if content is None else content.headers:
        if name.lower() in _OWN:
            raise InputError("the header %r is written from the arguments" % (name,))
    if accept is None:
        return content
    kinds = [accept] if hasattr(accept, "encode") else check_sequence(accept, "accept")
    kinds = ", ".join(check_text(each, "accept") for each in kinds)
    pair = ("Accept", check_line(kinds, "media type in accept"))
    if content is None:
        return Content([pair], None, None)
    return content._replace(headers=list(content.headers) + [pair])


def _check_event(event):
    """A package, a token with parameters (RFC 6665, 8.4), or InputError."""
    event = check_line(event, "event package")
    if not _PACKAGE.match(event):
        raise InputError("not an event package: %r" % (event,))
    return event


def _check_expires(expires):
    return expires if type(expires) is int and expires == 0 else check_seconds(expires, "expires")


class EventPackages(object):
    """What :class:`~sipbridge.Endpoint` has of it."""

    def _open_packages(self):
        self._subscriptions = {}
        self._notifiers = {}
        self._publications = set()

    def subscribe(
        self,
        to,
        event,
        expires=3600,
        accept=None,
        body=None,
        content_type=None,
        headers=(),
        from_=None,
        route=None,
        resubscribe=True,
        timeout=32.0,
    ):
        """Subscribe to the state of something (RFC 6665) and keep it up. Returns the Subscription once accepted.

        Args:
            to: the URI or name-addr whose state is asked for.
            event: the package, as ``"presence"``, ``"dialog"``, ``"message-summary"``, ``"reg"``; with parameters.
            expires: seconds to ask for, refreshed before they have passed; 0: the state as it is now and nothing
                more, and the Subscription has ended when it is returned.
            accept: media types that are understood, text or a list; None: the package's own.
            body, content_type: a filter, bytes.
            headers: more headers, a mapping or pairs.
            from_, route: as for :meth:`invite`.
            resubscribe: subscribe again, after a while that grows and is partly random, when the subscription is
                lost, or the notifier ended it with a reason that allows it (4.1.3).
            timeout: seconds to wait for the notifier.

        Each NOTIFY is a :class:`~sipbridge.NotifyReceived`. Raises ResponseError (489: it does not know the
        package), AuthenticationError, TimeoutError, PeerUnreachable, InputError and NotSupportedError.
        """
        check_timeout(timeout)
        parties = self._parties(to, from_, route)
        content = _content(headers, body, content_type, accept)
        uri = address_uri(parties.to)
        event = _check_event(event)
        subscription = Subscription(
            self, uri, parties, event, _check_expires(expires), content, bool(resubscribe) and expires > 0
        )
        with self._lock:
            subscription._start()
        try:
            subscription._await(0, timeout)
        except BaseException:  # nobody would have it to end it later
            with self._lock:
                self._quietly(subscription._end)
            raise
        subscription._kept = True
        return subscription

    def publish(
        self,
        to,
        event,
        body,
        content_type,
        expires=3600,
        headers=(),
        from_=None,
        route=None,
        timeout=32.0,
    ):
        """Publish state (RFC 3903) and keep it up. Returns the Publication once it was taken.

        Args:
            to: the URI whose state it is.
            event: the package, as ``"presence"``.
            body, content_type: the state, bytes, and what it is, as ``"application/pidf+xml"``.
            expires: seconds to ask for; refreshed before they have passed.
            headers, from_, route: as for :meth:`invite`.
            timeout: seconds to wait for the compositor.

        Raises ResponseError, AuthenticationError, TimeoutError, PeerUnreachable, InputError and NotSupportedError.
        """
        check_timeout(timeout)
        parties = self._parties(to, from_, route)
        content = _content(headers, body, content_type)
        if content is None or content.body is None:
            raise InputError("a publication needs a body")
        publication = Publication(
            self,
            address_uri(parties.to),
            parties,
            _check_event(event),
            check_seconds(expires, "expires"),
            content,
        )
        try:
            with self._lock:
                self._publications.add(publication)
                publication._send(expires)
            publication._await(timeout)
        except BaseException:
            with self._lock:
                self._publications.discard(publication)
            raise
        return publication

    def _call_later(self, seconds, function):
        return self._dispatcher.call_later(seconds, function)

    # -- the end ---------------------------------------------------------------------------------------------

    def _leave_packages(self):
        """Begin to end everything; nothing is waited for."""
        with self._lock:
            for subscription in list(self._subscriptions.values()):
                self._quietly(subscription._end)
            for publication in list(self._publications):
                self._quietly(publication._leave)
            notifiers = list(self._notifiers.values())
        for notifier in notifiers:
            self._quietly(notifier.terminate, "deactivated")

    def _packages_are_over(self):
        return not self._subscriptions and not self._publications and not self._notifiers

    def _lose_packages(self, error):
        for subscription in list(self._subscriptions.values()):
            subscription._lost(error)
        self._subscriptions.clear()
        for publication in list(self._publications):
            publication._lost(error)
        # The notifiers end each with an event of its own, as calls do.

    # -- following the engine, on the event thread and under the lock ------------------------------------------

    def _subscription(self, raw):
        subscription = self._subscriptions.get(raw.subscription)
        return None if subscription is None else subscription._changed(raw)

    def _notify(self, raw):
        subscription = self._subscriptions.get(raw.subscription)
        if subscription is None:
            return None
        subscription.last = events.NotifyReceived(subscription, Headers(raw.headers), raw.body)
        return None if self._dispatcher.congested else subscription.last

    def _subscribe(self, raw):
        notifier = self._notifiers.get(raw.subscription)
        headers = Headers(raw.headers)
        if raw.state is not None:  # refreshed
            if notifier is None:
                return None
            notifier._refreshed(headers, raw.expires)
            return events.SubscriptionRefreshed(notifier, raw.expires)
        if self._dispatcher.congested:
            self._quietly(self._engine.subscription_reject, raw.subscription, 503, None)
            return None
        notifier = Notifier(self, raw.subscription, raw.request_uri, headers, raw.body, raw.expires)
        self._notifiers[raw.subscription] = notifier
        return events.SubscriptionRequested(notifier, headers, raw.body)

    def _unsubscribed(self, raw):
        notifier = self._notifiers.get(raw.subscription)
        if notifier is None:
            return None
        notifier._ended()
        return events.SubscriptionTerminated(notifier, raw.status, raw.reason)
