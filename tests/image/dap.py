"""A client of the Debug Adapter Protocol, as small as a test needs: https://microsoft.github.io/debug-adapter-protocol"""

import json
import socket
import time


class Client:
    """Attaches to a debugpy that waits for it, by TCP. Each wait ends after ``limit`` seconds."""

    def __init__(self, port, limit=120):
        self.limit = limit
        self.messages = []
        self.sequence = 0
        self.stream = self._connect(port)

    def _connect(self, port):
        """Docker takes connections before the program listens, and closes them: asked again until it answers."""
        deadline = time.monotonic() + self.limit
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), self.limit)
                stream = self.socket.makefile("rwb")
                self._send(stream, "initialize", {"adapterID": "sipbridge-selftest", "pathFormat": "path"})
                self.messages.append(self._read(stream))
                return stream
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _send(self, stream, command, arguments):
        self.sequence += 1
        message = {"seq": self.sequence, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        stream.flush()
        return self.sequence

    @staticmethod
    def _read(stream):
        length = 0
        while True:
            line = stream.readline()
            if not line:
                raise ConnectionError("the debugger hung up")
            if line == b"\r\n":
                return json.loads(stream.read(length))
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])

    def _wait(self, wanted, what):
        """The first message, of those read or to come, that ``wanted`` is content with; it is taken out."""
        deadline = time.monotonic() + self.limit
        while True:
            for message in self.messages:
                if wanted(message):
                    self.messages.remove(message)
                    return message
            assert time.monotonic() < deadline, "no %s; there were %s" % (what, self.messages)
            self.messages.append(self._read(self.stream))

    def begin(self, command, **arguments):
        """Send a request; its number, for :meth:`answer`."""
        return self._send(self.stream, command, arguments)

    def answer(self, number):
        """The body of the response to a request, which must have succeeded."""
        response = self._wait(
            lambda m: m["type"] == "response" and m["request_seq"] == number, "answer to %d" % number
        )
        assert response["success"], response
        return response.get("body") or {}

    def ask(self, command, **arguments):
        """Send a request and wait for the body of its response."""
        return self.answer(self.begin(command, **arguments))

    def event(self, name):
        """Wait for an event; its body."""
        return self._wait(lambda m: m["type"] == "event" and m["event"] == name, "event " + name).get("body") or {}

    def attach(self, local, remote, path, lines):
        """Attach, with one path mapping and breakpoints in one file; the program goes on."""
        attaching = self.begin("attach", pathMappings=[{"localRoot": local, "remoteRoot": remote}], justMyCode=False)
        self.event("initialized")
        breakpoints = self.ask(
            "setBreakpoints", source={"path": path}, breakpoints=[{"line": line} for line in lines]
        )
        assert [each["verified"] for each in breakpoints["breakpoints"]] == [True] * len(lines), breakpoints
        self.ask("configurationDone")
        self.answer(attaching)

    def stopped(self):
        """Wait for a breakpoint: the thread, its topmost frame, and that frame's variables as {name: repr}."""
        thread = self.event("stopped")["threadId"]
        frame = self.ask("stackTrace", threadId=thread)["stackFrames"][0]
        scope = self.ask("scopes", frameId=frame["id"])["scopes"][0]
        variables = self.ask("variables", variablesReference=scope["variablesReference"])["variables"]
        return thread, frame, {each["name"]: each["value"] for each in variables}

    def evaluate(self, expression, frame):
        """What an expression is in a frame, as its repr."""
        return self.ask("evaluate", expression=expression, frameId=frame["id"], context="watch")["result"]

    def go_on(self, thread):
        self.ask("continue", threadId=thread)

    def leave(self):
        """Detach; the program goes on without breakpoints."""
        self.ask("disconnect", restart=False, terminateDebuggee=False)
        self.stream.close()
        self.socket.close()
