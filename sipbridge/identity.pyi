from typing import FrozenSet, Iterable, List, Tuple, Union

from sipbridge.headers import Headers
from sipbridge.uri import NameAddr

ANONYMOUS: str

def identity_headers(
    asserted: Union[None, str, Iterable[str]] = None,
    preferred: Union[None, str, Iterable[str]] = None,
    privacy: Union[None, str, Iterable[str]] = (),
) -> List[Tuple[str, str]]: ...
def asserted_identities(headers: Headers) -> Tuple[NameAddr, ...]: ...
def privacy(headers: Headers) -> FrozenSet[str]: ...
