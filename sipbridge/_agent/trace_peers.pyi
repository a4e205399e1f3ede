from sipbridge.events import TraceMessage

class Peers:
    def completed(self, message: TraceMessage) -> TraceMessage: ...
