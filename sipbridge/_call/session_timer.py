"""Session timers (RFC 4028): they end a call whose peer has vanished.

One side, the refresher, sends an UPDATE or re-INVITE when half of the agreed interval has passed. When no refresh comes
in the interval, either side hangs up. A call has a session timer when both sides support "timer", or when one side
refreshes on its own.
"""

from __future__ import absolute_import, division, print_function

import random

from sipbridge._compat import monotonic
from sipbridge._engine.content import make_content
from sipbridge._text.checks import check_seconds
from sipbridge._text.parameters import number, parse_parameters, tokens
from sipbridge.errors import InputError, SipbridgeError
from sipbridge.reason import Reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Optional, Tuple

    from sipbridge._call.call import Call
    from sipbridge._call.incoming import IncomingRequest
    from sipbridge._engine.agent import Alarm
    from sipbridge._engine.response import Response
    from sipbridge.headers import Headers
SDP = "application/sdp"

#: The least session interval, in seconds (RFC 4028, 5).
MINIMUM = 90

#: How many times a call answers a 422 with an INVITE that asks for a longer interval.
_MAX_RAISES = 3

#: Seconds before a refresh that crossed another request is tried again (RFC 3261, 14.1).
_GLARE = (2.1, 4.0)


def check_interval(seconds):
    # type: (Optional[int]) -> Optional[int]
    """A session interval in seconds, or None. Raises InputError."""
    if seconds is None:
        return None
    if check_seconds(seconds, "session_expires") < MINIMUM:
        raise InputError("session_expires must be %d s or more (RFC 4028), not %d" % (MINIMUM, seconds))
    return seconds


def _interval(headers):
    # type: (Headers) -> Tuple[Optional[int], Optional[str]]
    """The seconds in Session-Expires or None, and its refresher: "uac", "uas" or None."""
    value, parameters = parse_parameters(headers.get("Session-Expires", ""))
    return number(value), parameters.get("refresher", "").lower() or None


def _minimum(headers):
    # type: (Headers) -> int
    return max(MINIMUM, number(parse_parameters(headers.get("Min-SE", ""))[0]) or 0)


