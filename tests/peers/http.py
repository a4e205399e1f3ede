"""A client for the pages that the package serves over HTTP."""

from __future__ import absolute_import, division, print_function

import contextlib
from collections import namedtuple

try:
    from urllib.request import ProxyHandler, Request, build_opener
except ImportError:  # Python 2
    from urllib2 import ProxyHandler, Request, build_opener

Page = namedtuple("Page", "status headers body")


def fetch(url, method="GET", headers=(), timeout=20.0):
    """The Page at a URL, whatever its status; its body is text."""
    request = Request(url, headers=dict(headers))
    request.get_method = lambda: method
    try:
        answer = build_opener(ProxyHandler({})).open(request, timeout=timeout)
    except EnvironmentError as error:
        if not hasattr(error, "code"):  # it is no answer with such a status
            raise
        answer = error
    with contextlib.closing(answer):
        return Page(answer.getcode(), answer.headers, answer.read().decode("utf-8"))
