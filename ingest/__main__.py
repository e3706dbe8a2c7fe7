"""The gateway process: settings from the environment, then HTTP until SIGTERM.

Next: ingest.app
"""

import logging
import os
import signal
import sys
import threading

import structlog
import uvicorn

from ingest.app import create_app
from schemas import failpoints
from schemas.connections import bounded
from schemas.memory import give_back
from schemas.settings import IngestSettings, read
from schemas.telemetry import configure_logging

log = structlog.get_logger()

_GRACE_SECONDS = 5
# Longer than clients keep idle connections, or one may be closed under a request.
_KEEP_ALIVE_SECONDS = 75


def main() -> None:
    """Run the gateway; requests in flight at SIGTERM are answered, and the exit status is 0."""
    settings = read(IngestSettings)
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    failpoints.arm(settings.failpoints)
    give_back()
    # The client logs every connection; what matters of it is logged by ingest.session.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    logging.getLogger("kafka.producer").setLevel(logging.ERROR)
    threading.excepthook = _die
    # uvicorn raises a signal again when it is done; then it means nothing any more.
    for signalled in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signalled, lambda *_: None)
    log.info("gateway_starts", host=settings.ingest_host, port=settings.ingest_port)
    uvicorn.run(
        create_app(settings),
        host=settings.ingest_host,
        port=settings.ingest_port,
        loop="uvloop",
        http=bounded(settings.connections_max, arrival_seconds=settings.arrival_seconds),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )


def _die(failed: threading.ExceptHookArgs) -> None:
    """A thread that ends unexpectedly takes the process with it: it would hang half alive."""
    log.critical(
        "thread_failed", exc_info=(failed.exc_type, failed.exc_value, failed.exc_traceback)
    )
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main()
