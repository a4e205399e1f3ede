"""Who may call: decides on each new call, request and subscription, before there is a Call or a handler hears of it."""

from __future__ import absolute_import, division, print_function

from sipbridge._access.authenticator import Authenticator, Claim
from sipbridge._access.bans import BanList
from sipbridge._access.limits import SourceLimits
from sipbridge._agent.lookups import WAITING, Lookups
from sipbridge._agent.pace import Pace
from sipbridge._agent.sources import leads_elsewhere
from sipbridge._compat import NamedTuple, monotonic
from sipbridge._engine.records import tell
from sipbridge._text.arguments import check_kind
from sipbridge._text.networks import Networks, parse_address
from sipbridge.errors import NotSupportedError
from sipbridge.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

    from sipbridge._agent.agent import Agent
    from sipbridge._engine.records import RawEvent

    #: Refuses what an event of the engine begins: by a rule, with a status, Retry-After or None, and header fields.
    Refuse = Callable[["RawEvent", str, int, Optional[int], List[Tuple[str, str]]], object]

#: The status for each rule, and the seconds of Retry-After. Those of a challenge are the authenticator's to know.
_STATUS = {
    "banned": (403, None),
    "misleading-via": (400, None),
    "not-allowed": (403, None),
    "source-rate": (503, 1),
    "source-calls": (503, 5),
    "malformed-credentials": (400, None),
    "lookup-failed": (500, None),
    "lookups": (503, 2),
}  # type: Dict[str, Tuple[int, Optional[int]]]

#: What is answered with a challenge whose nonce the peer may use without asking its user (RFC 7616, 3.3, "stale").
_STALE = ("stale-nonce", "replayed-nonce")

#: So many lookups that fail are told of one by one, with their exceptions; of more, one in so many seconds.
_TOLD = 5, 10.0

#: In place of a rule: it waits for a lookup.
_HELD = "held"

#: Seconds after which nobody waits for the answer to a request that is no INVITE (RFC 3261, 17.1.2.2).
_GIVEN_UP = 32.0

#: The method of what an event of the engine begins, where the event does not name it.
_METHODS = {"call-incoming": "INVITE", "subscribe": "SUBSCRIBE"}


class Rules(NamedTuple("Rules", [
    ("allow", "Optional[Networks]"), ("bans", "Optional[BanList]"), ("limits", "Optional[SourceLimits]"),
    ("authenticator", "Optional[Authenticator]"),
])):
    """Who may call; None: no such rule."""

    __slots__ = ()

    def check_engine(self, engine):
        # type: (Any) -> None
        """Raise NotSupportedError where the engine cannot know what the rules are about."""
        is_of_sources = any(each is not None for each in (self.allow, self.bans, self.limits))
        if is_of_sources and not engine.tells_sources():
            raise NotSupportedError(
                "allow, bans and limits need to know where messages come from: on libeXosip2 only the shield does."
                " Start the program with: python -m sipbridge.shield COMMAND..., or give engine=sipbridge.Worker()"
            )


def make_rules(allow, bans, limits, authenticator):
    # type: (Optional[Iterable[str]], Optional[BanList], Optional[SourceLimits], Optional[Authenticator]) -> Rules
    """The arguments of an endpoint as Rules. Raises InputError."""
    for value, kind, what in (
        (bans, BanList, "bans"), (limits, SourceLimits, "limits"), (authenticator, Authenticator, "authenticator")
    ):  # fmt: skip
        if value is not None:
            check_kind(value, kind, what)
    return Rules(None if allow is None else Networks(allow, "allow"), bans, limits, authenticator)


class _Held(object):
    """What waits for a lookup: an event of the engine, what it claims, and the address that it is from."""

    __slots__ = ("raw", "claim", "address", "since")

    def __init__(self, raw, claim, address):
        # type: (RawEvent, Claim, Optional[str]) -> None
        self.raw = raw
        self.claim = claim
        self.address = address
        self.since = monotonic()


