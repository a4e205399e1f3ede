from typing import Optional

from sipbridge._call.call import Call
from sipbridge._engine.content import Body

SDP: str

def answer_for(call: Call, sdp: Optional[Body]) -> Optional[Body]: ...
def check_offer(call: Call) -> None: ...
