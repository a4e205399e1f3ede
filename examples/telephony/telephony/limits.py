"""Against toll fraud: what a token may dial, how often, and for how long."""

from __future__ import annotations

from telephony.problems import Problem
from telephony.sip.book import Book
from telephony.store.models import Token
from telephony.store.spool import HOUR, Spool


def permit(token: Token, book: Book, spool: Spool, destinations: list[str]) -> float:
    """The seconds that a call to these may last. Raises Problem, before anything is sent.

    A destination is permitted if it begins as one of the token's does: "+49", "sip:100@example.com"; "" permits all.
    """
    for destination in destinations:
        if not any(destination.startswith(each) for each in token.destinations):
            raise Problem(
                403, "Destination not allowed", "This token may call: %s" % (", ".join(token.destinations))
            )
    calls, seconds = spool.spent(token.name)
    live = [record for record in book.live.values() if record["token"] == token.name]
    seconds += sum(book.calls[record["id"]].duration for record in live)
    left = token.minutes_per_hour * 60 - seconds
    if calls + len(destinations) > token.calls_per_hour or left <= 0:
        which = "calls" if left > 0 else "minutes"
        detail = "This token has used up its %s of an hour." % which
        raise Problem(429, "Limit of %s reached" % which, detail, {"Retry-After": str(int(HOUR / 12))})
    return left
