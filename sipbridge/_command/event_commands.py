"""The commands ``sipbridge subscribe`` and ``sipbridge publish``; see :mod:`sipbridge._command.commands`."""

from __future__ import absolute_import, division, print_function

from sipbridge._command.commands import OK, local_for, opened, read_file
from sipbridge._command.console import Interrupted
from sipbridge._text.printable import printable
from sipbridge.events import NotifyReceived, PublicationChanged, SubscriptionChanged

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Callable, List

    from sipbridge._command.console import Console

_OVER = ("ended", "failed")


def _wait_until_over(state_of, console):
    # type: (Callable[[], str], Console) -> None
    while state_of() not in _OVER and not console.broken.is_set():
        console.broken.wait(1.0)


# -- subscribe -----------------------------------------------------------------------------------------------


def subscribe(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Subscribe, and print each NOTIFY, until the user interrupts or the notifier ends the subscription."""
    with opened(options, console, local_for(options, options.to), options.from_) as phone:
        phone.on(NotifyReceived, lambda event: _tell_notify(event, console))
        heard = []  # type: List[SubscriptionChanged]
        phone.on(SubscriptionChanged, lambda event: _tell_subscription(event, console, heard))
        expires = 0 if options.once else options.expires
        try:
            subscription = phone.subscribe(
                options.to, options.event, expires, options.accept, headers=options.header, timeout=options.timeout
            )
            _wait_until_over(lambda: subscription.state, console)
        except Interrupted:
            if options.once or not heard:
                raise
            return OK
        _check(subscription)
    return OK


def _tell_notify(event, console):
    # type: (NotifyReceived, Console) -> None
    told = event.subscription_state
    reason = "" if told.reason is None else ", %s" % told.reason
    size = ", %s of %d octets" % (event.content_type, len(event.body)) if event.body else ", no body"
    console.event("NOTIFY %s%s%s" % (told.state, reason, size))
    text = event.body.decode("utf-8", "replace")
    console.lines(printable(line) for line in text.splitlines())


def _tell_subscription(event, console, heard):
    # type: (SubscriptionChanged, Console, List[SubscriptionChanged]) -> None
    heard.append(event)
    uri = event.subscription.uri
    if event.state == "active":
        console.event("subscribed to %s of %s for %d s" % (event.subscription.event, uri, event.expires))
    elif event.state == "ended":
        console.event("the subscription has ended%s" % (": %s" % event.reason if event.reason else ""))
    else:
        console.event("the subscription is %s (%d %s)" % (event.state, event.status, event.reason))


# -- publish -------------------------------------------------------------------------------------------------


def publish(options, console):
    # type: (argparse.Namespace, Console) -> int
    """Publish a state, and keep it up until the user interrupts; then remove it."""
    body = read_file(options.file)
    with opened(options, console, local_for(options, options.to), options.from_) as phone:
        heard = []  # type: List[PublicationChanged]
        phone.on(PublicationChanged, lambda event: _tell_publication(event, console, heard))
        try:
            publication = phone.publish(
                options.to,
                options.event,
                body,
                options.content_type,
                options.expires,
                options.header,
                timeout=options.timeout,
            )
            if options.once:
                publication.remove(options.timeout)
                return OK
            _wait_until_over(lambda: publication.state, console)
        except Interrupted:
            if options.once or not heard:
                raise
            return OK
        _check(publication)
    return OK


def _tell_publication(event, console, heard):
    # type: (PublicationChanged, Console, List[PublicationChanged]) -> None
    heard.append(event)
    uri = event.publication.uri
    if event.state == "active":
        console.event("published %s of %s for %d s" % (event.publication.event, uri, event.expires))
    elif event.state == "ended":
        console.event("the publication was taken back")
    else:
        console.event("the publication is %s (%d %s)" % (event.state, event.status, event.reason))


def _check(kept):
    # type: (Any) -> None
    """Raise the error of a subscription or publication that has failed."""
    if kept.error is not None:
        raise kept.error
