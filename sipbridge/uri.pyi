from typing import NamedTuple, Optional, Tuple

class Uri(NamedTuple):
    scheme: str
    user: Optional[str]
    host: str
    port: Optional[int]
    parameters: str
    headers: str

class NameAddr(NamedTuple):
    display_name: str
    uri: str
    parameters: str

class TransportAddress(NamedTuple):
    transport: str
    host: str
    port: int

def parse_uri(text: str) -> Uri: ...
def parse_address(text: str) -> NameAddr: ...
def check_uri(text: str, what: str) -> str: ...
def check_address(text: str, what: str) -> str: ...
def check_host_port(text: str, what: str) -> Tuple[str, int]: ...
def address_uri(text: str) -> str: ...
def parse_transport_address(text: str) -> TransportAddress: ...
def parse_host_port(text: str) -> Tuple[str, int]: ...
