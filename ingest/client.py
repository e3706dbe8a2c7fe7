"""Client for products: tells a gateway of launches and tokens, and gets in nobody's way.

A call writes one line to a file and returns; a thread of its own sends what is there, again and
again under the same ids until it is answered. So an event outlives a kill of the product, and days
without network. Nothing here raises into the product: what goes wrong is logged and counted.

It needs Python's standard library alone.

Next: ingest.spool
"""

import atexit
import json
import logging
import os
import random
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .post import Answer, post
from .spool import Piece, Spool

log = logging.getLogger("usage_report_client")

_DAY_SECONDS = 86_400.0
# Within a gateway's limits, with room.
_PIECE_EVENTS, _PIECE_BYTES = 1_000, 1 << 20
_LINE_MAX_BYTES = 64 << 10
_GATHER_SECONDS = 0.5
_LOOK_SECONDS = 60.0
_SHORTEST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 1.0, 300.0


@dataclass
class Counts:
    """Events since the start: taken, answered (accepted or rejected), and given up."""

    taken: int = 0
    accepted: int = 0
    rejected: int = 0
    dropped: int = 0


class Client:
    """Sends usage to the gateway at `url` with `key`.

    `source` names the product's installation, and is with an event's id its identity. `spool` is a
    directory on a local disk, which processes may share. What is older than `max_age_days` or more
    than `max_bytes` is dropped, the oldest first. `on_rejected` is told of each event that the
    gateway refused: {"id", "reason", "field", "detail"}. `now` tells the seconds since 1970.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        source: str,
        spool: str | os.PathLike[str],
        max_bytes: int = 64 << 20,
        max_age_days: float = 30.0,
        on_rejected: Callable[[dict[str, Any]], object] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.counts = Counts()
        self._url = f"{url.rstrip('/')}/v1/events"
        self._key = key
        self._source = source
        self._place = Path(spool)
        self._max_bytes, self._max_age_seconds = max_bytes, max_age_days * _DAY_SECONDS
        self._on_rejected = on_rejected
        self._now = now
        self._spool: Spool | None = None
        self._failures, self._most = 0, _PIECE_EVENTS
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_in_child)
        atexit.register(self.close)

    def launched(self, user_id: str, *, team_id: str, product_id: str, **more: str) -> None:
        """A product was launched. `more`: product_version, session_id, access, and so on."""
        self._take("product.launched", user_id, team_id=team_id, product_id=product_id, **more)

    def consumed(
        self, user_id: str, tokens: Any, *, team_id: str, product_id: str, **more: str
    ) -> None:
        """Tokens were used: a number or a decimal of at most four places."""
        given = {"team_id": team_id, "product_id": product_id, "tokens": str(tokens)}
        self._take("tokens.consumed", user_id, **given, **more)

    def flush(self, timeout_seconds: float) -> bool:
        """Whether everything taken was answered or given up within that time."""
        done = threading.Event()
        self._asking.append(done)
        self._wake.set()
        return done.wait(timeout_seconds)

    def close(self, timeout_seconds: float = 2.0) -> None:
        """Send what can be sent in that time; the rest is on disk for the next process."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._wake.set()
        atexit.unregister(self.close)
        if self._spool is None or self._thread is None:
            return
        self._thread.join(timeout_seconds)
        if not self._thread.is_alive():
            self._spool.close()

    def _begin(self) -> None:
        """Open the spool, and start to send."""
        self._wake = threading.Event()
        self._asking: list[threading.Event] = []
        try:
            self._spool = spool = Spool(
                self._place,
                max_bytes=self._max_bytes,
                max_age_seconds=self._max_age_seconds,
                now=self._now,
            )
            self._thread = threading.Thread(
                target=self._run, args=(spool,), name="usage-report", daemon=True
            )
            self._thread.start()
        except (OSError, RuntimeError) as error:
            self._closing.set()
            log.warning("no events are taken: %s", error)

    def _begin_in_child(self) -> None:
        if not self._closing.is_set() and self._spool is not None:
            self._spool.abandon()
            self._begin()

    def _take(self, kind: str, user_id: str, **data: str) -> None:
        try:
            self._keep(self._line(kind, user_id, data))
        except Exception as error:  # noqa: BLE001  -- the product has better things to do
            self.counts.dropped += 1
            log.warning("an event is lost: %s", error)
            return
        self.counts.taken += 1
        if not self._wake.is_set():
            self._wake.set()

    def _line(self, kind: str, user_id: str, data: dict[str, str]) -> bytes:
        moment = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")
        event = {
            "specversion": "1.0",
            "id": uuid.uuid4().hex,
            "source": self._source,
            "type": kind,
            "subject": user_id,
            "time": moment,
            "data": data,
        }
        return json.dumps(event).encode()

    def _keep(self, line: bytes) -> None:
        if self._spool is None:
            raise FileNotFoundError(f"there is no spool in {self._place}")
        if len(line) > _LINE_MAX_BYTES:
            raise ValueError(f"it has {len(line)} bytes")
        self._spool.append(line)

    def _run(self, spool: Spool) -> None:
        """Send until it is closed; what fails in an unknown way is tried again later, too."""
        wait_seconds = 0.0
        while True:
            self._closing.wait(wait_seconds)
            asking = list(self._asking)
            try:
                wait_seconds = self._send_one(spool)
            except Exception:
                log.exception("sending failed")
                wait_seconds = _LONGEST_WAIT_SECONDS
            if wait_seconds < 0:  # there is nothing to send
                for done in asking:
                    done.set()
                    self._asking.remove(done)
                if self._closing.is_set():
                    return
                self._wait_for_more()
                wait_seconds = 0.0
            elif wait_seconds and self._closing.is_set():
                return

    def _wait_for_more(self) -> None:
        """Until something is taken, and a moment longer: more may follow. Others may leave some."""
        if self._wake.wait(_LOOK_SECONDS) and not self._asking:
            self._closing.wait(_GATHER_SECONDS)
        self._wake.clear()

    def _send_one(self, spool: Spool) -> float:
        """Send a piece: how long to wait before the next one, in seconds; -1 without any."""
        piece = spool.next(max_lines=self._most, max_bytes=_PIECE_BYTES)
        self.counts.dropped += spool.take_dropped()
        if piece is None:
            return -1.0
        answer = post(self._url, self._key, piece.lines)
        if answer.is_final:
            self._note(spool, piece, answer)
            self._failures, self._most = 0, _PIECE_EVENTS
            return 0.0
        if answer.is_about_size and len(piece.lines) > 1:
            self._most = len(piece.lines) // 2
            return 0.0
        if answer.is_about_size:
            self._note(spool, piece, Answer(answer.status, 0, [{"reason": answer.reason}]))
            return 0.0
        self._failures += 1
        log.warning("not sent, and tried again: %s", answer.reason)
        longest = min(_LONGEST_WAIT_SECONDS, _SHORTEST_WAIT_SECONDS * 2 ** min(self._failures, 10))
        return max(answer.retry_after_seconds, random.uniform(longest / 2, longest))  # noqa: S311

    def _note(self, spool: Spool, piece: Piece, answer: Answer) -> None:
        spool.sent(piece)
        self.counts.accepted += answer.accepted
        self.counts.rejected += len(answer.rejected)
        for each in answer.rejected:
            log.warning("rejected: %s, field %s", each.get("reason"), each.get("field"))
            if self._on_rejected is not None:
                with suppress(Exception):
                    self._on_rejected(each)
