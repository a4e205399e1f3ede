"""A Sentry on loopback: takes what sentry-sdk sends over HTTPS, and takes it apart."""

from __future__ import absolute_import, division, print_function

import json
import ssl
import sys
import threading
import zlib

from peers.waiting import wait_until

try:
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from socketserver import ThreadingMixIn
except ImportError:
    from BaseHTTPServer import BaseHTTPRequestHandler, HTTPServer
    from SocketServer import ThreadingMixIn


def _items(octets):
    """The header of the envelope, and those of its items with their payloads."""
    first, rest = octets.split(b"\n", 1)
    first = json.loads(first.decode("utf-8"))
    while rest.strip():
        head, _, rest = rest.partition(b"\n")
        head = json.loads(head.decode("utf-8"))
        length = head.get("length", rest.find(b"\n"))
        yield first, head, rest[:length]
        rest = rest[length:].lstrip(b"\n")


def _wrapped(connection, certificates):
    if sys.version_info[0] == 2:  # which has no contexts before 2.7.9
        return ssl.wrap_socket(connection, certificates.key, certificates.certificate, server_side=True)  # novm
    context = vars(ssl)["create_default_context"](ssl.Purpose.CLIENT_AUTH)  # novm
    context.load_cert_chain(certificates.certificate, certificates.key)
    return context.wrap_socket(connection, server_side=True)


class _Server(ThreadingMixIn, HTTPServer):
    """Has a thread for each connection, on which the handshake is made: none holds up the others, nor the end."""

    daemon_threads = True
    certificates = None

    def finish_request(self, request, client_address):
        request.settimeout(10.0)
        if self.certificates is not None:
            request = _wrapped(request, self.certificates)
        self.RequestHandlerClass(request, client_address, self)

    def handle_error(self, request, client_address):
        pass


class SentryServer(object):
    """Has the events that came. Without certificates it speaks HTTP, as a relay does.

    Attributes:
        events: what came, each a dict.
        attachments: by the id of the event, a dict of the octets of its attachments by their names.
        raw: the octets of all of it, unpacked.
        dsn: for sentry_sdk.init().
    """

    def __init__(self, certificates=None):
        self.events, self.raw, self.attachments = [], b"", {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                octets = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    octets = zlib.decompress(octets, 16 + zlib.MAX_WBITS)
                server.raw += octets
                if self.path.endswith("/store/"):
                    server.events.append(json.loads(octets.decode("utf-8")))
                else:
                    for first, head, payload in _items(octets):
                        if head["type"] == "event":
                            server.events.append(json.loads(payload.decode("utf-8")))
                        elif head["type"] == "attachment":
                            server.attachments.setdefault(first["event_id"], {})[head["filename"]] = payload
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.certificates = certificates
        place = "key@127.0.0.1:%d/1" % self._server.server_address[1]
        self.dsn = ("http://" if certificates is None else "https://") + place
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.daemon = True
        self._thread.start()

    def until(self, predicate):
        """The first event for which that is true, once there is one."""
        wait_until(lambda: any(predicate(event) for event in list(self.events)))
        return next(event for event in self.events if predicate(event))

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
