from typing import List

from sipbridge.ladder import Arrow

HERE: str

def read(path: str) -> List[Arrow]: ...
def from_text(text: str) -> List[Arrow]: ...
