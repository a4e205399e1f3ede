"""Handlers that raise: what the peer is told, what the service is told, and what becomes of the endpoint."""

from __future__ import absolute_import, division, print_function

import logging
import os
import subprocess
import sys
import threading
import time

import pytest

import sipbridge
from conformance.dialog import SDP, Dialog
from conformance.sdp import ANSWER, OFFER
from peers.phone import engine_under_test
from sipbridge._agent.table import HEALTH

HEALTH_CHECK = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, os.pardir, "docker", "healthcheck.py"
)
LIMIT = 10.0  # seconds: only a test that fails waits that long


class Boom(Exception):
    pass


class NoException(BaseException):
    pass


def fail(event):
    raise Boom("inner detail")


@pytest.fixture
def faults():
    return []


@pytest.fixture
def failing(make_phone, faults):
    """A phone whose handlers all fail."""
    phone = make_phone(on_error=faults.append)
    for kind in (
        sipbridge.IncomingCall,
        sipbridge.CallReinvited,
        sipbridge.RequestReceived,
        sipbridge.MessageReceived,
        sipbridge.InfoReceived,
        sipbridge.TransferRequested,
        sipbridge.SubscriptionRequested,
    ):
        phone.reactions[kind] = fail
    return phone


def check_500(response):
    """That, and nothing of what was raised."""
    assert response.start_line in ("SIP/2.0 500 Server Internal Error", "SIP/2.0 500 Internal Server Error")
    assert response.body == b""
    assert not [field for field in response.fields if "secret" in repr(field) or "Boom" in repr(field)]


def check_told(faults, kind, call_id, caplog):
    (fault,) = faults
    assert type(fault.event) is kind and type(fault.error) is Boom and not fault.fatal
    assert fault.call_id == call_id
    assert fault.traceback.tb_frame is not None and fault.exc_info == (Boom, fault.error, fault.traceback)
    assert callable(fault.handler)
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.name == "sipbridge" and record.exc_info[1] is fault.error
    assert kind.__name__ in record.getMessage() and call_id in record.getMessage()


# -- what the peer is told (RFC 3261, 21.5.1) -----------------------------------------------------------------


@pytest.mark.parametrize(
    "method, kind", [("MESSAGE", sipbridge.MessageReceived), ("FROB", sipbridge.RequestReceived)]
)
def test_a_handler_that_raises_answers_500_outside_of_calls(failing, by_hand, faults, caplog, method, kind):
    request = by_hand.request(failing.endpoint.port, method, [("Content-Type", "text/plain")], b"x")
    check_500(by_hand.next("500"))
    check_told(faults, kind, request["Call-ID"], caplog)


def test_a_handler_that_raises_refuses_a_subscription(failing, by_hand, faults, caplog):
    fields = [("Event", "presence"), ("Expires", "60")]
    request = by_hand.request(failing.endpoint.port, "SUBSCRIBE", fields)
    check_500(by_hand.next("500"))
    check_told(faults, sipbridge.SubscriptionRequested, request["Call-ID"], caplog)


@pytest.mark.parametrize(
    "method, headers, kind",
    [
        ("INFO", [("Content-Type", "application/dtmf-relay")], sipbridge.InfoReceived),
        ("MESSAGE", [("Content-Type", "text/plain")], sipbridge.MessageReceived),
        ("FROB", [], sipbridge.RequestReceived),
        ("REFER", [("Refer-To", "<sip:carol@127.0.0.1>")], sipbridge.TransferRequested),
        ("INVITE", SDP, sipbridge.CallReinvited),
    ],
)
def test_a_handler_that_raises_answers_500_within_a_call(failing, by_hand, faults, caplog, method, headers, kind):
    """The call itself goes on, and the session is as it was (RFC 3261, 14.1)."""
    del failing.reactions[sipbridge.IncomingCall]
    dialog = Dialog(failing, by_hand, False)
    session = dialog.call.remote_sdp
    dialog.within(method, 2, headers, OFFER if method == "INVITE" else b"")
    check_500(by_hand.next("500"))
    if method == "INVITE":
        dialog.within("ACK", 2)
    check_told(faults, kind, dialog.invite["Call-ID"], caplog)
    assert (dialog.call.state, dialog.call.remote_sdp) == ("established", session)
    del failing.reactions[sipbridge.InfoReceived]
    dialog.is_alive()


def test_a_handler_that_raises_refuses_the_call(failing, by_hand, faults, caplog):
    invite = by_hand.request(failing.endpoint.port, "INVITE", SDP, OFFER)
    check_500(by_hand.next("500"))
    check_told(faults, sipbridge.IncomingCall, invite["Call-ID"], caplog)
    failing.wait("ended rejected 500")
    assert failing.endpoint.calls == ()


