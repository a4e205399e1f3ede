"""Looks at every line that sipbridge's loggers write in a run, whatever the test is about: no credentials, and no fact
that sipbridge.logs does not name. A pytest plugin.
"""

from __future__ import absolute_import, division, print_function

import logging
import re

import pytest

from sipbridge import logs
from sipbridge._engine.in_process import InProcess
from sipbridge._engine.memory import Memory
from sipbridge._engine.worker import Worker

#: The loggers that write below WARNING, and which no program has told to.
_QUIET = ("sipbridge.call", "sipbridge.registration", "sipbridge.engine", "sipbridge.shield")

#: What shows the answer to a challenge, or a key of SRTP.
_SECRET = re.compile(
    r"\bresponse\s*=\s*\"?[0-9a-f]{32}|(?:Proxy-)?Authorization['\"]?\s*[:,]|\bcnonce\s*=|inline:[A-Za-z0-9+/]{20}",
    re.IGNORECASE,
)

_STANDARD = frozenset(vars(logging.makeLogRecord({}))).union(["message", "asctime"])
_NAMES = frozenset(field.name for field in logs.FIELDS)

passwords = set()
found = []


def complaint(record):
    """What is wrong with a LogRecord, or None."""
    more = set(vars(record)).difference(_STANDARD)
    if not more <= _NAMES:
        return "it has facts that logs.FIELDS does not name: %s" % sorted(more - _NAMES)
    # Not the traceback: it quotes the test.
    texts = [record.getMessage(), "%s" % (record.exc_info and record.exc_info[1],)]
    texts += ["%s" % getattr(record, name) for name in more]
    for text in texts:
        if _SECRET.search(text):
            return "it has credentials: %r" % text
        for password in list(passwords):
            if password in text:
                return "it has the password %r: %r" % (password, text)
    return None


class _Watch(logging.Filter):
    """Of a logger: sees each line before any handler does, and lets those pass that would have been written anyway."""

    def __init__(self, logger):
        logging.Filter.__init__(self)
        self._logger = logger

    def filter(self, record):
        wrong = complaint(record)
        if wrong is not None:
            found.append("a line of %s: %s" % (record.name, wrong))
        return record.levelno >= self._logger.getEffectiveLevel()


def _remember(kind):
    """Have the passwords kept in mind that such an engine gets."""
    add = kind.add_credentials

    def add_credentials(self, realm, user, password):
        if len(password) >= 6:  # shorter ones are words that lines may have, as "wrong"
            passwords.add(password)
        return add(self, realm, user, password)

    kind.add_credentials = add_credentials


def pytest_configure(config):
    for kind in (InProcess, Memory, Worker):
        _remember(kind)
    top = logging.getLogger("sipbridge")
    top.addFilter(_Watch(top))
    for name in _QUIET:
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)
        logger.addFilter(_Watch(top))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown():
    wrong, found[:] = list(found), []
    assert not wrong, "\n".join(wrong)
