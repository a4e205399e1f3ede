"""Lookups of users in an event loop: coroutine functions, and functions that block."""

import asyncio
import time

import sipbridge
from aio.loop import in_loop
from peers import credentials
from sipbridge import access, aio, testing
from sipbridge._agent import admission

BOB = "sip:bob@example.com"


async def send(alice, headers=()):
    """The status of a MESSAGE, and the challenges."""
    try:
        return (await alice.message(BOB, "hi", headers=headers)).status, []
    except sipbridge.ResponseError as error:
        return error.status, error.headers.get_all("WWW-Authenticate")


async def asked(lookup):
    """What comes of the right and of a wrong password, with that lookup; and the users of the messages that came."""
    got, told = [], []
    with testing.Network() as network:
        engines = network.engine(BOB), network.engine()
        authenticator = access.Authenticator("example.com", lookup)
        async with aio.Endpoint(engine=engines[0], authenticator=authenticator, on_error=told.append) as bob:
            bob.on(sipbridge.MessageReceived, lambda event: got.append(event.user))
            async with aio.Endpoint(engine=engines[1]) as alice:
                statuses = []
                for user in ("alice", "alice", "mallory", "broken"):
                    challenge = credentials.choose((await send(alice))[1])
                    password = "wonder-land" if not statuses else "guess"
                    value = credentials.answer(challenge, user, password, "MESSAGE", BOB)
                    statuses.append((await send(alice, [("Authorization", value)]))[0])
                return statuses, got, [type(each.error) for each in told], bob.refusals


EXPECTED = (
    [200, 401, 401, 500], ["alice"], [KeyError],
    {"unauthenticated": 4, "wrong-credentials": 2, "lookup-failed": 1},
)  # fmt: skip


@in_loop
async def test_a_coroutine_function():
    async def lookup(user, realm):
        await asyncio.sleep(0)
        return {"alice": "wonder-land", "mallory": None}[user]

    assert await asked(lookup) == EXPECTED


@in_loop
async def test_coroutines_that_hang_are_bounded(monkeypatch):
    """They take no thread; without a bound a flood would have as many of them as it has messages."""
    monkeypatch.setattr(admission, "WAITING", 1)
    opened, begun, statuses = asyncio.Event(), [], []

    async def lookup(user, realm):
        begun.append(user)
        await opened.wait()
        return "wonder-land"

    async def say(alice):
        value = credentials.answer(
            credentials.choose((await send(alice))[1]), "alice", "wonder-land", "MESSAGE", BOB
        )  # fmt: skip
        statuses.append((await send(alice, [("Authorization", value)]))[0])

    with testing.Network() as network:
        authenticator = access.Authenticator("example.com", lookup, lookups=1)
        async with aio.Endpoint(engine=network.engine(BOB), authenticator=authenticator) as bob:
            bob.on(sipbridge.MessageReceived, lambda event: None)
            async with aio.Endpoint(engine=network.engine()) as alice:
                for _ in range(2):  # what is given back can be used again
                    opened.clear()
                    del begun[:], statuses[:]
                    saying = [asyncio.create_task(say(alice)) for _ in range(4)]
                    while len(begun) < 2 or len(statuses) < 2:
                        await asyncio.sleep(0.005)
                    assert statuses == [503, 503]
                    opened.set()
                    await asyncio.gather(*saying)
                    assert len(begun) == 2 and statuses == [503, 503, 200, 200]


@in_loop
async def test_a_function_that_blocks():
    """It runs on a thread of its own: the loop goes on."""
    turns = []

    async def count():
        while True:
            turns.append(time.time())
            await asyncio.sleep(0.01)

    def lookup(user, realm):
        deadline = time.time() + 10.0
        before = len(turns)
        while len(turns) < before + 3 and time.time() < deadline:
            time.sleep(0.005)
        return {"alice": "wonder-land", "mallory": None}[user]

    counting = asyncio.create_task(count())
    try:
        assert await asked(lookup) == EXPECTED
    finally:
        counting.cancel()


@in_loop
async def test_an_event_that_names_a_user_keeps_its_facade():
    users = []
    with testing.Network() as network:
        authenticator = access.Authenticator("example.com", lambda user, realm: "wonder-land")
        async with aio.Endpoint(engine=network.engine(BOB), authenticator=authenticator) as bob:

            @bob.on(sipbridge.IncomingCall)
            async def take(event):
                users.append((event.user, event.call.user, isinstance(event.call, aio.Call)))
                event.call.answer(testing.SDP)

            async with aio.Endpoint(engine=network.engine()) as alice:
                challenge = credentials.choose((await send(alice))[1])
                value = credentials.answer(challenge, "alice", "wonder-land", "INVITE", BOB)
                call = await alice.call(BOB, testing.SDP, headers=[("Authorization", value)])
                call.hangup()
                await call.wait_ended()
    assert users == [("alice", "alice", True)]
