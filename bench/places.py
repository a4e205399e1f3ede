"""Places of an engine beside each other: calls a second, how late events come, seconds to a restart.

The container is of the image that SIPBRIDGE_BENCH_IMAGE names (default: sipbridge:runtime), where there are a Docker
daemon and the SDK; it has the network of this machine, and is killed by `docker kill`. The engine of the image is
measured at a socket, too: the same engine on the same Python, so what a container costs beside it is the place alone.
"""

import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from common import Answerer, Rush, children, engines, environment, facade, note

IMAGE = os.environ.get("SIPBRIDGE_BENCH_IMAGE", "sipbridge:runtime")
WARM_UP, COUNT, WINDOWS, PARALLEL = 1000, 3000, 3, 100
MESSAGES, RATE = 600, 200  # one after the other, with time between them: what is measured is no queue
RESTARTS = 20

#: For a shell in a container whose process 1 is `sipbridge engine`: kills its child.
KILL_WORKER = "kill -9 $(cat /proc/1/task/*/children)"


def docker(*words):
    return subprocess.check_output(["docker", *words], text=True, stderr=subprocess.DEVNULL)


def has_image():
    """Whether a container can be measured here; a note says what is missing."""
    from sipbridge import errors
    from sipbridge._engine import container_client

    try:
        container_client.sdk()
        if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True).returncode:
            raise OSError("there is no image %s" % IMAGE)
    except (errors.SipbridgeError, OSError) as error:
        note("no container is measured: %s" % error)
        return False
    return True


class Sidecar:
    """An answerer whose engine is at a socket, and the command that serves it."""

    def __init__(self, engine):
        self._folder = tempfile.mkdtemp(prefix="sipbridge-")
        address = "unix://%s/engine.sock" % self._folder
        command = [sys.executable, "-m", "sipbridge", "engine", address, "--engine", engine]
        self.command = subprocess.Popen(command, env=environment(engine), stdout=subprocess.DEVNULL)
        answer = [sys.executable, str(pathlib.Path(__file__).with_name("facade_answer.py")), "--sidecar", address]
        self.answerer = Answerer("sidecar " + engine, engine, answer, environment(engine))

    def kill(self):
        for pid in children(self.command.pid):
            os.kill(pid, signal.SIGKILL)

    def stop(self):
        self.command.terminate()
        self.command.wait(30)
        shutil.rmtree(self._folder)


class Socket:
    """An answerer whose engine is of the image, too, but at a socket: without the Docker daemon on the way."""

    def __init__(self):
        self._folder = tempfile.mkdtemp(prefix="sipbridge-")
        self._name = "sipbridge-bench-%d" % os.getpid()
        shield = ["SIPBRIDGE_SHIELD_%s=off" % each for each in ("INVITE", "REGISTER", "SUBSCRIBE")]
        run = ["run", "--rm", "--detach", "--name", self._name, "--network", "host"]
        run += ["--user", "%d:%d" % (os.getuid(), os.getgid())]  # who may use its socket
        run += ["--volume", self._folder + ":/run/sipbridge", *(word for each in shield for word in ("--env", each))]
        docker(*run, IMAGE, "engine", "unix:///run/sipbridge/engine.sock")
        address = "unix://%s/engine.sock" % self._folder
        answer = [sys.executable, str(pathlib.Path(__file__).with_name("facade_answer.py")), "--sidecar", address]
        self.answerer = Answerer("image at a socket", "image", answer, environment("image"))

    def kill(self):
        docker("exec", "--user", "0", self._name, "sh", "-c", KILL_WORKER)

    def stop(self):
        docker("stop", self._name)
        shutil.rmtree(self._folder)


class Worker:
    def __init__(self, engine):
        self.answerer = facade(engine, "--worker")

    def kill(self):
        (pid,) = self.answerer.children()
        os.kill(pid, signal.SIGKILL)

    def stop(self):
        pass


