"""The settings: environment variables, or a file .env, with these names in capitals."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What a copy of the service is started with. `python -m telephony settings` prints them without the secrets."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    http_host: str = Field(default="127.0.0.1", description="the address of the API")
    http_port: int = Field(default=8000, ge=0, le=65535, description="its TCP port")
    sip_address: str = Field(default="udp://127.0.0.1:5060", description="where calls come in")
    sip_advertised: str | None = Field(default=None, description="where peers reach it, if that is elsewhere")
    sip_identity: str | None = Field(default=None, description="the From of calls for which nobody gives one")
    sip_proxy: str | None = Field(default=None, description="the outbound proxy of all requests")
    sip_allow: list[str] | None = Field(
        default=None, description="networks that may call, as JSON; none given: all"
    )
    sip_trusted_proxies: list[str] = Field(
        default=[], description="proxies that say whom a call is from, as JSON: ['10.0.0.2']"
    )
    sip_source_header: str | None = Field(
        default=None, description="the header in which they say it, X-Source-Address; none: in Via"
    )
    sip_calls_per_second: int | None = Field(
        default=None, ge=1, description="calls that one source may make in a second"
    )
    sip_engine: Literal["auto", "sofia", "worker", "container", "sidecar"] = Field(
        default="auto",
        description="where the SIP library runs; auto: a worker, if this machine has a library",
    )
    sip_image: str = Field(default="sipbridge:runtime", description="the image of SIP_ENGINE=container")
    sip_socket: str = Field(
        default="unix:///run/sipbridge/engine.sock", description="the engine of SIP_ENGINE=sidecar"
    )
    sip_hep: str | None = Field(
        default=None, description="a Homer that gets a copy of each message, udp://host:9060"
    )

    data: Path = Field(default=Path("data"), description="the folder of the spool, the incidents and SQLite")
    database_url: str | None = Field(
        default=None, description="postgresql+asyncpg://...; none: SQLite in the data folder"
    )
    database_schema: str | None = Field(
        default=None, description="a schema of PostgreSQL; none: the user's own"
    )
    spool_calls: int = Field(
        default=100_000, ge=1, description="calls that may wait for the database; then new ones get 503"
    )
    retention_days: int = Field(default=90, ge=1, description="days that call records are kept")

    secret_key: SecretStr = Field(
        default=SecretStr(""), description="signs the panel's sessions, encrypts trunks' passwords"
    )
    admin_password: SecretStr = Field(
        default=SecretStr(""), description="of the panel's user admin; none: no panel"
    )
    longest_call: int = Field(default=4 * 3600, ge=1, description="seconds after which a call is hung up")
    drain_seconds: int = Field(default=30, ge=0, description="seconds that calls have to end before a stop")

    with_trunks: bool = Field(default=True, description="register trunks")
    with_records: bool = Field(default=True, description="write call records to the database")
    log_json: bool = Field(default=False, description="log lines as JSON in the Elastic Common Schema")
    sentry_dsn: str | None = None
    sentry_environment: str = "production"

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and len(value.get_secret_value()) < 32:
            raise ValueError("must have 32 characters or more, as `openssl rand -hex 32` prints")
        return value

    @property
    def database(self) -> str:
        """The URL of the database, for SQLAlchemy's asyncio."""
        if self.database_url:
            return self.database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
        return "sqlite+aiosqlite:///%s" % (self.data / "telephony.sqlite3")

    @property
    def incidents(self) -> Path:
        return self.data / "incidents"

    @property
    def refused(self) -> Path:
        """Call records that the database did not take."""
        return self.data / "refused"
