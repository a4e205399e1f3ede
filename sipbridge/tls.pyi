from typing import Literal, NamedTuple, Optional

VERIFY: tuple[str, ...]

class _Fields(NamedTuple):
    certificate: Optional[str]
    private_key: Optional[str]
    ca_file: Optional[str]
    verify: Literal["server", "none", "both"]

class Tls(_Fields):
    def __new__(
        cls,
        certificate: Optional[str] = None,
        private_key: Optional[str] = None,
        ca_file: Optional[str] = None,
        verify: Literal["server", "none", "both"] = "server",
    ) -> Tls: ...
