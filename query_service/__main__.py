"""The entry point of the query service: settings, logging, and the server.

Next: query_service.app
"""

import signal

import uvicorn

from query_service.app import create_app
from schemas.connections import bounded
from schemas.memory import give_back
from schemas.settings import QuerySettings, read
from schemas.telemetry import configure_logging

# Longer than proxies keep idle connections (nginx 60 s), or one may be closed under a request: what
# changes something is not sent again.
_KEEP_ALIVE_SECONDS = 75


def main() -> None:
    """Serve until SIGTERM or SIGINT; what is begun is answered, and the exit status is 0."""
    settings = read(QuerySettings)
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    give_back()
    # uvicorn raises a signal again when it is done; then it means nothing any more.
    for signalled in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signalled, lambda *_: None)
    uvicorn.run(
        create_app(settings),
        host=settings.query_host,
        port=settings.query_port,
        forwarded_allow_ips=settings.trusted_proxies,
        http=bounded(settings.connections_max, arrival_seconds=settings.arrival_seconds),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )


if __name__ == "__main__":
    main()
