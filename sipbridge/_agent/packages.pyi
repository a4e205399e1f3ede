from typing import Iterable, Optional, Union

from sipbridge._engine.content import Body
from sipbridge._kept.publication import Publication
from sipbridge._kept.subscription import Subscription
from sipbridge.headers import HeaderFields

class EventPackages:
    def subscribe(
        self,
        to: str,
        event: str,
        expires: int = 3600,
        accept: Union[None, str, Iterable[str]] = None,
        body: Optional[Body] = None,
        content_type: Optional[str] = None,
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
        resubscribe: bool = True,
        timeout: Optional[float] = 32.0,
    ) -> Subscription: ...
    def publish(
        self,
        to: str,
        event: str,
        body: Body,
        content_type: str,
        expires: int = 3600,
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
        timeout: Optional[float] = 32.0,
    ) -> Publication: ...
