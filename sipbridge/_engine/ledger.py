"""What lives in a worker's process: calls, which end with it, and registrations, which the next one makes again."""

from __future__ import absolute_import, division, print_function

import time

from sipbridge._engine.records import RawEvent
from sipbridge.errors import EngineLost, SipbridgeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Set, Tuple

_NOTHING = RawEvent("", "none", None, 0, 0, 0, 0, 0, 0, 0, 0.0, "", "", "", "", "", b"", None)


def unreported(kind, **fields):
    # type: (str, Any) -> RawEvent
    """A RawEvent that does not come from an engine."""
    return _NOTHING._replace(type=kind, time=time.time(), **fields)


class Ledger(object):
    """The calls, notifiers, registrations and credentials in a worker's process. Change it under the worker's lock.

    Attributes:
        credentials: a list of (realm, user, password), in the order in which they were given.
    """

    def __init__(self):
        # type: () -> None
        self.credentials = []  # type: List[Tuple[Optional[str], str, str]]
        self._calls = set()  # type: Set[int]
        self._notifiers = set()  # type: Set[int]
        #: By the endpoint's handle: the arguments of register(), and the handle in the present process.
        self._registrations = {}  # type: Dict[int, List[Any]]
        self._handles = {}  # type: Dict[int, int]

    def begun(self, method, arguments, handle):
        # type: (str, Sequence[Any], Any) -> None
        """Note the call or registration that a command has begun."""
        if method == "call":
            self._calls.add(handle)
        elif method == "register":
            self._registrations[handle] = [arguments, handle]
            self._handles[handle] = handle

    def followed(self, event):
        # type: (RawEvent) -> RawEvent
        """Note what an event begins or ends. Returns the event with the handles that the endpoint knows."""
        if event.type == "call-incoming":
            self._calls.add(event.call)
        elif event.type == "call-ended":
            self._calls.discard(event.call)
        elif event.type == "subscribe":
            self._notifiers.add(event.subscription)
        elif event.type == "unsubscribed":
            self._notifiers.discard(event.subscription)
        elif event.registration:
            return self._followed_registration(event)
        return event

    def _followed_registration(self, event):
        # type: (RawEvent) -> RawEvent
        handle = self._handles.get(event.registration, event.registration)
        if event.state != "active":
            self._registrations.pop(handle, None)
            self._handles.pop(event.registration, None)
        return event._replace(registration=handle)

    def refreshed(self, registration, expires):
        # type: (int, int) -> int
        """Note the new seconds of a registration. Returns its handle in the present process."""
        kept = self._registrations.get(registration)
        if kept is None:
            return registration
        kept[0] = kept[0][:3] + (expires,)
        return int(kept[1])

    def unregistered(self, registration, for_good):
        # type: (int, bool) -> int
        """The handle of a registration in the present process. ``for_good``: forget it, because there is no process."""
        kept = self._registrations.get(registration)
        if kept is None:
            return registration
        if for_good:
            del self._registrations[registration]
        return int(kept[1])

    def ends(self, reason):
        # type: (str) -> Iterator[RawEvent]
        """The events that end all calls and notifiers of a process that is lost."""
        calls, self._calls = sorted(self._calls), set()
        notifiers, self._notifiers = sorted(self._notifiers), set()
        for call in calls:
            yield unreported("call-ended", call=call, cause="engine-lost", status=503, reason=reason)
        for notifier in notifiers:
            yield unreported("unsubscribed", subscription=notifier, status=503, reason=reason)

    def restore(self, request):
        # type: (Callable[..., Any]) -> List[RawEvent]
        """Give the next process the credentials, and make the registrations again. The endpoint's handles stay.

        ``request`` runs a command in that process. Returns the events of the registrations that failed.
        """
        for each in self.credentials:
            request("add_credentials", *each)
        failed = []
        for handle, kept in list(self._registrations.items()):
            try:
                self._restore_one(request, handle, kept)
            except EngineLost:  # this process is lost, too: the next one makes them again
                raise
            except SipbridgeError as error:
                failed.append(
                    unreported(
                        "registration", registration=handle, state="failed", status=503, reason="%s" % error
                    )
                )
                self._registrations.pop(handle, None)
        return failed

    def _restore_one(self, request, handle, kept):
        # type: (Callable[..., Any], int, List[Any]) -> None
        self._handles.pop(kept[1], None)
        kept[1] = request("register", *kept[0])
        self._handles[kept[1]] = handle
        if handle not in self._registrations:  # the user has unregistered meanwhile
            request("unregister", kept[1])