class SessionTimer(object):
    """The session timer of one call. Use it on the event thread, or under the endpoint's lock.

    Args:
        call: the Call.
        wanted: the session interval to ask for, in seconds.
    """

    def __init__(self, call, wanted):
        # type: (Call, int) -> None
        self._call = call
        self._wanted = wanted
        self._minimum = MINIMUM
        self._raises = 0
        self._alarm = None  # type: Optional[Alarm]
        self._deadline = 0.0  # the end of the session, on the monotonic clock
        self._update = False  # True when the peer supports UPDATE
        self.expires = None  # type: Optional[int]  # the agreed interval in seconds, or None
        self.refreshing = False  # True when we are the refresher

    # -- what messages say -----------------------------------------------------------------------------------

    def offer(self, refresher=None):
        # type: (Optional[str]) -> List[Tuple[str, str]]
        """The session timer's headers for an INVITE or a refresh."""
        value = "%d;refresher=%s" % (self._wanted, refresher) if refresher else "%d" % self._wanted
        fields = [("Supported", "timer"), ("Session-Expires", value)]
        return fields + ([("Min-SE", "%d" % self._minimum)] if self._minimum > MINIMUM else [])

    def raised(self, headers):
        # type: (Headers) -> bool
        """Take the interval that a 422 demands for the next :meth:`offer`. Returns False when no further try makes
        sense.
        """
        demanded = number(parse_parameters(headers.get("Min-SE", ""))[0])
        if demanded is None or demanded <= self._minimum or self._raises == _MAX_RAISES:
            return False
        self._raises += 1
        self._minimum = demanded
        self._wanted = max(self._wanted, demanded)
        return True

    def accept(self, headers):
        # type: (Headers) -> Optional[List[Tuple[str, str]]]
        """Agree to the interval and the refresher that the headers of a request ask for (RFC 4028, 9).

        Returns the headers for our 2xx, or None when the interval is too small, so that the answer has to be 422.
        """
        asked, refresher = _interval(headers)
        supported = "timer" in tokens(headers, "Supported")
        if asked is not None and asked < self._minimum and supported:
            return None
        self._update = "update" in tokens(headers, "Allow")
        least = _minimum(headers)
        granted = self._wanted if asked is None else min(asked, self._wanted)
        self.expires = max(granted, least, self._minimum)
        if not supported:
            refresher = "uas"
        elif refresher not in ("uac", "uas"):
            refresher = "uac"
        self.refreshing = refresher == "uas"
        fields = [("Session-Expires", "%d;refresher=%s" % (self.expires, refresher))]
        return fields + ([("Require", "timer")] if supported else [])

    def refusal(self):
        # type: () -> List[Tuple[str, str]]
        """The headers of a 422."""
        return [("Min-SE", "%d" % self._minimum)]

    def agreed(self, headers):
        # type: (Headers) -> None
        """Take interval and refresher from the 2xx to our INVITE or refresh (RFC 4028, 7.2)."""
        granted, refresher = _interval(headers)
        # RFC 4028, 5 forbids less than the minimum; with 0 we would refresh without a pause.
        self.expires = None if granted is None else max(granted, MINIMUM)
        self._update = "update" in tokens(headers, "Allow") or self._update
        self.refreshing = refresher != "uas"
        self.restart()

    def refreshed(self, headers, request):
        # type: (Headers, IncomingRequest) -> bool
        """Take a re-INVITE or UPDATE of the peer. Returns False when it was refused: its interval was too small."""
        if not ("Session-Expires" in headers or self.expires):
            return True
        fields = self.accept(headers)
        if fields is None:
            request.answer(422, None, None, None, self.refusal())
            return False
        request._more = fields
        self.restart()
        return True

    # -- time ------------------------------------------------------------------------------------------------

    def restart(self):
        # type: () -> None
        """Start the interval anew: the session begins, or was refreshed."""
        self.stop()
        if self.expires is None:
            return
        lifetime = self.expires - min(32.0, self.expires / 3.0)  # RFC 4028, 10
        self._deadline = monotonic() + lifetime
        if self.refreshing:
            self._set(self.expires / 2.0, self._refresh)
        else:
            self._set(lifetime, self._expire)

    def stop(self):
        # type: () -> None
        """Stop the timer."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _set(self, seconds, function):
        # type: (float, Callable[[], object]) -> None
        self.stop()
        self._alarm = self._call._agent.later(seconds, function)

    def _expire(self):
        # type: () -> None
        if self._call.ended is None:
            self._call.hangup(why=Reason("SIP", 408, "Session expired"))

    def _refresh(self):
        # type: () -> None
        call = self._call
        if call.state != "established":
            return
        self._set(max(0.0, self._deadline - monotonic()), self._expire)  # if the refresh fails
        fields = self.offer("uac")
        try:
            with call._agent.lock:
                if self._update or call.local_sdp is None:
                    content = make_content(fields, None, None)
                    call._send_within("UPDATE", content, self._refreshed)
                else:
                    content = make_content(fields, call.local_sdp, SDP)
                    call._send_within("INVITE", content, self._reinvited)
        except SipbridgeError:  # another re-INVITE has no answer yet
            self._try_again(_GLARE)

    def _reinvited(self, response):
        # type: (Response) -> None
        self._call._reinvited(response, True)
        self._refreshed(response)

    def _refreshed(self, response):
        # type: (Response) -> None
        """Take the response to our refresh."""
        if response.ok:
            self.agreed(response.headers)
        elif response.status == 422 and self.raised(response.headers):
            self._try_again((0.0, 0.0))
        elif response.status == 491:
            self._try_again(_GLARE)
        elif self._update and response.status in (405, 501):
            self._update = False
            self._try_again((0.0, 0.0))
        elif response.status in (408, 481):  # RFC 4028, 10
            self._set(0.0, self._expire)

    def _try_again(self, bounds):
        # type: (Tuple[float, float]) -> None
        seconds, left = random.uniform(*bounds), self._deadline - monotonic()
        if seconds < left:
            self._set(seconds, self._refresh)
