from typing import Iterable, Optional, Union

from sipbridge._engine.content import Body
from sipbridge._engine.records import Content
from sipbridge.headers import HeaderFields

def package_content(
    headers: HeaderFields,
    body: Optional[Body],
    content_type: Optional[str],
    accept: Union[None, str, Iterable[str]] = None,
) -> Optional[Content]: ...
def check_event(event: str) -> str: ...