def test_a_call_that_was_answered_before_goes_on(phone, by_hand):
    def answer(event):
        event.call.answer(ANSWER)
        raise Boom

    phone.reactions[sipbridge.IncomingCall] = answer
    invite = by_hand.request(phone.endpoint.port, "INVITE", SDP, OFFER)
    by_hand.within(phone.endpoint.port, invite, by_hand.next("200")["To"], "ACK", 1)
    phone.wait("confirmed")
    assert phone.labels == ["incoming sdp", "confirmed"]


def test_an_answer_stands_that_a_handler_gave_before_it_raised(phone, by_hand):
    def answer(event):
        event.answer(202)
        raise Boom

    phone.reactions[sipbridge.MessageReceived] = answer
    by_hand.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
    assert by_hand.next("202", "500").name == "202"


def test_the_answer_of_another_handler_stands(phone, by_hand):
    phone.reactions[sipbridge.MessageReceived] = fail
    phone.endpoint.on(sipbridge.MessageReceived, lambda event: event.answer(202))
    by_hand.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
    assert by_hand.next("202", "500").name == "202"


def test_an_iterator_may_answer_after_a_handler_raised(phone, by_hand):
    """The iterator may still answer; if it has not, the endpoint answers 500."""
    phone.reactions[sipbridge.MessageReceived] = fail
    with phone.endpoint.events(LIMIT) as events:
        for answer in (lambda event: event.answer(202), lambda event: None):
            by_hand.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
            answer(next(events))
    assert [by_hand.next("202", "500").name for _ in range(2)] == ["202", "500"]


def test_an_error_hook_that_raises_is_logged_and_stops_nothing(make_phone, by_hand, caplog):
    phone = make_phone(on_error=lambda fault: 1 // 0)
    phone.reactions[sipbridge.MessageReceived] = fail
    for _ in range(2):
        by_hand.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
        by_hand.next("500")
    assert "ZeroDivisionError" in caplog.text


# -- sys.exit() and its like ----------------------------------------------------------------------------------


def leave(kind):
    def handler(event):
        raise kind("that is all")

    return handler


class Waiting(threading.Thread):
    """A thread that waits for something; what it raised."""

    def __init__(self, action, *arguments):
        super(Waiting, self).__init__()
        self._action, self._arguments = action, arguments
        self.error = None
        self.daemon = True
        self.start()

    def run(self):
        try:
            self._action(*self._arguments)
        except Exception as error:  # the test's to judge
            self.error = error

    def check(self, cause):
        self.join(LIMIT)
        assert type(self.error) is sipbridge.EngineError, self.error
        assert "that is all" in str(self.error)
        assert type(self.error.__cause__) is cause


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, NoException])
def test_a_base_exception_closes_the_endpoint_and_wakes_all(make_phone, by_hand, elsewhere, faults, caplog, kind):
    phone = make_phone(on_error=faults.append)
    dialog = Dialog(phone, by_hand, False)
    phone.reactions[sipbridge.MessageReceived] = leave(kind)
    iterating = phone.endpoint.events()
    waiting = [
        Waiting(dialog.call.wait_ended, None),
        Waiting(phone.endpoint.message, elsewhere.uri, u"x"),
        Waiting(phone.endpoint.call, elsewhere.uri, OFFER),
        Waiting(list, iterating),
        Waiting(phone.endpoint.wait_closed),
    ]
    elsewhere.next("MESSAGE"), elsewhere.next("INVITE")
    request = by_hand.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
    check_500(by_hand.next("500"))
    by_hand.reply(by_hand.next("BYE"), 200)
    for each in waiting:
        each.check(kind)
    assert "ended local-bye 200" in phone.labels
    (fault,) = faults
    assert fault.fatal and type(fault.error) is kind and fault.call_id == request["Call-ID"]
    (record,) = [each for each in caplog.records if each.levelno == logging.CRITICAL]
    assert request["Call-ID"] in record.getMessage() and record.exc_info[1] is fault.error
    with pytest.raises(sipbridge.EngineError):
        phone.endpoint.message(elsewhere.uri, u"x")
    by_hand.request(phone.endpoint.port, "OPTIONS")
    assert "OPTIONS" not in [message.method for message in iter(lambda: by_hand.take(0.3), None)]


def test_close_returns_after_a_base_exception(phone, by_hand):
    phone.reactions[sipbridge.MessageReceived] = leave(SystemExit)
    by_hand.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
    by_hand.next("500")
    with pytest.raises(sipbridge.EngineError):
        phone.endpoint.wait_closed(LIMIT)
    phone.endpoint.close()
    phone.endpoint.close()


