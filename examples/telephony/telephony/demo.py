"""`make service`: the service with a phone to call, and a curl line that does it."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from telephony.settings import Settings

#: Seconds in which the service has to be ready, and a process has to end.
READY, STOP = 30.0, 40.0

#: The files in the data folder, and the settings that have precedence over them.
SECRETS = {"secret-key": "SECRET_KEY", "admin-password": "ADMIN_PASSWORD"}


def demo(settings: Settings, arguments: argparse.Namespace) -> int:
    """Run the service with a phone beside it that takes every call, and print how to call it. Ctrl-C ends both."""
    settings.data.mkdir(parents=True, exist_ok=True)
    for name in SECRETS:
        _make_secret(settings, name)
    made = kept_secrets(settings)
    environment = os.environ | made | {"DATA": str(settings.data)}
    password = made.get("ADMIN_PASSWORD") or settings.admin_password.get_secret_value()
    command = [sys.executable, "-m", "telephony"]
    token = subprocess.run(
        [*command, "token", "demo"], env=environment, check=True, capture_output=True, text=True
    )
    phone = "udp://127.0.0.1:%d" % arguments.phone
    with (
        _running([sys.executable, "-m", "sipbridge", "listen", phone], environment),
        _running([*command, "serve"], environment) as service,
    ):
        base = "http://%s:%d" % (settings.http_host, settings.http_port)
        threading.Thread(
            target=_tell, args=(base, token.stdout.strip(), password, arguments.phone), daemon=True
        ).start()
        service.wait()
    return service.returncode


def _make_secret(settings: Settings, name: str) -> None:
    """A random word that stays the same from one start to the next; only the owner may read the file."""
    path = settings.data / name
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))


def kept_secrets(settings: Settings) -> dict[str, str]:
    """The secrets in the data folder that no setting gives, as environment variables."""
    given = {"SECRET_KEY": settings.secret_key, "ADMIN_PASSWORD": settings.admin_password}
    return {
        variable: (settings.data / name).read_text()
        for name, variable in SECRETS.items()
        if not given[variable].get_secret_value() and (settings.data / name).exists()
    }


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is asked to end, and then made to."""
    process = subprocess.Popen(command, env=environment)
    try:
        yield process
    except KeyboardInterrupt:
        pass  # the process had the signal, too
    except BaseException:
        process.terminate()
        raise
    else:
        process.terminate()
    finally:
        try:
            process.wait(STOP)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()


def _tell(base: str, token: str, password: str, phone: int) -> None:
    """Once the service is ready, print where everything is."""
    limit = time.monotonic() + READY
    while time.monotonic() < limit:
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(base + "/health/live"),
        ):
            break
        time.sleep(0.1)
    call = "curl -s %s/calls -H 'Authorization: Bearer %s' --json '{\"to\": \"sip:phone@127.0.0.1:%d\"}'"
    lines = [
        "", "API      %s/docs" % base, "panel    %s/admin   user admin, password %s" % (base, password),
        "metrics  %s/metrics" % base, "", "Call the phone:", "  " + call % (base, token, phone), "",
    ]  # fmt: skip
    print("\n".join(lines), flush=True)
