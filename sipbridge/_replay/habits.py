"""What always differs from engine to engine, and why. A comparison of engines counts it, and does not show it."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional, Tuple


class Habit(NamedTuple("Habit", [
    ("header", "str"), ("even", "Optional[Callable[[str], str]]"), ("where", "Tuple[str, ...]"), ("reason", "str"),
])):
    """Something that a library does by itself.

    Attributes:
        header: the name of the header field, in lower case and in full; "" for any.
        even: takes what always differs out of a value; None: nothing of it counts, not even whether it is there.
        where: the messages, as "ACK" or "200 to INFO", or the events; () for all.
        reason: why.
    """

    __slots__ = ()



def _without(pattern):
    # type: (str) -> Callable[[str], str]
    compiled = re.compile(pattern)
    return lambda value: compiled.sub(u"", value)


def _in_order(value):
    # type: (str) -> str
    """The parameters of a digest, sorted; none has a comma here."""
    scheme, _, parameters = value.partition(u" ")
    return u"%s %s" % (scheme, u", ".join(sorted(each.strip() for each in parameters.split(u","))))


_WITHOUT_BRACKETS = _without(u"[<>]")
_DIGEST = "the parameters of a digest stand in another order"

#: In the messages of the endpoint.
IN_MESSAGES = (
    Habit("user-agent", None, (), "names the library, where the program gives no user_agent="),
    Habit("server", None, (), "the same, in responses"),
    Habit("allow", None, (), "each library lists the methods that it has itself, or none"),
    Habit("supported", None, (), "each library names the extensions that it has itself"),
    Habit(
        "contact", None, ("ACK", "BYE", "INFO", "200 to INFO", "MESSAGE"),
        "libeXosip2 writes one also where it changes nothing (RFC 3261, 20.10)",
    ),
    Habit(
        "contact", _without(u"(?<=sip:)[^@<>;]*@|;line=[^;>]*"), ("REGISTER",),
        "libeXosip2 writes a user, and a parameter \"line\" by which it knows its registration again",
    ),
    Habit(
        "contact", _without(u"(?<=sip:)[^@<>;]*@"), (),
        "libeXosip2 writes the user that was called, or of the identity; Sofia-SIP none",
    ),
    Habit("authorization", _in_order, (), _DIGEST),
    Habit("proxy-authorization", _in_order, (), _DIGEST),
    Habit("max-forwards", None, ("ACK",), "libeXosip2's ACK for a refusal has none (RFC 3261, 8.1.1.6 asks for one)"),
    Habit(
        "event", None, ("200 to SUBSCRIBE", "202 to SUBSCRIBE"),
        "libeXosip2 repeats it there, and RFC 6665 asks for none",
    ),
)  # fmt: skip

#: In the headers of events: how a library hands on what it has parsed.
IN_EVENTS = (
    Habit("user-agent", None, ("CallEnded",), "of a call that was refused here: the headers are those of the refusal"),
    Habit("contact", _WITHOUT_BRACKETS, (), "libeXosip2 writes brackets around an address that came without them"),
    Habit("from", _WITHOUT_BRACKETS, (), "libeXosip2 writes brackets around an address that came without them"),
    Habit("to", _WITHOUT_BRACKETS, (), "libeXosip2 writes brackets around an address that came without them"),
    Habit("", None, (), "libeXosip2 makes a field of each value of a list: headers.get_all() has them all"),
)  # fmt: skip
