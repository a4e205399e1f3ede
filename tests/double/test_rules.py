"""The double notices what a program does wrong. Without that its silence would mean nothing."""

from __future__ import absolute_import, division, print_function

import os
import re
import signal
import subprocess
import sys

import pytest

from peers import abilities

PROLOGUE = """
import ctypes, os, threading
library = ctypes.CDLL(os.path.join(os.environ["SIPBRIDGE_DOUBLE"], "lib", "libeXosip2.so"))
library.eXosip_event_wait.restype = ctypes.c_void_p
context = []  # of 5.3, whose functions take it first

class Functions(object):
    def __getattr__(self, name):
        function = getattr(library, name)
        return lambda *arguments: function(*(context + list(arguments) if takes_context(name) else arguments))

def takes_context(name):
    return name.startswith("eXosip_") and name != "eXosip_event_free"

functions = Functions()
if hasattr(library, "eXosip_malloc"):
    library.eXosip_malloc.restype = ctypes.c_void_p
    context.append(ctypes.c_void_p(library.eXosip_malloc()))

def build():
    message = ctypes.c_void_p()
    to, from_ = b"sip:bob@127.0.0.1:9", b"sip:alice@127.0.0.1"
    assert functions.eXosip_call_build_initial_invite(ctypes.byref(message), to, from_, None, None) == 0
    return message

def elsewhere(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()

"""

#: What a program does, and the complaint that it gets.
MISUSES = [
    ("eXosip_lock()", "eXosip_lock() before eXosip_init()"),
    ("eXosip_event_wait(0, 0)", "eXosip_event_wait() before eXosip_init()"),
    ("eXosip_quit()", "eXosip_quit() before eXosip_init()"),
    ("eXosip_init(); eXosip_quit(); eXosip_lock()", "eXosip_lock() before eXosip_init() or after eXosip_quit()"),
    ("eXosip_init(); eXosip_init()", "eXosip_init() twice"),
    ("eXosip_init(); eXosip_listen_addr(17, None, 0, 2, 0)", "eXosip_listen_addr(NULL)"),
    ("eXosip_init(); eXosip_clear_authentication_info()", "eXosip_clear_authentication_info() without eXosip_lock()"),
    ("eXosip_init(); eXosip_call_terminate(1, 1)", "eXosip_call_terminate() without eXosip_lock()"),
    ("eXosip_init(); eXosip_unlock()", "eXosip_unlock() without eXosip_lock()"),
    ("eXosip_init(); eXosip_lock(); eXosip_lock()", "eXosip_lock() twice in a thread"),
    ("eXosip_init(); eXosip_lock(); eXosip_event_wait(0, 0)", "eXosip_event_wait() while eXosip_lock() is held"),
    (
        "eXosip_init(); eXosip_lock(); elsewhere(eXosip_clear_authentication_info)",
        "eXosip_clear_authentication_info() without eXosip_lock()",
    ),
    (
        "eXosip_init(); eXosip_lock(); build(); eXosip_unlock(); eXosip_quit()",
        "a message from eXosip_call_build_initial_invite() was neither sent nor freed",
    ),
    (
        "eXosip_init(); eXosip_lock(); m = build(); osip_message_free(m); osip_message_free(m)",
        "osip_message_free() on a message that was sent, freed or never given",
    ),
    (
        "eXosip_init(); eXosip_lock(); m = build(); osip_message_free(m); eXosip_call_send_initial_invite(m)",
        "eXosip_call_send_initial_invite() with a message that was sent, freed or never given",
    ),
    (
        "eXosip_init(); eXosip_listen_addr(17, b'127.0.0.1', 0, 2, 0); eXosip_lock(); m = build();"
        " eXosip_call_send_initial_invite(m); osip_message_free(m)",
        "osip_message_free() on a message that was sent, freed or never given",
    ),
    ("eXosip_init(); eXosip_event_free(ctypes.c_void_p(16))", "an event that was freed or never given"),
]


def program(statements, **environment):
    """Run statements, in which functions of the library need no prefix. Returns the exit code and stderr."""
    code = PROLOGUE + re.sub(r"\b(eXosip_\w+|osip_\w+)\b(?=\(|\))", r"functions.\1", statements)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, env=dict(os.environ, **environment)
    )
    errors = process.communicate()[1].decode("utf-8", "replace")
    return process.returncode, errors


@pytest.mark.parametrize("statements, complaint", MISUSES)
def test_a_rule_that_is_broken_ends_the_process(statements, complaint):
    code, errors = program(statements)
    assert "exosip double: broken rule: " in errors and complaint in errors
    assert code == -signal.SIGABRT


@pytest.mark.skipif(not abilities.is_exosip("5.3"), reason="before 5.x there is no context")
@pytest.mark.parametrize("call", ["eXosip_init()", "eXosip_lock()", "eXosip_event_geteventsocket()"])
def test_a_wrong_context_ends_the_process(call):
    code, errors = program("context[:] = [ctypes.c_void_p(16)]; " + call)
    assert "%s with a context that eXosip_malloc() did not give" % call in errors
    assert code == -signal.SIGABRT


def test_correct_use_is_no_complaint():
    code, errors = program(
        "eXosip_init(); eXosip_listen_addr(17, b'127.0.0.1', 0, 2, 0); eXosip_lock(); osip_message_free(build());"
        " assert eXosip_call_send_initial_invite(build()) > 0; eXosip_unlock(); eXosip_event_wait(0, 0); eXosip_quit()"
    )
    assert (code, errors) == (0, "")


def test_rules_can_be_counted_instead():
    code, errors = program(
        "eXosip_init(); eXosip_call_terminate(1, 1); assert library.exosip_double_complaints() == 1",
        EXOSIP_DOUBLE_ABORT="0",
    )
    assert code == 0 and errors.count("broken rule") == 1


def test_a_call_can_be_made_to_fail():
    statements = "eXosip_init(); eXosip_lock(); codes = [eXosip_clear_authentication_info() for _ in range(3)]"
    code, errors = program(
        statements + "; assert [c < 0 for c in codes] == [False, True, False] and library.exosip_double_failed()",
        EXOSIP_DOUBLE_FAIL="eXosip_clear_authentication_info:2",
    )
    assert (code, errors) == (0, "")
