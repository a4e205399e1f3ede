"""Places of an engine beside each other: calls a second, how late events come, seconds to a restart.

The container is of the image that SIPBRIDGE_BENCH_IMAGE names (default: sipbridge:runtime), where there are a Docker
daemon and the SDK; it has the network of this machine, and is killed by `docker kill`.
"""

import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

from common import Answerer, Rush, engines, environment, facade, note

IMAGE = os.environ.get("SIPBRIDGE_BENCH_IMAGE", "sipbridge:runtime")
WARM_UP, COUNT, WINDOWS, PARALLEL = 1000, 3000, 3, 100
MESSAGES, RATE = 600, 200  # one after the other, with time between them: what is measured is no queue
RESTARTS = 20


def docker(*words):
    return subprocess.check_output(["docker", *words], text=True, stderr=subprocess.DEVNULL)


def has_image():
    """Whether a container can be measured here."""
    try:
        import docker  # noqa: F401

        return not subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True).returncode
    except (ImportError, OSError):
        return False


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
        tasks = pathlib.Path("/proc/%d/task" % self.command.pid).glob("*/children")
        for pid in [int(pid) for file in tasks for pid in file.read_text().split()]:
            os.kill(pid, signal.SIGKILL)

    def stop(self):
        self.command.terminate()
        self.command.wait(30)
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
        left = self._containers()
        if left:
            raise SystemExit("bench: containers are left: %s" % left)


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
    for engine in engines():
        places = [InProcess(engine), Worker(engine), Sidecar(engine)]
        places += [Container()] if has_image() else []
        found = list(measure_places(places))
        rows += found
        worker = found[1]
        for row in found[2:]:
            what = "%s/worker %s" % (row["name"].partition(" ")[0], engine)
            ratios[what] = round(row["calls_per_s"] / worker["calls_per_s"], 3)
            late = (row["event_late_us"] - worker["event_late_us"]) / 1000
            ratios["ms that an event is later, " + what] = round(late, 3)
    return {"places": rows, "ratios": ratios}
