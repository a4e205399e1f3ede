"""A call that takes the place of another (Replaces, RFC 3891)."""

from __future__ import absolute_import, division, print_function

import re
from collections import namedtuple

from sipbridge.errors import CallStateError
from sipbridge.parameters import parse_parameters, tag


class Replaces(namedtuple("Replaces", "call_id to_tag from_tag early_only")):
    """A Replaces header: which dialog, as the one who gets it has it (``to_tag`` is its own), and whether only an
    early one is meant.
    """

    __slots__ = ()

    def __str__(self):
        text = "%s;to-tag=%s;from-tag=%s" % self[:3]
        return text + ";early-only" if self.early_only else text


def supporting(fields):
    """Headers of an INVITE, or of the 2xx to one, that say that we understand Replaces too (RFC 3891, 6.2)."""
    given = [value for name, value in fields if name.lower() in ("supported", "k")]
    if any("replaces" in value.lower() for value in given):
        return fields
    others = [(name, value) for name, value in fields if name.lower() not in ("supported", "k")]
    return others + [("Supported", ", ".join(["replaces"] + given))]


def parse_replaces(text):
    """The header's value as a :class:`Replaces`, or None when it is malformed (RFC 3891, 6.1)."""
    call_id, parameters = parse_parameters(text)
    to_tag, from_tag = parameters.get("to-tag"), parameters.get("from-tag")
    if not to_tag or not from_tag or not re.match(r"[^\s<>\"]+\Z", call_id):
        return None
    return Replaces(call_id, to_tag, from_tag, "early-only" in parameters)


def tags(call):
    """The two tags of a call's dialog, ours and the peer's; None each where it is not known (yet)."""
    if call.incoming:  # our own stands only in what follows the INVITE
        own = None if call._ack is None else tag(call._ack.get("To", ""))
        return own, tag(call.headers.get("From", ""))
    return tag(call.headers.get("From", "")), tag(call.headers.get("To", ""))


def in_place_of(call):
    """The Replaces that makes the peer of a call give up its dialog with us.

    Raises CallStateError when the call has no dialog that both sides know.
    """
    ours, theirs = tags(call)
    if call.ended is not None or not ours or not theirs:
        raise CallStateError("%r cannot be replaced: it is over, or the peer has not answered yet" % (call,))
    return Replaces(call.call_id, theirs, ours, False)


def find(calls, headers):
    """The call that an INVITE is to replace, and the status to refuse the INVITE with (RFC 3891, 3).

    (None, 0) where there is no Replaces. Exactly one of the two is set otherwise.
    """
    values = headers.get_all("Replaces")
    if not values:
        return None, 0
    wanted = parse_replaces(values[0]) if len(values) == 1 else None
    if wanted is None:
        return None, 400
    found = [
        call
        for call in calls
        if call.call_id == wanted.call_id and tags(call) == (wanted.to_tag, wanted.from_tag)
    ]
    return _judged(found[0], wanted) if len(found) == 1 else (None, 481)


def _judged(call, wanted):
    if call.state in ("ending", "ended"):
        return None, 603
    early = call.state in ("incoming", "calling")
    if early and call.incoming:  # only who placed it can tell that it is to be replaced
        return None, 481
    if wanted.early_only and not early:
        return None, 486
    return call, 0
