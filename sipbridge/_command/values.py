"""The types of the options' arguments: each makes a value of text, or tells argparse what is wrong with it."""

from __future__ import absolute_import, division, print_function

import argparse
import importlib
import re

from sipbridge._later import later
from sipbridge._text.checks import check_token
from sipbridge._text.networks import check_network
from sipbridge.errors import InputError, NotSupportedError
from sipbridge.headers import check_headers
from sipbridge.hep import check_server
from sipbridge.record import require
from sipbridge.uri import check_address, parse_transport_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional, Tuple, TypeVar, Union

    from sipbridge import metrics

    _Number = TypeVar("_Number", int, float)
else:
    metrics = later("sipbridge.metrics")


def _number(text, kind, lowest, highest, what):
    # type: (str, Callable[[str], _Number], float, float, str) -> _Number
    value = None  # type: Optional[_Number]
    try:
        value = kind(text)
    except ValueError:
        pass
    if value is None or not lowest <= value <= highest:
        raise argparse.ArgumentTypeError("%s, not %r" % (what, str(text)))
    return value


def seconds(text):
    # type: (str) -> float
    return _number(text, float, 0, 1e6, "must be seconds")


def whole_seconds(text):
    # type: (str) -> int
    return _number(text, int, 1, 2**31 - 1, "must be whole seconds above 0")


def count(text):
    # type: (str) -> int
    return _number(text, int, 1, 10**9, "must be a number above 0")


def place(text):
    # type: (str) -> Tuple[str, int]
    """HOST and PORT, or PORT of 127.0.0.1."""
    host, _, port = text.rpartition(":")
    return host.strip("[]") or "127.0.0.1", _number(port, int, 0, 65535, "must be a port, or HOST:PORT")


def metrics_place(text):
    # type: (str) -> Tuple[str, int]
    try:
        metrics.require()
    except NotSupportedError as error:
        raise argparse.ArgumentTypeError(str(error))
    return place(text)


def port(text):
    # type: (str) -> int
    return _number(text, int, 1, 65535, "must be a port")


def speed(text):
    # type: (str) -> float
    """A factor, which makes no gap longer than a hundred times as long; or 0."""
    what = "must be 0 or a factor from 0.01"
    return _number(text, float, 0, 1e6, what) and _number(text, float, 0.01, 1e6, what)


def call(text):
    # type: (str) -> Union[int, str]
    """The number of a call in a capture, or its Call-ID."""
    return int(text) if re.match(r"[1-9][0-9]{0,8}\Z", text) else text


def header_name(text):
    # type: (str) -> str
    try:
        return check_token(text, "name")
    except InputError:
        raise argparse.ArgumentTypeError("must be the name of a header, as Contact, not %r" % str(text))


def capture_id(text):
    # type: (str) -> int
    return _number(text, int, 0, 2**32 - 1, "must be a number from 0 to 4294967295")


def redirects(text):
    # type: (str) -> int
    return _number(text, int, 0, 70, "must be a number from 0 to 70")


def uri(text):
    # type: (str) -> str
    try:
        return check_address(text, "address")
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error))


def transport_address(text):
    # type: (str) -> str
    try:
        parse_transport_address(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error))
    return text


def network(text):
    # type: (str) -> str
    try:
        check_network(text, "--allow")
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error))
    return text


def refusal(text):
    # type: (str) -> int
    return _number(text, int, 400, 699, "must be a status from 400 to 699")


def keys(text):
    # type: (str) -> str
    if not re.match(r"[0-9*#A-Da-d]+\Z", text):
        raise argparse.ArgumentTypeError("must be keys from 0-9, *, # and A-D, not %r" % str(text))
    return text


def header(text):
    # type: (str) -> Tuple[str, str]
    name, colon, value = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError("must be 'Name: value', not %r" % str(text))
    try:
        return check_headers([(name.strip(), value.strip())])[0]
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error))


def capture(text):
    # type: (str) -> str
    try:
        require()
    except NotSupportedError as error:
        raise argparse.ArgumentTypeError(str(error))
    return text


def capture_server(text):
    # type: (str) -> str
    try:
        check_server(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error))
    return text


def party(text):
    # type: (str) -> Tuple[str, str]
    address, equals, name = text.rpartition("=")
    if not equals or not address:
        raise argparse.ArgumentTypeError("must be HOST:PORT=NAME, not %r" % str(text))
    return address, name


def user(text):
    # type: (str) -> int
    return _id(text, "pwd", "getpwnam", "user")


def group(text):
    # type: (str) -> int
    return _id(text, "grp", "getgrnam", "group")


def _id(text, module, function, what):
    # type: (str, str, str, str) -> int
    """The number of a user or group, from the number or the name."""
    if text.isdigit():
        return _number(text, int, 0, 2**32 - 2, "must be a %s" % what)
    try:
        return int(getattr(importlib.import_module(module), function)(str(text))[2])
    except (ImportError, KeyError, UnicodeError):
        raise argparse.ArgumentTypeError("there is no %s %r" % (what, str(text)))
