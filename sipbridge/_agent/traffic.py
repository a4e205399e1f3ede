"""Count the messages that an endpoint receives and sends, and tell observers of them.

What is received, the events of the engine tell. What is sent shows in the methods of the engine that are called for it:
once somebody wants to know, functions that tell stand in for them. So it costs nothing where nobody does.
"""

from __future__ import absolute_import, division, print_function

import threading
import time
from collections import OrderedDict

from sipbridge._agent.observers import Message
from sipbridge._agent.table import HEALTH
from sipbridge.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional, Tuple

    from sipbridge._agent.agent import Agent
    from sipbridge._call.call import Call
    from sipbridge._engine.records import RawEvent

    #: What a command to the engine sends: method, status (0: it is a request), call and Call-ID. None: nothing.
    Sent = Optional[Tuple[str, int, Optional[Call], str]]

#: The methods that are counted by themselves. A peer may send any other, which is OTHER.
METHODS = frozenset(
    "ACK BYE CANCEL INFO INVITE MESSAGE NOTIFY OPTIONS PRACK PUBLISH REFER REGISTER SUBSCRIBE UPDATE".split()
)
OTHER = "other"

#: Requests that wait for an answer, whose methods are kept in mind.
_MOST = 10000

#: The requests that events tell of, by the events' types; None: the event names the method.
_REQUESTS = {
    "call-incoming": "INVITE",
    "call-reinvite": "INVITE",
    "call-request": None,
    "call-confirmed": "ACK",
    "request": None,
    "notify": "NOTIFY",
    "subscribe": "SUBSCRIBE",
}

#: The responses that they tell of.
_RESPONSES = {
    "call-progress": "INVITE",
    "call-answered": "INVITE",
    "call-response": None,
    "response": None,
    "registration": "REGISTER",
    "subscription": "SUBSCRIBE",
}

#: The ends of calls that a message of the peer's brings: its method, where it is no response to our INVITE.
_ENDS = {"remote-bye": "BYE", "cancelled": "CANCEL", "rejected": "", "redirected": ""}


