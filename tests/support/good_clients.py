"""Clients that behave: one event a request, on kept connections, retried with the same id.

    python -m tests.support.good_clients URL KEY SECONDS

Prints a line of JSON: how many were answered 2xx, what else was answered, and percentiles.
"""

import http.client
import json
import sys
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

from tests.support.cloud_events import event

CLIENTS = 4
PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 60.0


class GoodClient(threading.Thread):
    """Sends an event, waits for the answer, rests, and sends the next."""

    def __init__(self, url: str, key: str, until: float) -> None:
        super().__init__()
        parts = urlsplit(url)
        self._place = parts.hostname, parts.port
        self._headers = {"X-API-Key": key, "Content-Type": "application/json"}
        self._until = until
        self._connection: http.client.HTTPConnection | None = None
        self.seconds: list[float] = []
        self.codes: Counter = Counter()

    def run(self) -> None:
        """Go on until the time is up; each event until it is answered 2xx."""
        while time.monotonic() < self._until:
            body = json.dumps(event()).encode()
            begun = time.monotonic()
            while self._send(body) != 202 and time.monotonic() < begun + PATIENCE_SECONDS:
                time.sleep(PAUSE_SECONDS)
            self.seconds.append(time.monotonic() - begun)
            time.sleep(PAUSE_SECONDS)

    def _send(self, body: bytes) -> int:
        try:
            self._connection = self._connection or http.client.HTTPConnection(
                *self._place, timeout=PATIENCE_SECONDS
            )
            self._connection.request("POST", "/v1/events", body, self._headers)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            self.codes["no answer"] += 1
            return 0
        self.codes[answer.status] += 1
        return answer.status


def main(url: str, key: str, seconds: str) -> None:
    """Let all clients go, and tell how it went."""
    until = time.monotonic() + float(seconds)
    clients = [GoodClient(url, key, until) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    times = sorted(each for client in clients for each in client.seconds)
    codes = sum((client.codes for client in clients), Counter())
    accepted = codes.pop(202, 0)
    print(
        json.dumps(
            {
                "sent": len(times),
                "accepted": accepted,
                "others": codes,
                "p50_ms": round(1000 * times[len(times) // 2], 1),
                "p99_ms": round(1000 * times[int(len(times) * 0.99)], 1),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
