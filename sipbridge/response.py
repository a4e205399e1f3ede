"""What a peer answered to a request."""

from __future__ import absolute_import, division, print_function

from collections import namedtuple

from sipbridge.errors import AuthenticationError, ResponseError, TimeoutError


class Response(namedtuple("Response", "status reason headers body")):
    """A final response (RFC 3261, 7.2): status code, reason phrase, :class:`~sipbridge.Headers`, bytes."""

    __slots__ = ()

    @property
    def ok(self):
        """True for a 2xx."""
        return 200 <= self.status <= 299

    @property
    def content_type(self):
        """The Content-Type as it stands, or None."""
        return self.headers.get("Content-Type")


def check_response(response, what):
    """The response where it is a 2xx.

    Raises TimeoutError for a 408, which is also what no answer at all comes to (RFC 3261, 8.1.3.1),
    AuthenticationError for a 401 or 407, and ResponseError for any other.
    """
    if response.ok:
        return response
    if response.status == 408:
        raise TimeoutError("%s: 408 %s" % (what, response.reason))
    kind = AuthenticationError if response.status in (401, 407) else ResponseError
    raise kind(response.status, response.reason, response.headers, response.body)
