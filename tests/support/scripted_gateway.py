"""A tiny HTTP server with the gateway's answers, which fails as a script says.

It counts as the store would: by identity, whatever is sent twice on the way.
"""

import gzip
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# (status, Retry-After), or None for the proper answer; "cut" closes without one.
Trouble = tuple[int, str | None] | str | None


class ScriptedGateway:
    """What arrived: `identities` by id, `requests` as lists of ids."""

    def __init__(self, script: Callable[[int], Trouble], max_events: int) -> None:
        self.script, self.max_events = script, max_events
        self.identities: set[str] = set()
        self.requests: list[list[str]] = []
        self.url = ""
        self._lock = threading.Lock()

    def answer(self, events: list[dict]) -> tuple[int, dict, dict]:
        """(status, headers, body) of one request; events without an id are rejected."""
        with self._lock:
            number = len(self.requests)
            self.requests.append([event.get("id") for event in events])
            trouble = self.script(number)
            if trouble == "cut":
                # The hard case: stored, but the answer is lost.
                self.identities.update(event["id"] for event in events if "id" in event)
                return 0, {}, {}
            if isinstance(trouble, tuple):
                status, retry_after = trouble
                headers = {"Retry-After": retry_after} if retry_after else {}
                return status, headers, {"reason": "unavailable", "detail": "as scripted"}
            if len(events) > self.max_events:
                return 413, {}, {"reason": "batch_too_large", "detail": "as scripted"}
            return self._judge(events)

    def _judge(self, events: list[dict]) -> tuple[int, dict, dict]:
        rejected = [
            {"index": index, "id": None, "reason": "missing_field", "field": "id", "detail": "id"}
            for index, event in enumerate(events)
            if "id" not in event
        ]
        good = [event["id"] for event in events if "id" in event]
        self.identities.update(good)
        return (202 if good else 400), {}, {"accepted": len(good), "rejected": rejected}


@contextmanager
def scripted_gateway(
    script: Callable[[int], Trouble] = lambda _: None, *, max_events: int = 10_000
) -> Iterator[ScriptedGateway]:
    """A running gateway; `script(request number)` says what goes wrong with each request."""
    gateway = ScriptedGateway(script, max_events)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            events = [json.loads(line) for line in body.splitlines()]
            status, headers, answer = gateway.answer(events)
            if not status:
                self.close_connection = True
                return
            payload = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gateway.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()


def failing(seed: int, share: float) -> Callable[[int], Trouble]:
    """A script that fails a share of the requests in every way there is."""
    rng = random.Random(seed)
    ways: list[Trouble] = [(503, None), (429, None), (502, None), "cut"]
    return lambda _: rng.choice(ways) if rng.random() < share else None