def test_a_base_exception_ends_the_program_with_its_exit_code(by_hand):
    """The service of the docs ends with its own exit code."""
    code = (
        "import sys, sipbridge\n"
        "from peers.phone import engine_under_test\n"
        "with sipbridge.Endpoint(engine=engine_under_test()) as endpoint:\n"
        "    endpoint.on(sipbridge.MessageReceived, lambda event: sys.exit(3))\n"
        "    print(endpoint.port)\n"
        "    sys.stdout.flush()\n"
        "    endpoint.wait_closed()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_with_tests()
    )
    try:
        by_hand.request(int(process.stdout.readline()), "MESSAGE", [("Content-Type", "text/plain")], b"x")
        check_500(by_hand.next("500"))
    finally:
        killer = threading.Timer(LIMIT, process.kill)
        killer.start()
        said = process.communicate()[1].decode("utf-8")
        killer.cancel()
    assert process.returncode == 1
    assert "EngineError: the endpoint has failed" in said and "SystemExit" in said


def _with_tests():
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return dict(os.environ, PYTHONPATH=os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")]))


def test_wait_closed_returns_when_another_thread_closes():
    endpoint = sipbridge.Endpoint(engine=engine_under_test())
    assert endpoint.wait_closed(0.0) is False
    waiting = Waiting(endpoint.wait_closed)
    endpoint.close()
    waiting.join(LIMIT)
    assert waiting.error is None and not waiting.is_alive()
    assert endpoint.wait_closed() is True


# -- the health check -----------------------------------------------------------------------------------------


def health(port):
    """The exit code of the image's health check, and what it prints."""
    environment = dict(os.environ, SIPBRIDGE_HEALTH="127.0.0.1:%d" % port)
    process = subprocess.Popen([sys.executable, HEALTH_CHECK], stdout=subprocess.PIPE, env=environment)
    said = process.communicate()[0].decode("utf-8")
    return process.returncode, said.strip()


def test_the_health_check_passes_for_a_healthy_service(phone):
    where = "%s to 127.0.0.1:%d: " % (HEALTH, phone.endpoint.port)
    assert health(phone.endpoint.port) == (0, where + "SIP/2.0 200 OK")
    assert phone.labels == []


@pytest.mark.parametrize("handlers, requests, code, told", [(2, 3, 0, "200 OK"), (2, 4, 1, "503")])
def test_the_health_check_while_handlers_do_not_return(make_phone, by_hand, handlers, requests, code, told):
    """It fails when there is no room for a new call. The engine answers OPTIONS all the time."""
    released = threading.Event()
    phone = make_phone(handlers=handlers)
    phone.reactions[sipbridge.MessageReceived] = lambda event: released.wait(60.0)
    try:
        for _ in range(requests):
            by_hand.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
        _until(lambda: phone.endpoint.handler_statistics[1:4] == (handlers, handlers, requests - handlers))
        by_hand.request(phone.endpoint.port, "OPTIONS")
        assert by_hand.next("200").method == "OPTIONS"
        found, said = health(phone.endpoint.port)
    finally:
        released.set()
    assert found == code and told in said, said
    _until(lambda: phone.endpoint.handler_statistics.waiting == 0)
    assert health(phone.endpoint.port)[0] == 0


def _until(predicate):
    deadline = time.time() + LIMIT
    while not predicate():
        assert time.time() < deadline
        time.sleep(0.005)


def test_the_health_check_fails_when_nobody_takes_events(phone):
    """As when a library hangs."""
    with phone.endpoint._dispatcher.lock:
        code, said = health(phone.endpoint.port)
    assert code == 1 and said.endswith(": no answer"), said
    assert health(phone.endpoint.port)[0] == 0


def test_the_health_check_fails_after_sys_exit(phone, by_hand):
    phone.reactions[sipbridge.MessageReceived] = leave(SystemExit)
    by_hand.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
    by_hand.next("500")
    with pytest.raises(sipbridge.EngineError):
        phone.endpoint.wait_closed(LIMIT)
    assert health(phone.endpoint.port)[0] == 1


def test_the_health_check_fails_on_an_answer_of_the_engine_alone(by_hand):
    """The engine itself answers 503 when nobody takes its events."""

    def refuse():
        by_hand.reply(by_hand.next(HEALTH), 503)

    refusing = threading.Thread(target=refuse)
    refusing.start()
    code, said = health(by_hand.port)
    refusing.join()
    assert code == 1 and "SIP/2.0 503" in said