class Traffic(object):
    """Counts the messages of one endpoint, and notes them while an observer wants to know.

    Args:
        agent: of the endpoint.

    Attributes:
        counts: how many there were, by direction ("received", "sent"), method and first digit of the status, 0 for
            requests.
    """

    def __init__(self, agent):
        # type: (Agent) -> None
        self._agent = agent
        self._lock = threading.Lock()  # of the counts
        self.counts = {}  # type: Dict[Tuple[str, str, int], int]
        #: The requests that wait for our answer: method, call, Call-ID.
        self._asked = OrderedDict()  # type: OrderedDict[int, Tuple[str, Optional[Call], str]]
        for name, sent in _SENT.items():
            command = getattr(agent.engine, name, None)
            if command is not None:
                setattr(agent.engine, name, self._telling(command, sent))

    def received(self, raw):
        # type: (RawEvent) -> None
        """Note the message that an event of the engine tells of. Under the endpoint's lock, before it is followed."""
        call = self._agent.calls.get(raw.call)
        method, status = self._found(raw, call)
        if not method or method == HEALTH:
            return
        self._count("received", method, status)
        call_id, observers = "", self._agent.observers
        if observers.message:
            call_id = Headers(raw.headers).get("Call-ID", "") if call is None else call.call_id
            reason = raw.reason if status else ""
            observers.note("message", Message(False, method, status, reason, call, call_id, raw.time))
        if raw.transaction and not status:
            self._remember(raw.transaction, (method, call, call_id))

    def _count(self, direction, method, status):
        # type: (str, str, int) -> None
        key = direction, method if method in METHODS else OTHER, status // 100
        with self._lock:
            self.counts[key] = self.counts.get(key, 0) + 1

    def _found(self, raw, call):
        # type: (RawEvent, Optional[Call]) -> Tuple[str, int]
        """What came: its method, or that of the request that it answers, and its status. "": nothing came."""
        method, status = "", 0
        if raw.type in _REQUESTS:
            method = _REQUESTS[raw.type] or raw.method
        elif raw.type in _RESPONSES and raw.cause != "unreachable" and (raw.headers or raw.status != 408):
            method, status = _RESPONSES[raw.type] or raw.method, raw.status
        elif raw.type == "call-ended" and raw.cause in _ENDS:
            method = _ENDS[raw.cause]
            if method != "BYE" and call is not None and not call.incoming:
                method, status = "INVITE", raw.status
        return method, status

    def _remember(self, transaction, asked):
        # type: (int, Tuple[str, Optional[Call], str]) -> None
        self._asked[transaction] = asked
        if len(self._asked) > _MOST:
            self._asked.popitem(last=False)

    def _telling(self, command, sent):
        # type: (Callable[..., Any], Callable[..., Sent]) -> Callable[..., Any]
        """A function in place of a method of the engine."""

        def run(*arguments):
            # type: (*Any) -> Any
            told = sent(self, *arguments)
            if told is None:
                return command(*arguments)
            observers, message = self._agent.observers, None
            if observers.message:
                message = Message(True, told[0], told[1], "", told[2], told[3], time.time())
                observers.note("message", message)  # now, as the event may come first that this brings
            try:
                result = command(*arguments)
            except Exception:
                if message is not None:
                    observers.forget("message", message)
                raise
            self._count("sent", told[0], told[1])
            return result

        return run

    # -- what commands send --------------------------------------------------------------------------------

    def _within(self, number, method, status=0):
        # type: (int, str, int) -> Sent
        call = self._agent.calls.get(number)
        return method, status, call, "" if call is None else call.call_id

    def _response(self, number, status, *_):
        # type: (int, int, *Any) -> Sent
        return self._within(number, "INVITE", status)

    def _hangup(self, number, content):
        # type: (int, Any) -> Sent
        call = self._agent.calls.get(number)
        if call is None or call.state in ("ending", "ended"):
            return None
        if call.state == "incoming":
            return "INVITE", 603, call, call.call_id
        return "CANCEL" if call.state == "calling" else "BYE", 0, call, call.call_id

    def _answer(self, transaction, status, *_):
        # type: (int, int, *Any) -> Sent
        method, call, call_id = self._asked.pop(transaction, ("", None, ""))
        return (method, status, call, call_id) if method else None


def _plain(method):
    # type: (str) -> Callable[..., Sent]
    return lambda self, *_: (method, 0, None, "")


#: What each method of an engine sends.
_SENT = {
    "call": lambda self, parties, content, call_id=None, *_: ("INVITE", 0, None, call_id or ""),
    "ring": Traffic._response,
    "answer_call": lambda self, number, *_: self._within(number, "INVITE", 200),
    "reject": Traffic._response,
    "redirect": Traffic._response,
    "ack": lambda self, number, *_: self._within(number, "ACK"),
    "hangup": Traffic._hangup,
    "call_request": lambda self, number, method, *_: self._within(number, method),
    "reinvite": lambda self, number, *_: self._within(number, "INVITE"),
    "answer": Traffic._answer,
    "request": lambda self, method, *_: (method, 0, None, ""),
    "publish": _plain("PUBLISH"),
    "register": _plain("REGISTER"),
    "refresh": _plain("REGISTER"),
    "unregister": _plain("REGISTER"),
    "bindings": _plain("REGISTER"),
    "subscribe": _plain("SUBSCRIBE"),
    "subscribe_refresh": _plain("SUBSCRIBE"),
    "unsubscribe": _plain("SUBSCRIBE"),
    "subscription_accept": lambda self, number, status, *_: ("SUBSCRIBE", status, None, ""),
    "subscription_reject": lambda self, number, status, *_: ("SUBSCRIBE", status, None, ""),
    "notify": _plain("NOTIFY"),
}  # type: Dict[str, Any]
