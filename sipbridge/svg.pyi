from typing import Iterable, Tuple, Union

from sipbridge.ladder import Arrow

def render(rows: Iterable[Arrow], parties: Iterable[Union[str, Tuple[str, str]]] = ()) -> str: ...
