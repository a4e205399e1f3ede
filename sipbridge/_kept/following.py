"""Change registrations, subscriptions and publications as the events of their engine tell. Each function gets the agent
and an event of the engine, under the lock, and returns the event for the user, or None.
"""

from __future__ import absolute_import, division, print_function

from sipbridge import events
from sipbridge._engine.response import response_of
from sipbridge._kept.notifier import Notifier
from sipbridge.errors import quietly
from sipbridge.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    from sipbridge._engine.records import RawEvent
    from sipbridge._kept.agent import Agent
    from sipbridge.errors import SipbridgeError


def _registration(agent, raw):
    # type: (Agent, RawEvent) -> Optional[Any]
    registration = agent.registrations[raw.registration]
    if raw.state != "active":
        del agent.registrations[raw.registration]
    before = registration.state
    registration._changed(raw.state, raw.expires, response_of(raw))
    changed = events.RegistrationChanged(
        registration, registration.state, raw.status, raw.reason, registration.expires
    )
    registration._note(changed, before)
    return changed


def _subscription(agent, raw):
    # type: (Agent, RawEvent) -> Optional[Any]
    subscription = agent.subscriptions.get(raw.subscription)
    return None if subscription is None else subscription._changed(raw)


def _notify(agent, raw):
    # type: (Agent, RawEvent) -> Optional[Any]
    subscription = agent.subscriptions.get(raw.subscription)
    if subscription is None:
        return None
    subscription.last = events.NotifyReceived(subscription, Headers(raw.headers), raw.body)
    return None if agent.congested(subscription) else subscription.last


def _subscribe(agent, raw):
    # type: (Agent, RawEvent) -> Optional[Any]
    notifier = agent.notifiers.get(raw.subscription)
    headers = Headers(raw.headers)
    if raw.state is not None:  # a refresh
        if notifier is None:
            return None
        notifier._refreshed(headers, raw.expires)
        return events.SubscriptionRefreshed(notifier, raw.expires)
    notifier = Notifier(agent, raw.subscription, raw.request_uri, headers, raw.body, raw.expires)
    agent.notifiers[raw.subscription] = notifier
    return events.SubscriptionRequested(notifier, headers, raw.body)


def _unsubscribed(agent, raw):
    # type: (Agent, RawEvent) -> Optional[Any]
    notifier = agent.notifiers.get(raw.subscription)
    if notifier is None:
        return None
    notifier._ended()
    return events.SubscriptionTerminated(notifier, raw.status, raw.reason)


FOLLOW = {
    "registration": _registration,
    "subscription": _subscription,
    "notify": _notify,
    "subscribe": _subscribe,
    "unsubscribed": _unsubscribed,
}


# -- the end ---------------------------------------------------------------------------------------------------


def withdraw(agent):
    # type: (Agent) -> None
    """Begin to take the registrations back. It waits for nothing."""
    for registration in list(agent.registrations.values()):
        quietly(registration._withdraw)


def leave(agent):
    # type: (Agent) -> None
    """Begin to end all of them. It waits for nothing."""
    withdraw(agent)
    with agent.lock:
        for subscription in list(agent.subscriptions.values()):
            quietly(subscription._end)
        for publication in list(agent.publications):
            quietly(publication._leave)
        notifiers = list(agent.notifiers.values())
    for notifier in notifiers:
        quietly(notifier.terminate, "deactivated")


def lose(agent, error):
    # type: (Agent, SipbridgeError) -> None
    """Let registrations, subscriptions and publications know that the engine is lost. The engine ends notifiers and
    calls each with an event of its own.
    """
    for registration in agent.registrations.values():
        registration._lost(error)
    for subscription in list(agent.subscriptions.values()):
        subscription._lost(error)
    agent.subscriptions.clear()
    for publication in list(agent.publications):
        publication._lost(error)
