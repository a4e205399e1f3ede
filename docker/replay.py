"""Run a program in the debug stage, and play a recorded call against it once it listens: `make replay` starts this.

    PORT=5061 DEBUGGER=ipdb python2.7 docker/replay.py CAPTURE [OPTION OF sipbridge replay...] -- COMMAND...

The program finds its port in $PORT. Under a debugger (ipdb, debugpy) the player waits for every answer as long as
somebody sits at a breakpoint, and the program goes on when the call is over. With DEBUGGER=none it is ended then.

Exit code: that of `sipbridge replay` (0: all was as recorded; 1: something was not), or
    3  the program did not listen on the port, in $WAIT seconds or before it ended
    4  the program ended before the call was over
"""

from __future__ import absolute_import, division, print_function

import os
import signal
import subprocess
import sys
import time

#: Seconds until the program has to listen: for debugpy somebody has to attach first.
WAIT, WAIT_FOR_DEBUGGER = 60.0, 600.0

#: Seconds in which the player waits for an answer while somebody sits at a breakpoint: for ever.
PATIENCE = "1000000"

#: Seconds from the port to the first message: the program has yet to say which handlers it has.
SETTLING = 0.5

#: Seconds that the player has to read what a program that has ended said last; and that the program has to end.
LAST_WORDS, ENDING = 2.0, 10.0

NOT_LISTENING, LEFT = 3, 4

_LISTEN = "0A"  # the state of a socket in /proc/net/tcp


def say(text):
    sys.stderr.write("make replay: %s\n" % text)
    sys.stderr.flush()


def sockets():
    """What is listened on here: pairs of "udp" or "tcp" and a port."""
    for transport in ("udp", "tcp"):
        for name in (transport, transport + "6"):
            path = "/proc/net/" + name
            if not os.path.exists(path):  # no IPv6
                continue
            with open(path) as table:
                rows = [line.split() for line in table.readlines()[1:]]
            for row in rows:
                if transport == "udp" or row[3] == _LISTEN:
                    yield transport, int(row[1].rpartition(":")[2], 16)


def wait_until_it_listens(program, port, seconds):
    """The transport, or None when the program has not listened in time, or has ended; then it is said why."""
    deadline = time.time() + seconds
    while time.time() < deadline:
        found = [transport for transport, each in sockets() if each == port]
        if found:
            time.sleep(SETTLING)
            return found[0]
        if program.poll() is not None:
            say("the program has ended (%d) before it listened on port %d, so nothing was played" % (
                program.returncode, port
            ))  # fmt: skip
            return None
        time.sleep(0.05)
    others = sorted(set("%s port %d" % (transport.upper(), each) for transport, each in sockets()))
    say("the program does not listen on port %d after %g s, so nothing was played. It has to take its port from $PORT,"
        " as examples/service.py does. Listened on here: %s. WAIT=600 waits ten minutes."
        % (port, seconds, ", ".join(others) or "nothing"))  # fmt: skip
    return None


def start(command, reads_input, hears_interrupts=True):
    """A Popen. What does not read the input has none; what does not hear Ctrl-C is ended from here."""

    def prepare():
        signal.signal(signal.SIGINT, signal.SIG_DFL if hears_interrupts else signal.SIG_IGN)

    with open(os.devnull) as nothing:
        return subprocess.Popen(command, stdin=None if reads_input else nothing, preexec_fn=prepare)


def wait(process, seconds):
    """The exit code, or None after that time. (Python 2.7's wait() knows no time.)"""
    deadline = time.time() + seconds
    while process.poll() is None and time.time() < deadline:
        time.sleep(0.05)
    return process.returncode


def end(process):
    """SIGTERM, and SIGKILL to what is still there then."""
    for send in (process.terminate, process.kill):
        if process.poll() is not None:
            return
        send()
        wait(process, ENDING)


def follow(program, player, goes_on):
    """Wait for the end of the call, and of a program that goes on; the exit code."""
    while player.poll() is None and program.poll() is None:
        time.sleep(0.05)
    code = wait(player, LAST_WORDS) if program.poll() is not None else player.returncode
    if code is None:
        say("the program has ended (%d) before the call was over" % program.returncode)
        return LEFT
    if goes_on and program.poll() is None:
        say("the call is over. The program goes on until you end it.")
        program.wait()
    return code


def main(arguments):
    middle = arguments.index("--")
    capture, options, command = arguments[0], arguments[1:middle], arguments[middle + 1 :]
    debugger = os.environ.get("DEBUGGER") or "none"
    port = int(os.environ["PORT"])
    seconds = float(os.environ.get("WAIT") or (WAIT_FOR_DEBUGGER if debugger == "debugpy" else WAIT))
    processes = [start(command, debugger == "ipdb")]
    program = processes[0]

    def interrupted(number, frame):
        if not os.isatty(0):  # a terminal has told the program itself
            program.send_signal(number)

    def terminated(number, frame):
        sys.exit(128 + number)

    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, terminated)
    try:
        transport = wait_until_it_listens(program, port, seconds)
        if transport is None:
            return NOT_LISTENING
        playing = [sys.executable, "-u", "-m", "sipbridge", "replay", capture]
        playing += ["--to", "sip:127.0.0.1:%d;transport=%s" % (port, transport)]
        playing += [] if debugger == "none" else ["--timeout", PATIENCE]
        processes.insert(0, start(playing + options, debugger != "ipdb", hears_interrupts=False))
        return follow(program, processes[0], debugger != "none")
    finally:
        for each in processes:
            end(each)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
