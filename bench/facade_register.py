"""Keeps registrations up: makes them all, refreshes each, then leaves them to themselves for a while.

python bench/facade_register.py REGISTRAR COUNT SECONDS

Prints "ready", then for each step a JSON object: what was done, how many failed, seconds, CPU seconds, RSS in kB.
"""

import asyncio
import json
import resource
import sys
import time

import sipbridge
from sipbridge import aio

PARALLEL = 100  # requests under way at once


def rss_kb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Step:
    """Prints what was done within it."""

    def __init__(self, what):
        self.what, self.done, self.failed = what, 0, 0

    def __enter__(self):
        self._started, self._cpu = time.monotonic(), cpu_seconds()
        return self

    def __exit__(self, *exc_info):
        fields = {"what": self.what, "done": self.done, "failed": self.failed, "rss_kb": rss_kb()}
        fields.update(seconds=time.monotonic() - self._started, cpu=cpu_seconds() - self._cpu)
        print(json.dumps(fields), flush=True)


async def all_of(step, coroutines):
    """Await them, some at a time; what they returned."""
    slots = asyncio.Semaphore(PARALLEL)
    results = []

    async def one(coroutine):
        async with slots:
            try:
                results.append(await coroutine)
                step.done += 1
            except sipbridge.SipbridgeError:
                step.failed += 1

    await asyncio.gather(*(one(coroutine) for coroutine in coroutines))
    return results


async def main():
    registrar, count, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    async with aio.Endpoint() as phone:
        print("ready", flush=True)
        with Step("nothing"):
            pass
        with Step("register") as step:
            aors = ["sip:user%d@127.0.0.1" % number for number in range(count)]
            registrations = await all_of(step, [phone.register(registrar, aor, expires=120) for aor in aors])
        with Step("refresh") as step:
            await all_of(step, [registration.refresh() for registration in registrations])
        with Step("kept for %d s" % seconds) as step:

            def count_one(event):
                step.done += event.state == "active"
                step.failed += event.state == "failed"

            phone.on(sipbridge.RegistrationChanged, count_one)
            await asyncio.sleep(seconds)


if __name__ == "__main__":
    asyncio.run(main())
