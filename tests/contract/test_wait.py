"""sb_wait() and sb_fd(), and many threads at once."""

from __future__ import absolute_import, division, print_function

import select
import threading
import time

import pytest

from peers.waiting import wait_until


def readable(descriptor, seconds=0.0):
    return bool(select.select([descriptor], [], [], seconds)[0])


class Waiting(threading.Thread):
    """A thread in sb_wait(); ``code`` is what it returned with."""

    def __init__(self, raw, engine):
        super(Waiting, self).__init__()
        self.daemon = True
        self.code = None
        self._raw, self._engine = raw, engine
        self.start()

    def run(self):
        self.code = self._raw.wait(self._engine, -1)


def message(peer, port, text=b"hello"):
    peer.request(port, "MESSAGE", [("Content-Type", "text/plain")], text)


def test_a_wait_of_zero_returns_at_once(raw, engine):
    before = time.time()
    assert [raw.wait(engine, 0) for _ in range(100)] == [0] * 100
    assert time.time() - before < 5  # a hundred times nothing


def test_a_wait_without_an_event_takes_its_time(raw, engine):
    before = time.time()
    assert raw.wait(engine, 150) == 0
    assert time.time() - before >= 0.14


def test_the_event_is_null_when_there_is_none(raw, engine):
    place = raw.ffi.new("sb_event **", raw.ffi.cast("sb_event *", 1))
    assert raw.lib.sb_wait(engine, 0, place) == 0
    assert place[0] == raw.ffi.NULL


def test_no_pointer_in_an_event_is_null(raw, engine, port, peer):
    message(peer, port)
    place = raw.ffi.new("sb_event **")
    assert raw.lib.sb_wait(engine, 10000, place) == 1
    event = place[0]
    for name in ("method", "reason", "request_uri", "headers", "peer", "body"):
        assert getattr(event, name) != raw.ffi.NULL
    assert event.body[event.body_len] == b"\x00"
    assert abs(event.time_us / 1e6 - time.time()) < 60
    raw.lib.sb_event_free(event)


def test_events_outlive_their_engine(raw, peer):
    engine = raw.open()
    message(peer, raw.lib.sb_port(engine), b"kept")
    place = raw.ffi.new("sb_event **")
    assert raw.lib.sb_wait(engine, 10000, place) == 1
    raw.lib.sb_close(engine, 0)
    assert raw.ffi.string(place[0].body) == b"kept"
    raw.lib.sb_event_free(place[0])


def test_the_descriptor_is_readable_while_events_wait(raw, engine, port, peer):
    descriptor = raw.lib.sb_fd(engine)
    assert descriptor >= 0 and raw.lib.sb_fd(engine) == descriptor
    assert not readable(descriptor)
    for text in (b"one", b"two"):
        message(peer, port, text)
    assert readable(descriptor, 10)
    assert raw.wait(engine).body == b"one"
    assert readable(descriptor, 10)
    assert raw.wait(engine).body == b"two"
    assert not readable(descriptor)
    message(peer, port)
    assert readable(descriptor, 10)


def test_the_descriptor_tells_of_events_that_came_before_it_was_asked_for(raw, engine, port, peer):
    message(peer, port, b"one")
    message(peer, port, b"two")
    assert raw.wait(engine).body == b"one"
    deadline = time.time() + 10
    while not readable(raw.lib.sb_fd(engine), 0.05) and time.time() < deadline:
        pass
    assert readable(raw.lib.sb_fd(engine))
    assert raw.wait(engine).body == b"two"
    assert not readable(raw.lib.sb_fd(engine))


def test_frames_are_waited_for(raw, engine, port, peer):
    frames, length = raw.ffi.new("char **"), raw.ffi.new("size_t *")
    before = time.time()
    assert raw.lib.sb_take_frames(engine, 150, 2, frames, length) == 0
    assert time.time() - before >= 0.14
    message(peer, port)
    assert raw.lib.sb_take_frames(engine, 10000, 2, frames, length) == 1
    assert raw.ffi.unpack(frames[0], length[0]).endswith(b"hello")
    raw.lib.sb_frames_free(frames[0])


def test_closing_ends_a_wait(raw):
    engine = raw.open()
    waiting = [Waiting(raw, engine) for _ in range(4)]
    waiting[0].join(0.1)
    assert [each.code for each in waiting] == [None] * 4
    assert raw.lib.sb_close(engine, 0) == 0
    for each in waiting:
        each.join(10)
    assert [each.code for each in waiting] == [raw.lib.SB_ECLOSED] * 4


def test_a_thread_that_waits_is_woken(raw, engine, port, peer):
    waiting = Waiting(raw, engine)
    waiting.join(0.1)
    assert waiting.code is None and raw.lib.sb_wake(engine) == 0
    waiting.join(10)
    assert waiting.code.type == raw.lib.SB_EV_WAKE
    descriptor = raw.lib.sb_fd(engine)
    message(peer, port)
    assert readable(descriptor, 10) and raw.lib.sb_wake(engine) == 0
    assert [raw.wait(engine).type, raw.wait(engine).type] == [raw.lib.SB_EV_REQUEST, raw.lib.SB_EV_WAKE]
    assert not readable(descriptor)
    raw.lib.sb_close(engine, 0)
    assert raw.lib.sb_wake(engine) == raw.lib.SB_ECLOSED


