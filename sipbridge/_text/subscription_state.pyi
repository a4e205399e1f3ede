from typing import NamedTuple, Optional

class SubscriptionState(NamedTuple):
    state: str
    expires: Optional[int]
    reason: Optional[str]
    retry_after: Optional[int]
    @property
    def terminated(self) -> bool: ...
    @property
    def value(self) -> str: ...

def parse_subscription_state(value: str) -> SubscriptionState: ...
