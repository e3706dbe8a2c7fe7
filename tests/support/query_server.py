"""The query service on a free port, in a thread of the test, with a clock that stands still.

Next: query_service.app
"""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import httpx
import uvicorn

from query_service.app import create_app
from query_service.wiring import Wiring
from schemas.settings import QuerySettings

START_SECONDS = 20.0
# Tests that run beside others keep the machine busy: a ping that waits is no sign of anything.
BUSY_SECONDS = 30.0
NOW = datetime(2026, 5, 31, 15, 30, 0, 123_000, tzinfo=UTC)


class QueryServer:
    """The service over the ClickHouse of `dsn`; `now` may be set at any time."""

    def __init__(
        self,
        dsn: str,
        state_dir: Path,
        *,
        now: datetime,
        partitions: int = 2,
        silence_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.now = now
        # Port 1: a broker that is not there, unless a test says otherwise.
        self.settings = QuerySettings(
            CLICKHOUSE_DSN=dsn,
            KAFKA_BOOTSTRAP="127.0.0.1:1",
            state_dir=state_dir,
            partitions=partitions,
            query_silence_seconds=silence_seconds,
        )
        self._app = create_app(self.settings, now=lambda: self.now)
        self._server = uvicorn.Server(uvicorn.Config(self._app, log_config=None))
        self._clients: list[httpx.Client] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def wiring(self) -> Wiring:
        """The parts of the service, for a test of what has no address of its own."""
        return cast("Wiring", self._app.state.wiring)

    def start(self) -> QueryServer:
        """Start it, and come back when it answers."""
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the query service did not start")
            time.sleep(0.01)
        return self

    def client(self, key: str) -> httpx.Client:
        """An HTTP client that sends `key`."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=30.0)
        self._clients.append(client)
        return client

    def refresh_keys(self) -> None:
        """Know the keys that were made a moment ago, without waiting for the next refresh."""
        self.wiring.ring.refresh()

    def stop(self) -> None:
        """Stop it, and wait until it is gone."""
        for client in self._clients:
            client.close()
        self._server.should_exit = True
        self._thread.join(timeout=20)
        self._socket.close()
