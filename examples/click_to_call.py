"""Click-to-call by HTTP: POST first=sip:... and second=sip:..., GET the path that it tells, DELETE it to hang up."""
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import sipbridge

phone = sipbridge.Endpoint(sys.argv[1])
bridges: "dict[str, sipbridge.Bridge]" = {}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        try:
            bridge = phone.begin_click_to_call(form["first"][0], form["second"][0])
        except (KeyError, sipbridge.SipbridgeError) as error:
            return self.tell(400, error=str(error))
        path = "/calls/%d" % (len(bridges) + 1)
        bridges[path] = bridge
        self.tell(202, path=path)

    def do_GET(self) -> None:
        bridge = bridges.get(self.path)
        if bridge is None:
            return self.tell(404)
        if self.command == "DELETE":
            bridge.hangup()
        self.tell(200, state=bridge.state, cause=bridge.cause, status=bridge.status)

    do_DELETE = do_GET

    def tell(self, code: int, **facts: object) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(facts).encode())


HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
