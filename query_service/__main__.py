"""The entry point of the query service: settings, logging, and the server.

Next: query_service.app
"""

import uvicorn

from query_service.app import create_app
from schemas.connections import bounded
from schemas.memory import give_back
from schemas.settings import QuerySettings
from schemas.telemetry import configure_logging


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = QuerySettings()
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    give_back()
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
    )


if __name__ == "__main__":
    main()
