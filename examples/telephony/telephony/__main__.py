"""python -m telephony COMMAND"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import re
import signal
import socket
import sys
from types import FrameType

import uvicorn
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

import sipbridge
from telephony.api.schemas import NAME
from telephony.app import create_app
from telephony.debug import DEBUGGERS, debug
from telephony.demo import demo
from telephony.security import SCOPES
from telephony.service import Service
from telephony.settings import Settings
from telephony.sip.engine import NoEngine
from telephony.store.database import Database
from telephony.store.directory import Directory, digest, make_token
from telephony.store.models import Token
from telephony.store.spool import SpoolTaken

#: What is secret in a URL: user:password@ of the database, key@ of Sentry.
_PASSWORD = re.compile(r"(://(?:[^/@:]*:)?)[^/@]+@")

#: Seconds that open connections, as those of `GET /events`, have to end.
LINGER = 3


class Server(uvicorn.Server):
    """Answers until the service has drained: what is new gets 503. A second signal ends the process at once."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service, self._loop = service, asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_DFL)
        self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._service.drain().add_done_callback(lambda _: setattr(self, "should_exit", True))


def serve(settings: Settings, arguments: argparse.Namespace) -> int:
    """Run the service until SIGTERM or Ctrl-C; then it drains. A second signal ends it at once."""
    return asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    service = Service(settings)
    service.watch()
    config = uvicorn.Config(
        create_app(service), settings.http_host, settings.http_port, log_config=None, access_log=False, lifespan="off",
        timeout_graceful_shutdown=LINGER,
    )  # fmt: skip
    server = Server(config, service)
    for signum in (signal.SIGINT, signal.SIGTERM):
        # While the service starts; then uvicorn listens to signals.
        signal.signal(signum, lambda number, frame: setattr(server, "should_exit", True))
    async with service.running():
        await server.serve()
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_DFL)
    return 0 if server.started else 1


def token(settings: Settings, arguments: argparse.Namespace) -> int:
    """Make a token, and print it. Nobody can print it again. A token of that name is replaced."""
    unknown = sorted(set(arguments.scope or []) - set(SCOPES))
    if unknown:
        print(
            "telephony: no such scope: %s; there are %s" % (", ".join(unknown), ", ".join(SCOPES)),
            file=sys.stderr,
        )
        return 2
    if not re.fullmatch(NAME, arguments.name):
        print("telephony: NAME has 1 to 64 letters, digits, dots, hyphens and underscores", file=sys.stderr)
        return 2
    secret = make_token()
    row = Token(
        name=arguments.name, sha256=digest(secret), scopes=arguments.scope or list(SCOPES),
        destinations=arguments.destination or [""], calls_per_hour=arguments.calls, minutes_per_hour=arguments.minutes,
    )  # fmt: skip

    async def save() -> None:
        database = Database(settings)
        await database.migrate()
        await Directory(database).save(row)
        await database.engine.dispose()

    asyncio.run(save())
    print(secret)
    return 0


def openapi(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print the OpenAPI document, which Postman and Insomnia import."""
    print(json.dumps(create_app(Service(settings)).openapi(), indent=2))
    return 0


def show(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print the settings without the secrets, and what each is for."""
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, str):
            value = _PASSWORD.sub(r"\1***@", value)
        print("%-22s %-28s %s" % (name.upper(), value if value is not None else "-", field.description or ""))
    return 0


COMMANDS = {
    "serve": serve,
    "demo": demo,
    "debug": debug,
    "token": token,
    "settings": show,
    "openapi": openapi,
}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m telephony", description="The telephony service.")
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    added = {}
    for name, function in COMMANDS.items():
        added[name] = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        added[name].set_defaults(run=function)
    command = added["demo"]
    command.add_argument(
        "--phone", type=int, default=5070, metavar="PORT", help="of the phone (default: %(default)s)"
    )
    command = added["debug"]
    command.add_argument(
        "--debugger", choices=sorted(DEBUGGERS), default="debugpy", help="(default: %(default)s)"
    )
    command.add_argument(
        "--debug-port", type=int, default=5678, metavar="PORT", help="of debugpy (default: %(default)s)"
    )
    command.add_argument(
        "--with-trunks",
        action="store_true",
        help="register trunks and write records: takes production's calls",
    )
    command = added["token"]
    command.add_argument(
        "name", metavar="NAME", help="of whoever gets it; it is in call records and in the audit"
    )
    command.add_argument("--scope", action="append", help="what it allows, more than once; none: everything")
    command.add_argument(
        "--destination",
        action="append",
        metavar="PREFIX",
        help="it may call what begins so, as +49; none: everybody",
    )
    command.add_argument("--calls", type=int, default=1000, help="calls in an hour (default: %(default)s)")
    command.add_argument("--minutes", type=int, default=600, help="minutes in an hour (default: %(default)s)")
    return made


def main() -> int:
    arguments = parser().parse_args()
    os.umask(0o077)  # call records and incidents are for nobody else
    try:
        return int(arguments.run(Settings(), arguments))
    except ValidationError as error:
        for each in error.errors():
            print(
                "telephony: %s: %s" % ("_".join(map(str, each["loc"])).upper(), each["msg"]), file=sys.stderr
            )
        return 2
    except (ConnectionError, socket.gaierror, TimeoutError) as error:  # SQLAlchemy lets asyncpg's through
        reason = str(error) or "no answer in time"
        logging.getLogger("telephony").critical("the database is away: %s", reason)
        return 1
    except (NoEngine, SpoolTaken, sipbridge.SipbridgeError, SQLAlchemyError, OSError) as error:
        logging.getLogger("telephony").critical("%s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
