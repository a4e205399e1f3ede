from typing import Any, Optional

from sipbridge._agent.endpoint import Endpoint
from sipbridge._call.call import Call
from sipbridge._engine.content import Body
from sipbridge._engine.response import Response
from sipbridge._kept.publication import Publication
from sipbridge._kept.registration import Registration
from sipbridge._kept.subscription import Subscription

class Account:
    address: str
    uri: str
    registrar: Optional[str]
    route: Optional[str]
    registration: Optional[Registration]
    def __init__(
        self, endpoint: Endpoint, address: str, registrar: Optional[str], route: Optional[str]
    ) -> None: ...
    @property
    def contact(self) -> str: ...
    def register(
        self,
        expires: int = 3600,
        timeout: Optional[float] = 32.0,
        keep: bool = False,
        contact: Optional[str] = None,
    ) -> Registration: ...
    def invite(self, to: str, *args: Any, **options: Any) -> Call: ...
    def call(self, to: str, *args: Any, **options: Any) -> Call: ...
    def message(self, to: str, *args: Any, **options: Any) -> Response: ...
    def request(self, method: str, to: str, *args: Any, **options: Any) -> Response: ...
    def options(self, to: str, *args: Any, **options: Any) -> Response: ...
    def subscribe(self, to: str, event: str, *args: Any, **options: Any) -> Subscription: ...
    def publish(
        self, to: str, event: str, body: Body, content_type: str, *args: Any, **options: Any
    ) -> Publication: ...
    def is_named_by(self, uri: str) -> bool: ...

def make_account(
    endpoint: Endpoint,
    address: str,
    user: Optional[str],
    password: Optional[str],
    realm: Optional[str],
    registrar: Optional[str],
    route: Optional[str],
) -> Account: ...
