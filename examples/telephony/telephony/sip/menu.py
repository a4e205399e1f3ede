"""Calls that come in: a menu by keys, as the dialled number has it."""

from __future__ import annotations

import sipbridge
from sipbridge import aio
from sipbridge.uri import parse_uri
from telephony.problems import Problem
from telephony.sip.phone import SDP, Phone

#: Seconds in which a caller has to press the next key, and in which a target has to answer.
KEY_TIMEOUT, ANSWER_TIMEOUT = 30.0, 30.0


def install(phone: Phone) -> None:
    """Serve every call that comes in."""

    @phone.endpoint.serve
    async def take(call: aio.Call) -> None:
        try:
            number = phone.directory.numbers.get(parse_uri(call.request_uri).user or "")
        except sipbridge.InputError:  # as sip:%00@host: no fault of ours, so no incident
            number = None
        if number is None:
            call.reject(404)
            return
        if not phone.book.has_room(phone.settings.spool_calls):
            call.reject(503)
            return
        phone.end_after(call, phone.settings.longest_call)
        call.answer(SDP)
        async for key in call.keys(timeout=KEY_TIMEOUT):
            target = number.menu.get(key)
            if target is None:
                continue
            try:
                await transfer(
                    phone, call, phone.uri_of(target), number.attended, phone.settings.longest_call
                )
                phone.book.note(call, "%s: transferred to %s" % (key, target))
                return
            except (
                sipbridge.ResponseError,
                sipbridge.TimeoutError,
                sipbridge.TransportError,
                Problem,
            ) as error:
                phone.book.note(
                    call, "%s: %s" % (key, error)
                )  # the caller is still there, and may choose again


async def transfer(phone: Phone, call: aio.Call, target: str, attended: bool, seconds: float) -> None:
    """Have the peer talk to somebody else: at once, or once that one has answered us. Raises what sipbridge raises.

    A call of ours to that one lasts `seconds` at most.
    """
    if not attended:
        await call.transfer(target, timeout=ANSWER_TIMEOUT)
        return
    with phone.book.placing(token=call.data["token"], trace_id=call.data["trace_id"], bridge=call.data["id"]):
        second = phone.endpoint.invite(target, SDP)
    phone.end_after(second, seconds)
    try:
        await second.wait_answered(ANSWER_TIMEOUT)
        await call.transfer_to(second, timeout=ANSWER_TIMEOUT)
    except BaseException:
        second.hangup()
        raise
