"""The gateway without Kafka: everything that it does to a request, but the log forgets at once.

No record is made and nothing lingers, because both are there for Kafka alone.

Next: tests.bench.gateway_constant
"""

from collections.abc import Mapping

from ingest import app
from ingest.__main__ import main


class Forgetful:
    """Stands for the publisher and for its senders."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    async def publish(self, lines: Mapping[int, list[bytes]], request_id: str) -> None:
        """Accepted, and forgotten."""

    async def drain(self, *, timeout_seconds: float) -> None:
        """Nothing is waiting."""

    def start(self) -> None:
        """Nobody to connect to."""

    def stop(self, *, timeout_seconds: float) -> None:
        """Nobody to leave."""


if __name__ == "__main__":
    app.Publisher = app.Sender = Forgetful  # type: ignore[assignment, misc]
    main()
