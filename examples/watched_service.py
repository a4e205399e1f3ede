"""The service of answering_service.py, watched and guarded by six lines. pip install sipbridge[logs,metrics,sentry]

    SENTRY_DSN=https://... python examples/watched_service.py udp://192.0.2.1:5060 sip:operator@192.0.2.9 calls.csv

$HOMER, $METRICS_PORT and $HEALTH_PORT say where the messages go, and where metrics and health are asked for.
"""

from __future__ import absolute_import, division, print_function

import os
import sys

import sentry_sdk
from answering_service import serve

import sipbridge
from sipbridge import health, logs, metrics, sentry
from sipbridge.access import Authenticator, SourceLimits

HOMER = os.environ.get("HOMER", "udp://127.0.0.1:9060")
METRICS_PORT, HEALTH_PORT = int(os.environ.get("METRICS_PORT", "9160")), int(os.environ.get("HEALTH_PORT", "8060"))


def password(user, realm):
    """The password of a user; ask your database."""
    return {"alice": "wonder-land"}.get(user)


if __name__ == "__main__":
    logs.write_json(service="answering")
    sentry_sdk.init(integrations=[sentry.SipbridgeIntegration()])
    with sipbridge.Endpoint(
        sys.argv[1],
        engine=sipbridge.Worker(),
        hep=HOMER,
        allow=["127.0.0.0/8"], limits=SourceLimits(5), authenticator=Authenticator("example.com", password),
    ) as endpoint:  # fmt: skip
        metrics.serve(endpoint, METRICS_PORT)
        health.serve(endpoint, HEALTH_PORT)
        serve(endpoint, *sys.argv[2:])
        endpoint.wait_closed()