def test_waiting_after_the_close(raw):
    engine = raw.open()
    raw.lib.sb_close(engine, 0)
    assert raw.wait(engine, 0) == raw.wait(engine, -1) == raw.lib.SB_ECLOSED


def test_each_event_goes_to_one_of_those_who_wait(raw, engine, port, peer):
    waiting = [Waiting(raw, engine) for _ in range(3)]
    for each in (b"one", b"two", b"three"):
        message(peer, port, each)
    for each in waiting:
        each.join(10)
    assert sorted(each.code.body for each in waiting) == [b"one", b"three", b"two"]


def test_sixteen_threads_while_one_waits(raw, engine, port, peer):
    """Each places requests and calls and gets errors, all at once; every transaction has its one end."""
    lib, null, each_sends = raw.lib, raw.ffi.NULL, 5
    begun, problems = [], []

    def work():
        try:
            for _ in range(each_sends):
                begun.append(raw.request(engine, "MESSAGE", peer.uri))
                begun.append(raw.call(engine, peer.uri))
                assert lib.sb_call_hangup(engine, 10 ** 9, null) == lib.SB_ENOENT
                assert lib.sb_port(engine) == port
                assert lib.sb_credentials(engine, null, raw.text("user"), raw.text("secret")) == 0
        except BaseException as error:
            problems.append(error)

    answering = threading.Thread(target=_refuse_everything, args=(peer, 2 * 16 * each_sends))
    threads = [threading.Thread(target=work) for _ in range(16)] + [answering]
    for thread in threads:
        thread.daemon = True
        thread.start()
    ended = set()
    deadline = time.time() + 60
    while len(ended) < 2 * 16 * each_sends and time.time() < deadline:
        event = raw.wait(engine, 1000)
        if event != 0 and event.type in (lib.SB_EV_CALL_ENDED, lib.SB_EV_RESPONSE):
            assert event.status == 486
            ended.add(event.call or event.transaction)
    for thread in threads:
        thread.join(10)
    assert not problems and not any(thread.is_alive() for thread in threads)
    assert ended == set(begun) and len(begun) == 2 * 16 * each_sends


def _refuse_everything(peer, count):
    for _ in range(count):
        peer.reply(peer.next("INVITE", "MESSAGE"), 486)


@pytest.mark.parametrize("round_", range(5))
def test_closing_while_threads_call(raw, peer, round_):
    """Whoever comes too late is told so, and nobody crashes."""
    engine, lib = raw.open(), raw.lib
    codes, started = [], threading.Event()

    def work():
        while True:
            started.set()
            code = raw.request(engine, "MESSAGE", peer.uri)
            if code < 0:
                codes.append(code)
                return

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.daemon = True
        thread.start()
    started.wait(10)
    assert lib.sb_close(engine, 0) == 0
    for thread in threads:
        thread.join(20)
    assert codes == [lib.SB_ECLOSED] * 4


def test_options_are_the_users_where_it_wants_them(raw, peer):
    lib, null = raw.lib, raw.ffi.NULL
    engine = raw.open(tell_options=1)
    port = lib.sb_port(engine)
    for status in (200, 403):
        peer.request(port, "OPTIONS")
        event = raw.wait(engine)
        assert (event.type, event.method) == (lib.SB_EV_REQUEST, b"OPTIONS")
        assert lib.sb_answer(engine, event.transaction, status, null, null) == 0
        assert ("Allow" in peer.next(str(status))) == (status == 200)
    peer.request(port, "INVITE")
    call = raw.wait(engine).call
    assert lib.sb_call_answer(engine, call, null) == 0
    assert lib.sb_close(engine, 0) == 0


def test_a_sign_of_life_is_an_event(raw, engine):
    first = raw.lib.sb_ping(engine)
    assert first > 0
    event = raw.wait(engine)
    assert (event.type, event.transaction) == (raw.lib.SB_EV_PONG, first)
    numbers = [raw.lib.sb_ping(engine) for _ in range(100)]
    assert numbers == sorted(set(numbers)) and numbers[0] > first
    while event.transaction < numbers[-1]:  # the last stands for those before
        before, event = event, raw.wait(engine)
        assert event.type == raw.lib.SB_EV_PONG and event.transaction > before.transaction
    assert raw.wait(engine, 100) == 0


def test_the_events_that_wait_are_counted(raw, engine, port, peer):
    assert raw.lib.sb_backlog(engine) == 0
    for number in (1, 2):
        message(peer, port)
        wait_until(lambda number=number: raw.lib.sb_backlog(engine) == number)
    raw.wait(engine)
    assert raw.lib.sb_backlog(engine) == 1
