"""What the endpoint did in a recorded call, for a program that does the same today.

It is data that JSON can carry to another process, text in place of bytes.
"""

from __future__ import absolute_import, division, print_function

from sipbridge._access import digest
from sipbridge._replay.addresses import described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from sipbridge._replay.dialogue import Dialogue, Step
    from sipbridge._replay.message import Message

#: What an endpoint sends by itself.
_AUTOMATIC = (u"ACK", u"PRACK", u"NOTIFY")

#: The requests of the far side that an endpoint tells its program of.
_TOLD = (u"INVITE", u"ACK", u"INFO", u"MESSAGE", u"SUBSCRIBE", u"NOTIFY")


def part_of(dialogue):
    # type: (Dialogue) -> Dict[str, Any]
    """What the endpoint under test did.

    Returns a dict:
        calls: True when it began.
        identity: the URI in From of what it began, or "".
        user: the user whose digest it sent, or "".
        replies: for each request of the far side but ACK, CANCEL and BYE, in order: the method, and the responses.
        requests: what it asked itself: "method", "inside" (of a dialog), "heard" (how many requests of the far side,
            of those that a program hears of, came before it), "progress" and "final" (statuses that the far side sent),
            "event", "expires", and the content.
    """
    steps = [each for each in dialogue.steps if not each.repeats]
    ours = [each for each in steps if not each.ours]  # a step is "ours" to who plays the far side
    first = steps[0].message
    begins = dialogue.role == "callee"
    return {
        "calls": begins,
        "identity": _identity(first) if begins else u"",
        "user": next((user for user in map(_user, ours) if user), u""),
        "replies": [_reply(each, steps) for each in steps if each.ours and _is_answered(each.message)],
        "requests": _requests(steps),
    }


def _is_answered(message):
    # type: (Message) -> bool
    return not message.status and message.method not in (u"ACK", u"CANCEL", u"BYE")


def _identity(message):
    # type: (Message) -> str
    from_ = message.get(u"from")
    return from_.rpartition(u"<")[2].partition(u">")[0].partition(u";")[0].strip()


def _user(step):
    # type: (Step) -> str
    for key in (u"authorization", u"proxy-authorization"):
        given = digest.parse(step.message.get(key))
        if given:
            return given.get("username", u"")
    return u""


def _answers(steps, request, ours):
    # type: (List[Step], Message, bool) -> List[Message]
    """The responses to a request, which the one side or the other has sent."""
    found = (each.message for each in steps if each.ours == ours and each.message.status > 100)
    return [each for each in found if each.branch == request.branch and each.method == request.method]


def _reply(step, steps):
    # type: (Step, List[Step]) -> Dict[str, Any]
    answers = _answers(steps, step.message, False)
    cancelled = any(
        each.ours and each.message.start.startswith(u"CANCEL ") and each.message.branch == step.message.branch
        for each in steps
    )
    if cancelled:  # the endpoint answers that by itself
        answers = [each for each in answers if each.status < 200]
    return {"method": step.message.method, "responses": [dict(_content(each), status=each.status) for each in answers]}


def _requests(steps):
    # type: (List[Step]) -> List[Dict[str, Any]]
    found = []  # type: List[Dict[str, Any]]
    heard = 0
    challenged = None  # type: Optional[str]  # the method of the request that the endpoint sends again by itself
    for step in steps:
        message = step.message
        if step.ours:
            heard += not message.status and message.method in _TOLD
            challenged = message.method if message.status in (401, 407) else challenged
        elif message.status or message.method in _AUTOMATIC:
            continue
        elif challenged == message.method:
            challenged = None
        else:
            found.append(_request(message, steps, heard))
    return found


def _request(message, steps, heard):
    # type: (Message, List[Step], int) -> Dict[str, Any]
    statuses = [each.status for each in _answers(steps, message, True)]
    expires = message.get(u"expires") or message.get(u"contact").lower().rpartition(u"expires=")[2]
    return dict(
        _content(message),
        method=message.method,
        inside=bool(message.tag(u"to")),
        heard=heard,
        progress=[each for each in statuses if each < 200],
        final=next((each for each in statuses if each >= 200), 0),
        event=message.get(u"event").partition(u";")[0].strip(),
        expires=int(expires) if expires.isdigit() and len(expires) < 10 else None,
    )


def _content(message):
    # type: (Message) -> Dict[str, Any]
    """Body and type. A session description is of an address of this machine: no audio may go to the recorded one."""
    kind, body = message.get(u"content-type"), message.body
    if kind.lower().startswith(u"application/sdp"):
        body = described(body, u"127.0.0.1", None)
    return {"type": kind or None, "body": body}