class Container:
    """An answerer whose engine is in a container."""

    def __init__(self):
        answer = [sys.executable, str(pathlib.Path(__file__).with_name("facade_answer.py")), "--container", IMAGE]
        self.answerer = Answerer("container", "image", answer, environment("image"))

    def _containers(self):
        return docker("ps", "--all", "--quiet", "--filter", "name=sipbridge-%d-" % self.answerer.process.pid).split()

    def kill(self):
        docker("kill", *self._containers())

    def stop(self):
        deadline = time.monotonic() + 10.0  # the daemon removes the last one by itself, a moment later
        while self._containers():
            if time.monotonic() > deadline:
                raise SystemExit("bench: containers are left: %s" % self._containers())
            time.sleep(0.1)


def restart(place):
    """Kill the engine. Returns the seconds to the next one, as its service has measured them."""
    place.kill()
    return float(place.answerer.process.stdout.readline().partition("restarted ")[2])


def measure_places(places):
    rates = dict((place, []) for place in places)
    failed = dict((place, 0) for place in places)
    for place in places:
        failed[place] += Rush(place.answerer.port, WARM_UP, PARALLEL).finish()[1]
    for _ in range(WINDOWS):  # turn and turn about; the best counts (machines are noisy)
        for place in places:
            succeeded, lost, seconds, _ = Rush(place.answerer.port, COUNT, PARALLEL).finish()
            rates[place].append(succeeded / seconds)
            failed[place] += lost
            note("%s: %d calls, %.0f/s" % (place.answerer.name, COUNT, rates[place][-1]))
    for place in places:
        yield finish(place, max(rates[place]), failed[place])


def finish(place, rate, failed):
    """Measure the rest of a place, and stop it; a row of the table."""
    answerer = place.answerer
    failed += Rush(answerer.port, MESSAGES, 1, "message", rate=RATE).finish()[1]
    descriptors = len(os.listdir("/proc/%d/fd" % answerer.process.pid))
    threads = len(os.listdir("/proc/%d/task" % answerer.process.pid))
    seconds = [restart(place) for _ in range(RESTARTS)] if not isinstance(place, InProcess) else [0.0]
    failed += Rush(answerer.port, 10, 1).finish()[1]
    left = len(os.listdir("/proc/%d/fd" % answerer.process.pid)) - descriptors
    left += len(os.listdir("/proc/%d/task" % answerer.process.pid)) - threads
    answerer.process.send_signal(signal.SIGTERM)
    late = float(answerer.process.stdout.read().rpartition("late ")[2])
    answerer.process.wait(30)
    place.stop()
    note("%s: median restart %.3f s" % (answerer.name, statistics.median(seconds)))
    return {
        "name": answerer.name,
        "calls_per_s": round(rate, 1),
        "event_late_us": round(late, 1),
        "restart_median_s": round(statistics.median(seconds), 3),
        "restart_longest_s": round(max(seconds), 3),
        "left_behind": left,
        "failed": failed,
    }


class InProcess(Worker):
    def __init__(self, engine):
        self.answerer = facade(engine)


def measure(arguments):
    rows, ratios = [], {}
    with_image = has_image()
    for engine in engines():
        places = [InProcess(engine), Worker(engine), Sidecar(engine)]
        places += [Socket(), Container()] if with_image else []
        found = list(measure_places(places))
        rows += found
        worker = found[1]
        for row in found[2:]:
            compare(ratios, row, worker, "%s/worker %s" % (row["name"].partition(" " + engine)[0], engine))
        if with_image:
            compare(ratios, found[4], found[3], "container/its engine at a socket")
    return {"places": rows, "ratios": ratios}


def compare(ratios, row, other, what):
    """Add what a row of the table has of another one."""
    ratios[what] = round(row["calls_per_s"] / other["calls_per_s"], 3)
    late = (row["event_late_us"] - other["event_late_us"]) / 1000
    ratios["ms that an event is later, " + what] = round(late, 3)
