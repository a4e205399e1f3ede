"""Calls through a service, half by HTTP and half by SIP, and what became of each."""

import asyncio
import csv
import glob
import time

import httpx

from peers.ports import HOST, free_port, wait_until_bound
from peers.process import Process, require

#: Seconds that a call lasts, and that stragglers have to end.
HOLD, LIMIT = 1.0, 90.0


class Sipp(Process):
    """sipp with one of its own scenarios; it counts."""

    def __init__(self, folder, name, *words):
        self.port = free_port()
        self._folder = folder
        command = [
            require("sipp"),
            "-i",
            HOST,
            "-p",
            str(self.port),
            "-nostdin",
            "-trace_stat",
            "-fd",
            "1",
            *words,
        ]
        super().__init__(command, str(folder), name)
        assert wait_until_bound(self.port, self.is_alive), self.output()

    def counted(self):
        """How many calls it has seen through, and how many have failed."""
        [path] = glob.glob(str(self._folder / "*_.csv"))
        with open(path) as file:
            last = list(csv.DictReader(file, delimiter=";"))[-1]
        return int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])


class Load:
    """So many calls a second for so many seconds.

    Attributes after :meth:`run`: `placed`, the ids of the calls that were placed by HTTP; `refused`, the status of each
    request for one that was not 202; `came_in` and `failed_in`, calls by SIP that sipp saw through, and that failed.
    """

    def __init__(self, service, folder, rate, seconds):
        self.service, self.rate, self.seconds = service, rate, seconds
        self.placed, self.refused = [], []
        self.came_in = self.failed_in = 0
        self._folder = folder

    async def run(self, *meanwhile):
        """Call, and await what is to happen meanwhile. Returns when every call is over."""
        callee, caller = self._folder / "callee", self._folder / "caller"
        for each in (callee, caller):
            each.mkdir(parents=True)
        count = int(self.rate * self.seconds / 2)
        uas = Sipp(callee, "sipp-uas", "-sn", "uas")
        words = "-sn uac -s 100 -rp 1000 -max_invite_retrans 4 -max_non_invite_retrans 4".split()
        words += ["-r", str(self.rate / 2), "-d", str(int(HOLD * 1000))]
        uac = Sipp(caller, "sipp-uac", *words, "-m", str(count), "%s:%d" % (HOST, self.service.sip_port))
        try:
            async with httpx.AsyncClient(
                base_url=self.service.url, headers=self.service.api.headers, timeout=LIMIT, trust_env=False
            ) as client:
                calls = asyncio.gather(*(self._call(client, uas.port, each) for each in range(count)))
                await asyncio.gather(calls, *meanwhile)
            await asyncio.to_thread(uac.wait, LIMIT)
            self.came_in, self.failed_in = uac.counted()
        finally:
            uac.stop()
            uas.stop()
        return self

    async def _call(self, client, port, number):
        """Place one call in its turn, and hang up."""
        await asyncio.sleep(number * 2 / self.rate)
        try:
            answer = await client.post("/calls", json={"to": "sip:callee@%s:%d" % (HOST, port)})
            if answer.status_code != 202:
                self.refused.append(answer.status_code)
                return
            self.placed.append(answer.json()["id"])
            await asyncio.sleep(HOLD)
            await client.delete(answer.headers["Location"])
        except httpx.TransportError as error:
            self.refused.append(type(error).__name__)


async def later(seconds, function, *arguments):
    """Call a function after so many seconds, on a thread of its own."""
    await asyncio.sleep(seconds)
    await asyncio.to_thread(function, *arguments)


async def every(seconds, until, function):
    """Call a function again and again, every so many seconds, for so long."""
    limit = time.monotonic() + until
    while time.monotonic() + seconds < limit:
        await later(seconds, function)