def _key(raw):
    # type: (RawEvent) -> Tuple[int, int, int]
    """What an event is about: the numbers of a call, a subscription and a request."""
    return raw.call, raw.subscription, 0 if raw.call or raw.subscription else raw.transaction


def _site(address):
    # type: (Optional[str]) -> str
    """Whom a nonce is for: the source, or "" where nobody knows it."""
    found = None if address is None else parse_address(address)
    return "" if found is None else found.site.text


class Admission(object):
    """Applies the rules of an endpoint. On the event thread and under the lock, unless a method says otherwise.

    Args:
        agent: the endpoint's.
        rules: the Rules.
        refuse: a Refuse.

    Attributes:
        counts: how many were refused, by rule.
    """

    def __init__(self, agent, rules, refuse):
        # type: (Agent, Rules, Refuse) -> None
        self._agent = agent
        self._allow, self._bans, self._limits, self._authenticator = rules
        self._refuse = refuse
        self.counts = {}  # type: Dict[str, int]
        self._held = {}  # type: Dict[Tuple[int, int, int], _Held]
        self._up = {}  # type: Dict[int, Optional[str]]  # the address of each call that counts against a limit
        self._verdict = None  # type: Optional[Tuple[_Held, Optional[str]]]  # of the lookup for what is to be followed now
        self._user = None  # type: Optional[str]  # who has proven his name with what is followed
        self._lookups = None if self._authenticator is None else Lookups(self._authenticator.lookups)
        self._pace = Pace(*_TOLD)
        self._looking_up = 0  # lookups whose result has not been judged: those that wait, run, or are coroutines

    def stops(self, raw, is_new):
        # type: (RawEvent, bool) -> bool
        """Whether an event of the engine is not to be followed: it was refused, or waits for a lookup."""
        self._user = None
        if self._verdict is not None and self.has_held(raw):
            return self._stops_held(*self._verdict)
        if not is_new:
            self._look_for_end(raw)
            return False
        source = self._agent.told[1]
        address = None if source is None else source.address
        rule = self._rule_for(raw, raw.method or _METHODS.get(raw.type, ""), address)
        if rule is not None and rule != _HELD:
            self._stop(raw, rule, address)
        return rule is not None

    def has_held(self, raw):
        # type: (RawEvent) -> bool
        """Whether an event comes again, since it was held until now."""
        return self._verdict is not None and self._verdict[0].raw is raw

    def _stops_held(self, held, rule):
        # type: (_Held, Optional[str]) -> bool
        if rule is None:
            self._user = held.claim.credentials.user
            return False
        self._stop(held.raw, rule, held.address)
        return True

    def name(self, event):
        # type: (Any) -> None
        """Give an event, and its call, the name that its sender has proven, if any."""
        if self._user is not None:
            tell(event, event.time, event.source, self._user)
            call = getattr(event, "call", None)
            if call is not None:
                call.user = self._user

    def _rule_for(self, raw, method, address):
        # type: (RawEvent, str, Optional[str]) -> Optional[str]
        """The rule by which it is refused; _HELD; or None where it is to be followed."""
        if self._bans is not None and address is not None and self._bans.covers(address):
            return "banned"
        if leads_elsewhere(raw):
            return "misleading-via"
        if self._allow is not None and (address is None or not self._allow.has(address)):
            return "not-allowed"
        rule = None if self._limits is None else self._limits.refusal(raw.type == "call-incoming", address)
        if rule is not None:
            return rule
        if self._authenticator is not None and self._authenticator.wants(method, address):
            claim = self._authenticator.examine(method, Headers(raw.headers), _site(address))
            if not isinstance(claim, Claim):
                return claim
            if not self._hold(_Held(raw, claim, address)):
                return "lookups"
            rule = _HELD
        self._begin(raw, address)
        return rule

    def _begin(self, raw, address):
        # type: (RawEvent, Optional[str]) -> None
        """Count a call."""
        if raw.type == "call-incoming" and self._limits is not None:
            self._up[raw.call] = address
            self._limits.begin(address)

    def _end(self, number):
        # type: (int) -> None
        """A call is over that may have been counted."""
        if number in self._up and self._limits is not None:
            self._limits.end(self._up.pop(number))

    def _look_for_end(self, raw):
        # type: (RawEvent) -> None
        """What has ended counts no more, and needs no decision."""
        if raw.type == "engine-lost":
            for key in [key for key in self._held if key[2] and key[2] <= raw.transaction]:
                del self._held[key]
        elif raw.type in ("call-ended", "unsubscribed"):
            self._held.pop(_key(raw), None)
            self._end(raw.call)

    def _stop(self, raw, rule, address):
        # type: (RawEvent, str, Optional[str]) -> None
        """Refuse it, and count that."""
        self.counts[rule] = self.counts.get(rule, 0) + 1
        self._end(raw.call)
        if rule == "wrong-credentials" and self._bans is not None and address is not None:
            self._bans.failed(address)
        if self._authenticator is None or rule in _STATUS:
            status, retry_after = _STATUS[rule]
            self._refuse(raw, rule, status, retry_after, [])
        else:
            status, fields = self._authenticator.challenge(_site(address), rule in _STALE)
            self._refuse(raw, rule, status, None, fields)

    def close(self):
        # type: () -> None
        """The endpoint has closed: nothing of it counts any more. Without the lock."""
        with self._agent.lock:
            for number in list(self._up):
                self._end(number)

    # -- lookups -------------------------------------------------------------------------------------------

    def _hold(self, held):
        # type: (_Held) -> bool
        """Hold it until the lookup is done. False where too many lookups wait."""
        authenticator, lookups = self._authenticator, self._lookups
        if authenticator is None or lookups is None or self._looking_up >= (WAITING + 1) * authenticator.lookups:
            return False
        self._held[_key(held.raw)] = held
        self._looking_up += 1
        if lookups.put(lambda: self._look_up(held)):
            return True
        self._looking_up -= 1
        del self._held[_key(held.raw)]
        return False

    def _look_up(self, held):
        # type: (_Held) -> None
        """On a thread for lookups, without the lock."""
        found, authenticator = held.claim.credentials, self._authenticator
        if authenticator is None:
            return
        try:
            result = authenticator.lookup(found.user, found.realm)
        except:  # noqa: E722  (what Python 2 raises may be no BaseException; the peer waits for its answer)
            self._failed(held)
        else:
            complete = self._agent.dispatcher.complete
            self._agent.soon(lambda: complete(result, lambda get: self._looked_up(held, get)))

    def _failed(self, held):
        # type: (_Held) -> None
        """The lookup has raised something, which is being handled. From any thread, without the lock."""
        with self._agent.lock:
            is_told = self._pace.count("lookup-failed") > 0
        if is_told and self._authenticator is not None:
            self._agent.dispatcher.lookup_failed(self._authenticator.lookup)
        self._agent.soon(lambda: self._decide(held, "lookup-failed"))

    def _looked_up(self, held, get):
        # type: (_Held, Callable[[], Any]) -> None
        """On the event thread, without the lock: ``get()`` returns or raises what the lookup did."""
        if self._authenticator is None:
            return
        try:
            rule = self._authenticator.judge(held.claim, get())
        except BaseException:  # a coroutine that was cancelled, too
            self._failed(held)
        else:
            self._decide(held, rule)

    def _decide(self, held, rule):
        # type: (_Held, Optional[str]) -> None
        """On the event thread, without the lock: refuse what was held by that rule, or (None) follow it."""
        if self._is_over(held):
            return
        if rule is None and self._limits is not None:
            self._limits.give_back(held.raw.type == "call-incoming", held.address)
        self._verdict = held, rule
        try:
            self._agent.dispatcher._advance(held.raw)
        finally:
            self._verdict = None

    def _is_over(self, held):
        # type: (_Held) -> bool
        """Whether it has ended meanwhile, or nobody waits for an answer any more."""
        with self._agent.lock:
            self._looking_up -= 1
            if self._held.pop(_key(held.raw), None) is not held:
                return True
            return held.raw.type != "call-incoming" and monotonic() - held.since >= _GIVEN_UP
