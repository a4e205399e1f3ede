"""The pictures of the documentation, docs/images/*.svg. This writes them anew:

    python3 -m tools.docs.pictures

Each is drawn by a function below that has its name. A test compares the files with what is drawn.
"""

from tools.builds.environment import ROOT
from tools.docs.canvas import Canvas

FOLDER = ROOT / "docs" / "images"


def layers():
    """The layers of sipbridge, from your service down to the network (docs/architecture.md)."""
    canvas = Canvas(860, 850, "The layers of sipbridge")
    x, width = 20, 560
    half = (width - 10) // 2

    def row(y, kind, *boxes, height=52):
        each = (width - 10 * (len(boxes) - 1)) // len(boxes)
        for number, (title, line) in enumerate(boxes):
            canvas.box(x + number * (each + 10), y, each, height, kind, title, line)

    row(20, "yours", ("your service", "handlers, events(), calls of methods"))
    row(90, "python", ("sipbridge/", "public: aio, events, errors, headers, uri, sdp, record, hep, shield …"))
    row(150, "python", ("_aio/", "for aio alone: asyncio"), ("_flight/", "the recorder and its incidents"))
    row(
        210, "python", ("_agent/", "Endpoint: follows the engine's events, hands them out; accounts, watches")
    )
    row(
        270,
        "python",
        ("_call/", "calls, session timer, transfer"),
        ("_kept/", "registrations, subscriptions …"),
    )
    row(330, "python", ("_replay/", "plays recorded calls: no engine"))
    row(390, "python", ("_capture/", "reads and writes pcap, pcapng"))
    row(
        450,
        "python",
        ("_access/", "passwords, bans, limits"),
        ("_engine/", "in process, or frames to elsewhere"),
    )
    row(510, "python", ("_text/", "checks of arguments, words, masking"))
    row(580, "native", ("sipbridge._sofia, sipbridge._exosip", "extension modules, by cffi"))
    row(
        640, "native", ("csrc/contract/", "engine.h: flat functions"), ("csrc/core/", "queue, frames, leases")
    )
    row(700, "native", ("csrc/sofia/", "Sofia-SIP"), ("csrc/exosip/, csrc/dns/", "libeXosip2, c-ares"))
    right = x + half + 10 + half // 2
    canvas.box(x + half + 10, 760, half, 34, "native", "csrc/shield/, preloaded")
    canvas.arrow((x + half // 2, 752), (x + half // 2, 816), both=True)
    canvas.arrow((right, 794), (right, 816), both=True)
    canvas.line((x, 820), (x + width, 820))
    canvas.words(x + width // 2, 840, "the network", anchor="middle", weight="bold")
    canvas.arrow((x + width // 2, 72), (x + width // 2, 90), both=True)
    canvas.box(650, 90, 190, 52, "python", "_command/", "the command sipbridge")
    canvas.arrow((650, 116), (x + width, 116))
    canvas.box(650, 430, 190, 100, "around", "another process")
    canvas.box(660, 462, 170, 56, "native", "worker_main", "the same engine, inside")
    canvas.arrow((x + width, 480), (650, 480), text="frames", both=True)
    for number, text in enumerate(("calls run down,", "events come up")):
        canvas.words(650, 225 + 18 * number, text, "faint")
    return canvas.svg()


def places():
    """The four places where an engine runs (docs/places.md)."""
    canvas = Canvas(900, 350, "Where an engine runs")
    heads = ("in process", "worker", "container", "sidecar")
    for number, head in enumerate(heads):
        x = 20 + 220 * number
        canvas.words(x + 100, 28, head, anchor="middle", weight="bold")
        if head == "in process":
            canvas.box(x, 44, 200, 226, "around", "your process")
            canvas.box(x + 12, 76, 176, 52, "yours", "your program", "with sipbridge")
            canvas.arrow((x + 100, 128), (x + 100, 208), both=True)
            canvas.words(x + 108, 172, "functions", "faint")
        else:
            canvas.box(x, 44, 200, 96, "around", "your process")
            canvas.box(x + 12, 76, 176, 52, "yours", "your program", "with sipbridge")
            owner = {
                "worker": "its child process",
                "container": "a container it starts",
                "sidecar": "started by somebody else",
            }
            canvas.box(x, 178, 200, 92, "around", owner[head])
            way = {"worker": "a socket", "container": "Docker", "sidecar": "UNIX socket"}
            canvas.arrow((x + 100, 140), (x + 100, 178), both=True)
            canvas.words(x + 92, 163, "frames", "faint", "end")
            canvas.words(x + 108, 163, way[head], "faint")
        canvas.box(x + 12, 208, 176, 52, "native", "engine", "the SIP library")
        canvas.arrow((x + 100, 260), (x + 100, 300), both=True)
    canvas.line((20, 304), (880, 304))
    canvas.words(450, 326, "the network", anchor="middle", weight="bold")
    return canvas.svg()


def call():
    """A call that comes in, from INVITE to BYE (docs/calls.md)."""
    canvas = Canvas(900, 580, "A call that comes in")
    caller, engine, endpoint, yours = 80, 310, 540, 780
    columns = (
        (caller, "caller", ""),
        (engine, "engine", "the SIP library"),
        (endpoint, "endpoint", "its event thread"),
    )
    for x, name, more in (*columns, (yours, "your handler", "a thread for handlers")):
        canvas.words(x, 26, name, anchor="middle", weight="bold")
        canvas.words(x, 44, more, "faint", "middle")
        canvas.line((x, 54), (x, 562), dashed=True)
    steps = (
        (caller, engine, "INVITE (SDP)"),
        (engine, caller, "100 Trying"),
        (engine, endpoint, "new call"),
        (endpoint, yours, "IncomingCall"),
        (yours, engine, "call.ring()"),
        (engine, caller, "180 Ringing"),
        (yours, engine, "call.answer(SDP)"),
        (engine, caller, "200 OK (SDP)"),
        (caller, engine, "ACK"),
        (engine, endpoint, "state: established"),
        (endpoint, yours, "CallConfirmed"),
        (caller, engine, "INFO (a key)"),
        (engine, endpoint, "a key"),
        (endpoint, yours, "call.collect() returns"),
        (engine, caller, "200 OK"),
        (caller, engine, "BYE"),
        (engine, caller, "200 OK"),
        (engine, endpoint, "state: ended"),
        (endpoint, yours, "CallEnded, or CallHungUp is raised"),
    )
    for number, (start, end, text) in enumerate(steps):
        y = 78 + 26 * number
        canvas.arrow((start, y), (end, y))
        middle = (engine + endpoint) // 2 if {start, end} == {yours, engine} else (start + end) // 2
        canvas.words(middle, y - 5, text, anchor="middle")
    return canvas.svg()


def threads():
    """Which thread runs what (docs/threading.md)."""
    canvas = Canvas(900, 330, "The threads of an endpoint")
    canvas.box(15, 124, 110, 52, "native", "engine", "its own thread")
    canvas.arrow((125, 150), (195, 150))
    canvas.words(160, 140, "events", "faint", "middle")
    canvas.words(160, 168, "in order", "faint", "middle")
    canvas.box(195, 60, 175, 180, "python", "event thread")
    for number, text in enumerate(
        ("follows each event:", "moves states, wakes", "those who wait", "", "runs no code of yours")
    ):
        canvas.words(205, 104 + 20 * number, text, "faint")
    canvas.words(530, 42, "lanes, each in its order", anchor="middle", weight="bold")
    canvas.words(790, 42, "threads for handlers", anchor="middle", weight="bold")
    lanes = (
        ("call 1", "IncomingCall, CallConfirmed …", "your handler", "waits for 2 s"),
        ("call 2", "CallEnded", "your handler", "runs meanwhile"),
        ("a MESSAGE", "by its Call-ID", "", "waits for a thread"),
    )
    for number, (lane, waiting, handler, what) in enumerate(lanes):
        y = 60 + 64 * number
        canvas.arrow((370, y + 26), (425, y + 26))
        canvas.box(425, y, 215, 52, "python", lane, waiting)
        if handler:
            canvas.arrow((640, y + 26), (700, y + 26))
            canvas.box(700, y, 180, 52, "yours", handler, what)
        else:
            canvas.words(655, y + 22, what + ";", "faint")
            canvas.words(655, y + 40, "beyond the limit: 503", "faint")
    canvas.arrow((282, 240), (282, 288), (425, 288))
    canvas.box(
        425,
        262,
        455,
        52,
        "yours",
        "events(): no thread of the endpoint",
        "the loop in your thread that asks for them",
    )
    return canvas.svg()


PICTURES = {each.__name__: each for each in (layers, places, call, threads)}


def main():
    for name, draw in PICTURES.items():
        (FOLDER / (name + ".svg")).write_text(draw(), encoding="utf-8")
        print("docs/images/%s.svg" % name)


if __name__ == "__main__":
    main()
