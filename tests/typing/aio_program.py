"""The same on asyncio: an event of sipbridge.aio has objects of sipbridge.aio in it, and what waits is awaited."""

import asyncio
from typing import Set

import sipbridge
from sipbridge import aio


class Switchboard:
    """Takes calls, echoes messages, and hangs up whoever stays for too long."""

    def __init__(self, phone: aio.Endpoint) -> None:
        self.phone = phone
        self.calls: Set[aio.Call] = set()
        phone.on(sipbridge.IncomingCall, self.take)
        phone.on(aio.MessageReceived, self.echo)
        phone.on(sipbridge.CallEnded, lambda event: self.calls.discard(event.call))

    async def take(self, event: aio.IncomingCall) -> None:
        call: aio.Call = event.call
        if event.replaces is not None:
            self.calls.discard(event.replaces)
        call.answer(event.sdp)
        self.calls.add(call)
        try:
            ended: aio.CallEnded = await call.wait_ended(timeout=600)
            print(ended.cause, ended.call.call_id)
        except sipbridge.TimeoutError:
            call.hangup(why=sipbridge.Reason("SIP", 408))

    async def echo(self, event: aio.MessageReceived) -> None:
        response = await self.phone.message(event.from_uri, event.text)
        print(response.ok)


async def watch(phone: aio.Endpoint) -> int:
    seen = 0
    async with phone.events(timeout=60) as stream:
        async for event in stream:
            if isinstance(event, sipbridge.TransferRequested):
                placed: aio.Call = event.accept()
                await placed.wait_answered()
            elif isinstance(event, aio.SubscriptionRequested):
                notifier: aio.Notifier = event.accept()
                notifier.notify(b"open", "text/plain")
            elif isinstance(event, sipbridge.CallEnded):
                seen += event.cause == "engine-lost"
    return seen


async def menu(phone: aio.Endpoint) -> None:
    @phone.serve
    async def take(call: aio.Call) -> None:
        call.answer(b"v=0")
        call.data = 5

        @call.on(sipbridge.TransferRequested)
        async def refuse(event: aio.TransferRequested) -> None:
            event.reject(603)

        call.off(aio.TransferRequested, refuse)
        pin = await call.collect(count=4)
        async for key in call.keys():
            print(key.upper(), pin.ended_by == "count")
        async for event in call.events():
            print(isinstance(event, aio.CallEnded))

    @phone.on(sipbridge.CallEnded)
    def ended(event: aio.CallEnded) -> aio.Call:
        return event.call

    print(ended, take)


async def main() -> None:
    async with aio.Endpoint("udp://127.0.0.1:0", on_error=print) as phone:
        Switchboard(phone)
        account = phone.add_account("sip:alice@example.com", registrar="sip:example.com")
        registration: aio.Registration = await account.register(keep=True)
        call = await account.call("sip:bob@example.com", b"v=0", timeout=20.0)
        transfer: aio.Transfer = await call.transfer("sip:carol@example.com")
        watched: aio.Watch = phone.watch("sip:bob@example.com")
        print(transfer.call is call, watched.available, registration.state == "waiting", await watch(phone))


async def answer(event: aio.IncomingCall) -> None:
    event.call.answer(event.sdp)


async def wrong(phone: aio.Endpoint, call: aio.Call) -> None:
    print(call.hold().status)  # type: ignore[attr-defined]
    await call.hangup()  # type: ignore[misc, func-returns-value]
    phone.on(sipbridge.CallEnded, answer)  # type: ignore[arg-type]
    account = phone.add_account("sip:alice@example.com")
    await account.message("sip:bob@example.com", "hi", from_="sip:carol@example.com")  # type: ignore[call-arg]
    call.on(sipbridge.EngineFailed)  # type: ignore[arg-type]
    for key in call.keys():  # type: ignore[attr-defined]
        print(key)
    phone.serve(answer)  # type: ignore[type-var]
    with phone.events():  # type: ignore[attr-defined]
        pass
    print(call.state == "finished")  # type: ignore[comparison-overlap]


asyncio.run(main())
