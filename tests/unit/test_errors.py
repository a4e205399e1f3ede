"""Exceptions and how responses become them (sipbridge.errors, sipbridge._engine.response)."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from sipbridge._engine.response import check_response

NO_HEADERS = sipbridge.Headers()


def response(status, headers=NO_HEADERS):
    return sipbridge.Response(status, "Reason", headers, b"")


def test_every_exception_has_one_root():
    kinds = [getattr(sipbridge, name) for name in sipbridge.__all__]
    errors = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Exception)]
    errors = [kind for kind in errors if not issubclass(kind, Warning)]
    assert len(errors) == 12
    assert all(issubclass(kind, sipbridge.SipbridgeError) for kind in errors)


def test_a_timeout_is_the_built_in_one_where_there_is_one():
    builtin = getattr(
        __import__("builtins" if str is not bytes else "__builtin__"), "TimeoutError", Exception
    )
    assert issubclass(sipbridge.TimeoutError, builtin)


@pytest.mark.parametrize("status", [200, 202, 299])
def test_a_2xx_is_returned(status):
    assert check_response(response(status), "x").status == status


@pytest.mark.parametrize(
    "status, kind",
    [
        (302, sipbridge.ResponseError),
        (401, sipbridge.AuthenticationError),
        (407, sipbridge.AuthenticationError),
        (486, sipbridge.ResponseError),
        (603, sipbridge.ResponseError),
    ],
)
def test_a_refusal_raises_status_and_reason(status, kind):
    with pytest.raises(kind) as caught:
        check_response(response(status), "x")
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.reason) == (status, "Reason")
    assert str(caught.value) == "%d Reason" % status


def test_408_is_a_timeout():
    with pytest.raises(sipbridge.TimeoutError) as caught:
        check_response(response(408), "INFO")
    assert "INFO" in str(caught.value)


def test_a_redirection_tells_where_to():
    headers = sipbridge.Headers("Contact: <sip:a@example.com>\nm: <sip:b@example.com>\n")
    with pytest.raises(sipbridge.ResponseError) as caught:
        check_response(response(302, headers), "x")
    assert caught.value.contacts == ["<sip:a@example.com>", "<sip:b@example.com>"]
