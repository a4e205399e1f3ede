"""A binding at a registrar (RFC 3261, 10)."""

from __future__ import absolute_import, division, print_function

from sipbridge.content import check_seconds
from sipbridge.errors import CallStateError, TimeoutError
from sipbridge.response import check_response


class Registration(object):
    """One address-of-record bound to an endpoint; refreshed before it runs out, until :meth:`unregister`.

    Attributes:
        aor: the address-of-record, text.
        registrar: the registrar's URI, text.
        state: "pending" until the registrar has answered, then "active", "ended" or "failed".
        expires: seconds that the registrar granted last.
    """

    def __init__(self, endpoint, aor, registrar, expires):
        self._endpoint = endpoint
        self._engine = endpoint._engine
        self._id = None
        self._wanted = expires
        self._answers = 0  # how often the registrar has answered
        self._response = None
        self._error = None  # of the engine, in place of an answer
        self.aor = aor
        self.registrar = registrar
        self.state = "pending"
        self.expires = 0

    def __repr__(self):
        return "<Registration of %s at %s %s>" % (self.aor, self.registrar, self.state)

    def refresh(self, expires=None, timeout=32.0):
        """Register again now, for ``expires`` seconds (None: as asked for before).

        Waits at most ``timeout`` seconds for the registrar. Raises TimeoutError, ResponseError,
        AuthenticationError, CallStateError when the registration is over, and InputError.
        """
        wanted = self._wanted if expires is None else check_seconds(expires, "expires")
        self._wanted = wanted
        self._await_answer(lambda: self._engine.refresh(self._id, wanted), timeout)

    def unregister(self, timeout=32.0):
        """Remove the binding (RFC 3261, 10.2.2); waits at most ``timeout`` seconds for the registrar.

        For a registration that is over this does nothing. Raises TimeoutError, ResponseError and
        AuthenticationError.
        """
        if self.state in ("ended", "failed"):
            return
        try:
            self._await_answer(lambda: self._engine.unregister(self._id), timeout)
        except CallStateError:  # it ended meanwhile
            pass

    # -- for the endpoint ----------------------------------------------------------------------------------

    def _await_answer(self, send, timeout):
        with self._endpoint._lock:
            before = self._answers
            self._error = None
            send()
        self._await(before, timeout)

    def _await(self, before, timeout):
        """Wait for one answer more than there were."""
        if not self._endpoint._wait(lambda: self._answers > before or self._error, timeout):
            raise TimeoutError("no answer from the registrar %s in %s s" % (self.registrar, timeout))
        if self._error is not None:
            raise self._error
        if self.state == "failed":
            check_response(self._response, "registration of %s" % self.aor)

    def _lost(self, error):
        self._error = error

    def _changed(self, state, expires, response):
        self._answers += 1
        self._error = None
        self.state = state
        self.expires = expires if state == "active" else 0
        self._response = response
