"""What the API takes and returns."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

Party = Annotated[
    str,
    Field(
        min_length=1,
        max_length=512,
        description="a sip:, sips: or tel: URI, or a number",
        examples=["+4930123456"],
    ),
]
NAME = r"^[A-Za-z0-9._-]{1,64}$"
Name = Annotated[str, Field(pattern=NAME, examples=["provider"])]


def _in_utc(moment: datetime.datetime) -> datetime.datetime:
    """SQLite keeps no time zone: what has none is UTC."""
    try:
        return moment.astimezone(datetime.UTC) if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    except OverflowError:
        raise ValueError("is before the year 1 or after 9999 in UTC") from None


Moment = Annotated[datetime.datetime, AfterValidator(_in_utc)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewCall(Body):
    to: Party
    from_: str | None = Field(None, alias="from", max_length=512, description="the From; a trunk has its own")
    trunk: str | None = Field(None, description="the trunk for a number; none: the first one")


class ClickToCall(Body):
    first: Party
    second: Party
    trunk: str | None = None


class Transfer(Body):
    to: Party
    attended: bool = Field(False, description="call the target first, and connect once it has answered")


class NewMessage(Body):
    to: Party
    text: str = Field(min_length=1, max_length=1200, examples=["lunch at noon?"])
    from_: str | None = Field(None, alias="from", max_length=512)


class MessageSent(BaseModel):
    status: int = Field(description="what the peer answered", examples=[200])
    reason: str


class NewTrunk(Body):
    address: str = Field(
        max_length=512, description="the address-of-record", examples=["sip:4930123@provider.example"]
    )
    registrar: str = Field(max_length=512, examples=["sip:provider.example"])
    user: str | None = None
    password: SecretStr | None = None
    register_: bool = Field(True, alias="register", description="register it at each start")


class TrunkState(BaseModel):
    name: str
    address: str
    registrar: str
    state: str = Field(description="none, pending, active, waiting, failed or ended")
    error: str


class NumberMenu(Body):
    menu: dict[Annotated[str, Field(pattern=r"^[0-9*#A-D]$")], Party] = Field(
        description="a key, and to whom it transfers the caller", examples=[{"1": "sip:sales@example.com"}]
    )
    attended: bool = False


class CallRecord(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    call_id: str = Field(description="the Call-ID on the network")
    direction: str = Field(description="inbound or outbound")
    caller: str
    callee: str
    state: str = Field(description="calling, ringing, answered or ended")
    started_at: Moment
    answered_at: Moment | None
    ended_at: Moment | None
    seconds: float = Field(description="from the answer to the end")
    cause: str = Field(
        description="why it ended: local-bye, remote-bye, cancelled, rejected, timeout, engine-lost ..."
    )
    status: int
    reason: str
    outcome: str = Field(description="what the caller chose in the menu")
    token: str | None
    bridge: str | None = Field(description="the id of the call that it is connected with")
    trace_id: str
    messages: list[Any] = Field(description="time, whether we sent it, and what it was")


class CallList(BaseModel):
    calls: list[CallRecord]
    next: str | None = Field(description="the `before` of the next page")
