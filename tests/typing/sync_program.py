"""A program on the synchronous API, as a user writes one: mypy and pyright find nothing in it, and each line that says
that something is an error is one. It is never run.
"""

import sys
from typing import Dict, List, Optional, Tuple

import sipbridge
from sipbridge import access, events, negotiation, sdp
from sipbridge.payload import PCMA, telephone_event
from sipbridge.testing import SDP, Network


class Switchboard:
    """Takes calls, keeps a registration up, and transfers whoever presses 0."""

    def __init__(self, phone: sipbridge.Endpoint, operator: str) -> None:
        self.phone = phone
        self.operator = operator
        self.ended: List[Tuple[str, int]] = []
        phone.on(sipbridge.IncomingCall, self.take)
        phone.on(sipbridge.InfoReceived, self.key)
        phone.on(sipbridge.CallEnded, lambda event: self.ended.append((event.cause, event.status)))

    def take(self, event: sipbridge.IncomingCall) -> None:
        if event.sdp is None or "anonymous" in event.privacy:
            event.call.reject(488, why=sipbridge.Reason("SIP", 488))
            return
        ours = sdp.medium("audio", 4000, [PCMA, telephone_event()])
        answer = negotiation.answer(sdp.parse(event.sdp), "192.0.2.7", [ours])
        event.call.ring()
        event.call.answer(answer.raw, headers={"X-Switchboard": "1"})

    def key(self, event: sipbridge.InfoReceived) -> None:
        if event.dtmf == "0" and event.call is not None:
            transfer: sipbridge.Transfer = event.call.transfer(self.operator, timeout=30)
            print(transfer.status, transfer.succeeded)


def guarded(passwords: Dict[str, str]) -> sipbridge.Endpoint:
    bans = access.BanList(failures=5)
    bans.ban("192.0.2.0/24", seconds=60)
    for ban in bans:
        print(ban.network, ban.seconds, len(bans))
    asking = access.Authenticator("example.com", lambda user, realm: passwords.get(user), secret=b"0" * 16)
    limits = access.SourceLimits(calls_per_second=2.5, calls_at_once=10)
    phone = sipbridge.Endpoint(allow=["192.0.2.0/24"], authenticator=asking, limits=limits, bans=bans)
    phone.on(sipbridge.IncomingCall, lambda event: print(event.user, event.call.user, phone.refusals["banned"]))
    return phone


def menu(phone: sipbridge.Endpoint) -> None:
    @phone.serve
    def take(call: sipbridge.Call) -> None:
        call.answer(b"v=0")
        call.data = {"began": 0.0}

        @call.on(sipbridge.TransferRequested)
        def refuse(event: sipbridge.TransferRequested) -> None:
            event.reject(603)

        call.off(sipbridge.TransferRequested, refuse)
        pin = call.collect(count=4, terminator="#", timeout=5)
        if pin.ended_by == "count" and pin == "4711":
            for key in call.keys(timeout=None):
                print(key.upper())
        for event in call.events(timeout=1):
            print(number_of(event))

    @phone.on(sipbridge.CallEnded)
    def ended(event: sipbridge.CallEnded) -> int:
        return event.status

    try:
        phone.call("sip:bob@example.com").wait_established()
    except sipbridge.CallHungUp as error:
        print(error.ended.cause == "remote-bye", ended(error.ended), take)


def test_of_a_service(network: Network) -> None:
    with sipbridge.Endpoint(engine=network.engine("sip:service@example.com")) as service:
        menu(service)
        call = network.endpoint("sip:alice@example.com", handlers=4).call(service.uri, SDP)
        network.advance(5.0)
        network.lose(service, restart=False)
        print(call.wait_ended(timeout=1).cause)


def number_of(event: events.Event) -> Optional[str]:
    if isinstance(event, sipbridge.RequestReceived):
        return event.from_uri
    if isinstance(event, sipbridge.CallEnded):
        return event.call.remote_uri
    return None


def main() -> int:
    tls = sipbridge.Tls(ca_file="/etc/ssl/ca.pem", verify="server")
    with sipbridge.Endpoint("tls://192.0.2.7", identity="sip:desk@example.com", tls=tls) as phone:
        board = Switchboard(phone, "sip:operator@example.com")
        account = phone.add_account("sip:desk@example.com", password="secret", registrar="sip:example.com")
        registration: sipbridge.Registration = account.register(keep=True)
        try:
            call = account.call("sip:bob@example.com", None, timeout=20.0)
            response: sipbridge.Response = call.info(b"Signal=1", "application/dtmf-relay")
            print(response.status, response.headers.get("Server", "none"), call.wait_ended().cause)
        except sipbridge.ResponseError as error:
            print(error.status, error.headers.get_all("Contact"), file=sys.stderr)
        with phone.events(timeout=60) as stream:
            names = [number_of(event) for event in stream]
        return len(names) + len(board.ended) + (registration.state == "active")


def wrong(phone: sipbridge.Endpoint, call: sipbridge.Call, event: sipbridge.CallEnded) -> None:
    call.answer("v=0")  # type: ignore[arg-type]
    access.Authenticator("example.com", len)  # type: ignore[arg-type]
    call.hold(timeout="a minute")  # type: ignore[arg-type]
    phone.on(sipbridge.CallEnded, lambda ended: ended.body)  # type: ignore[attr-defined]
    call.on(sipbridge.EngineFailed)  # type: ignore[type-var]
    phone.serve(phone.call)  # type: ignore[type-var]
    call.collect(count="4")  # type: ignore[arg-type]
    print(call.collect(count=4).ended_by == "hash")  # type: ignore[comparison-overlap]
    phone.invite("sip:bob@example.com", color="red")  # type: ignore[call-arg]
    print(call.status)  # type: ignore[attr-defined]
    print(event.cause == "remote-buy")  # type: ignore[comparison-overlap]
    sipbridge.Tls(verify="perhaps")  # type: ignore[arg-type]
    for each in phone.accounts:
        each.call(5060)  # type: ignore[arg-type]
