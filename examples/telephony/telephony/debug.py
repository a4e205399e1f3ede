"""`make debug-service`: a second copy beside the running one, under a debugger."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sqlite3
import sys
from pathlib import Path

from telephony.demo import kept_secrets
from telephony.settings import Settings
from telephony.store.database import Database
from telephony.store.directory import Directory

DEBUGGERS = {
    "debugpy": [
        "-Xfrozen_modules=off",
        "-m",
        "debugpy",
        "--listen",
        "127.0.0.1:%s",
        "--wait-for-client",
        "--configure-subProcess",  # else the engine's worker waits for a debugger of its own
        "false",
        "-m",
    ],
    "ipdb": ["-m"],
    "none": ["-m"],
}

HINTS = {
    "debugpy": "attach a debugger to port %s; the copy waits for it",
    "ipdb": "it stops in this terminal at `import ipdb; ipdb.set_trace()`",
    "none": "",
}


def debug(settings: Settings, arguments: argparse.Namespace) -> int:
    """Run a copy of the service under a debugger: next HTTP and SIP port, its own database, no trunks, no records."""
    changes = changed(settings, arguments.with_trunks)
    print("\n".join("%s=%s" % pair for pair in sorted(changes.items())), flush=True)
    asyncio.run(
        _copy(settings, Settings.model_validate({name.lower(): value for name, value in changes.items()}))
    )
    words = [word.replace("%s", str(arguments.debug_port)) for word in DEBUGGERS[arguments.debugger]]
    if HINTS[arguments.debugger]:
        print(HINTS[arguments.debugger].replace("%s", str(arguments.debug_port)), flush=True)
    environment = os.environ | kept_secrets(settings) | changes
    os.execve(sys.executable, [sys.executable, *words, "telephony", "serve"], environment)


def changed(settings: Settings, with_trunks: bool) -> dict[str, str]:
    """The settings of the copy that are not those of the running one, as environment variables."""
    changes = {
        "HTTP_PORT": str(settings.http_port + 1),
        "SIP_ADDRESS": _next_port(settings.sip_address),
        "DATA": str(settings.data / "debug"),
        "WITH_TRUNKS": str(with_trunks).lower(),
        "WITH_RECORDS": str(with_trunks).lower(),
        "SENTRY_ENVIRONMENT": "debug",
    }
    if settings.sip_advertised:
        changes["SIP_ADVERTISED"] = _next_port(settings.sip_advertised)
    if settings.database_url and not settings.database_url.startswith("sqlite"):
        changes["DATABASE_SCHEMA"] = "debug"
    elif settings.database_url:
        changes["DATABASE_URL"] = "sqlite+aiosqlite:///%s" % (settings.data / "debug" / "telephony.sqlite3")
    return changes


def _next_port(address: str) -> str:
    """udp://192.0.2.1:5060 with the port 5061."""
    found = re.search(r":(\d+)\Z", address)
    return address[: found.start(1)] + str(int(found.group(1)) + 1) if found else address + ":5061"


async def _copy(production: Settings, copy: Settings) -> None:
    """Give the copy the running one's tokens, trunks and numbers; on SQLite its calls, too."""
    copy.data.mkdir(parents=True, exist_ok=True)
    if copy.database.startswith("sqlite"):
        source, target = (Path(each.database.partition(":///")[2]) for each in (production, copy))
        with sqlite3.connect(source) as running, sqlite3.connect(target) as beside:
            running.backup(beside)
        return
    theirs, ours = Database(production), Database(copy)
    await ours.migrate()
    directory, copied = Directory(theirs), Directory(ours)
    await directory.load()
    for rows in (directory.tokens, directory.trunks, directory.numbers):
        for row in rows.values():
            await copied.save(row)
    await theirs.engine.dispose()
    await ours.engine.dispose()
