"""The functions of csrc/contract/engine.h with Python's strings for C's, and codes where they return codes."""

from __future__ import absolute_import, division, print_function

import importlib
import os
from collections import namedtuple

import sipbridge
from peers.ports import HOST

#: An sb_event: its numbers, and its strings as bytes.
Event = namedtuple(
    "Event", "type cause state status call registration transaction subscription method reason headers body"
)


class Raw(object):
    """An engine's extension module.

    Attributes:
        lib: the functions and constants, for calls that are wrong on purpose.
        ffi: cffi's.
        name: "sofia" or "exosip".
    """

    def __init__(self):
        self.name = os.environ.get("SIPBRIDGE_ENGINE") or sorted(sipbridge.engines(), reverse=True)[0]
        module = importlib.import_module("sipbridge._" + self.name)
        self.lib, self.ffi = module.lib, module.ffi
        self._opened = []

    # -- arguments -----------------------------------------------------------------------------------------

    def text(self, value):
        """A char * to text or bytes; NULL for None."""
        if value is None:
            return self.ffi.NULL
        return self.ffi.new("char[]", value if isinstance(value, bytes) else value.encode("utf-8"))

    def struct(self, kind, **fields):
        """A struct, and what its strings need to stay alive, as one pair."""
        texts = dict((name, self.text(value)) for name, value in fields.items() if not isinstance(value, int))
        numbers = dict((name, value) for name, value in fields.items() if isinstance(value, int))
        return self.ffi.new(kind + " *", dict(numbers, **texts)), texts

    def content(self, headers=(), content_type=None, body=b""):
        """An sb_content, and what it points to."""
        keep = [(self.text(name), self.text(value)) for name, value in headers]
        array = self.ffi.new("sb_header[]", keep)
        texts = self.text(content_type), self.ffi.new("char[]", body)
        fields = {"headers": array, "header_count": len(keep), "content_type": texts[0]}
        return self.ffi.new("sb_content *", dict(fields, body=texts[1], body_len=len(body))), (keep, array, texts)

    # -- functions -----------------------------------------------------------------------------------------

    def open(self, host=HOST, port=0, **fields):
        config, _keep = self.struct("sb_config", host=host, port=port, **fields)
        engine = self.lib.sb_open(config)
        self._opened.append(engine)
        return engine

    def close_all(self):
        """Close what a test that failed left open: the next one could not open libeXosip2."""
        while self._opened:
            self.lib.sb_close(self._opened.pop(), 0)

    def wait(self, engine, timeout_ms=10000):
        """The next :class:`Event`; the code when there is none (0) or the engine is closed."""
        place = self.ffi.new("sb_event **")
        found = self.lib.sb_wait(engine, timeout_ms, place)
        if found != 1:
            return found
        event = place[0]
        numbers = [getattr(event, name) for name in Event._fields[:8]]
        texts = [self.ffi.string(getattr(event, name)) for name in Event._fields[8:11]]
        copy = Event(*(numbers + texts + [self.ffi.buffer(event.body, event.body_len)[:]]))
        self.lib.sb_event_free(event)
        return copy

    def parties(self, to, from_=None, route=None):
        return self.struct("sb_parties", to=to, route=route, **{"from": from_})

    def call(self, engine, to, from_=None, route=None, call_id=None, **content):
        (parties, _), (filled, _content) = self.parties(to, from_, route), self.content(**content)
        return self.lib.sb_call(engine, parties, self.text(call_id), filled)

    def request(self, engine, method, to, **content):
        (parties, _), (filled, _content) = self.parties(to), self.content(**content)
        return self.lib.sb_request(engine, self.text(method), parties, filled)

    def subscribe(self, engine, to, from_=None, event="presence", expires=600, **content):
        (parties, _), (filled, _content) = self.parties(to, from_), self.content(**content)
        return self.lib.sb_subscribe(engine, parties, self.text(event), expires, filled)

    def publish(self, engine, to, event="presence", etag=None, expires=600, **content):
        (parties, _), (filled, _content) = self.parties(to), self.content(**content)
        return self.lib.sb_publish(engine, parties, self.text(event), self.text(etag), expires, filled)

    def register(self, engine, registrar, aor, contact=None, expires=300):
        parties, _keep = self.parties(aor)
        return self.lib.sb_register(engine, self.text(registrar), parties, self.text(contact), expires)

    def error_text(self, code):
        return self.ffi.string(self.lib.sb_error_text(code)).decode("ascii")
