from typing import Optional

from sipbridge.call import Call
from sipbridge.content import Body

SDP: str

def answer_for(call: Call, sdp: Optional[Body]) -> Optional[Body]: ...
def check_ack(sdp: Optional[Body]) -> None: ...
def check_offer(call: Call) -> None: ...
