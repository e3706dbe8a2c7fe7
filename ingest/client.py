"""Client for products: tells a gateway of launches and tokens, and gets in nobody's way.

A call writes one line to a file and returns; a thread of its own sends what is there, again and
again under the same ids until it is answered. So an event outlives a kill of the product, and days
without network. Nothing here raises into the product: what goes wrong is logged and counted.

It needs Python's standard library alone, and is a distribution of its own: see ingest/sdk.

Next: ingest.spool
"""

import atexit
import errno
import json
import logging
import os
import queue
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
_COMPLAINT_SECONDS = 60.0


@dataclass
class Counts:
    """Events of this process: taken, answered (accepted or rejected), and given up.

    `accepted`, `rejected` and `dropped` hold what other processes have left on disk as well.
    """

    taken: int = 0
    accepted: int = 0
    rejected: int = 0
    dropped: int = 0


class Client:
    """Sends usage to the gateway at `url` with `key`.

    `source` names the product's installation, and is with an event's id its identity. `spool` is a
    directory on a local disk, which processes may share. What is older than `max_age_days` or more
    than `max_bytes` a process is dropped, the oldest first. `on_rejected` is told of each event
    that the gateway refused: {"id", "reason", "field", "detail"}. `now` tells the seconds since
    1970. A process that is forked goes on with a part of the spool of its own.
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
        self._url = f"{str(url).rstrip('/')}/v1/events"
        self._key = key
        self._source = source
        self._place = spool
        self._max_bytes, self._max_age_seconds = max_bytes, max_age_days * _DAY_SECONDS
        self._on_rejected = on_rejected
        self._now = now
        self._spool: Spool | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._reset()
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.close)

    def launched(self, user_id: str, *, team_id: str, product_id: str, **more: str) -> None:
        """A product was launched. `more`: product_version, session_id, access, and so on."""
        given = {"team_id": team_id, "product_id": product_id}
        self._take("product.launched", user_id, given | more)

    def consumed(
        self, user_id: str, tokens: Any, *, team_id: str, product_id: str, **more: str
    ) -> None:
        """Tokens were used: a number or a decimal of at most four places."""
        given = {"team_id": team_id, "product_id": product_id, "tokens": tokens}
        self._take("tokens.consumed", user_id, given | more)

    def flush(self, timeout_seconds: float) -> bool:
        """Whether everything taken was answered or given up within that time."""
        if self._closing.is_set():
            return False
        self._begin()
        done = threading.Event()
        self._asking.append(done)
        self._wake.put(None)
        in_time = done.wait(timeout_seconds)
        with suppress(ValueError):  # it was answered
            self._asking.remove(done)
        return in_time

    def close(self, timeout_seconds: float = 2.0) -> None:
        """Send what can be sent in that time; the rest is on disk for the next process."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._wake.put(None)
        atexit.unregister(self.close)
        with suppress(RuntimeError):  # it never began, or it is the one that closes
            if self._thread is not None:
                self._thread.join(timeout_seconds)

    def _reset(self) -> None:
        """As nobody else has it: what a parent's threads held would be held for ever."""
        self._lock = threading.RLock()
        # Unlike an Event it may be used by a signal handler that interrupts its own use.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._asking: list[threading.Event] = []
        self._failures, self._most = 0, _PIECE_EVENTS
        self._complained_at = -_COMPLAINT_SECONDS

    def _begin(self) -> None:
        """Open the spool and start to send, once a process."""
        with self._lock:
            if self._thread is not None:
                return
            self._open()
            self._thread = threading.Thread(target=self._run, name="usage-report", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:
                self._say("events are kept, and sent by the next process: %s", _named(error))

    def _open(self) -> Spool | None:
        """The spool; None without a place for it, and then it is tried again later."""
        if self._spool is None:
            try:
                self._spool = Spool(
                    Path(self._place),
                    max_bytes=self._max_bytes,
                    max_age_seconds=self._max_age_seconds,
                    now=self._now,
                )
            except (OSError, TypeError, ValueError) as error:
                self._complain(error)
        return self._spool

    def _forget(self) -> None:
        """In a child of the process: files and threads are its parent's. A call begins anew."""
        if self._spool is not None:
            self._spool.abandon()
        self._spool = self._thread = None
        self.counts = Counts()
        self._reset()
        if not self._closing.is_set():
            self._closing = threading.Event()

    def _take(self, kind: str, user_id: str, data: dict[str, Any]) -> None:
        try:
            self._keep(self._line(kind, user_id, data))
        except Exception as error:  # noqa: BLE001  -- the product has better things to do
            self._count(dropped=1)
            self._complain(error)
        else:
            self._count(taken=1)
        if self._wake.empty():
            self._wake.put(None)

    def _line(self, kind: str, user_id: str, data: dict[str, Any]) -> bytes:
        if "tokens" in data:
            data["tokens"] = str(data["tokens"])
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
        if len(line) > _LINE_MAX_BYTES:
            raise ValueError(f"it has {len(line)} bytes")
        if self._thread is None and not self._closing.is_set():
            self._begin()
        if self._spool is None:
            raise FileNotFoundError(errno.ENOENT, "there is no spool")
        self._spool.append(line)

    def _count(self, **more: int) -> None:
        with self._lock:
            for name, number in more.items():
                setattr(self.counts, name, getattr(self.counts, name) + number)

    def _complain(self, error: Exception) -> None:
        """Once a minute: a full disk would fill the product's log, too."""
        moment = time.monotonic()
        if moment - self._complained_at >= _COMPLAINT_SECONDS:
            self._complained_at = moment
            self._say("events are lost, %d so far: %s", self.counts.dropped, _named(error))

    def _say(self, text: str, *arguments: object) -> None:
        with suppress(Exception):  # handlers are the product's
            log.warning(text, *arguments)

    def _run(self) -> None:
        """Send until it is closed; what fails in an unknown way is tried again later, too."""
        wait_seconds = 0.0
        while True:
            self._closing.wait(wait_seconds)
            asking = list(self._asking)
            try:
                wait_seconds = self._send_one()
            except Exception as error:  # noqa: BLE001  -- the thread must not end
                wait_seconds = self._failed(_named(error))
            if wait_seconds < 0:  # there is nothing to send
                for done in asking:
                    done.set()
            if wait_seconds and self._closing.is_set():
                break
            if wait_seconds < 0:
                self._wait_for_more()
                wait_seconds = 0.0
        if self._spool is not None:
            self._spool.close()

    def _wait_for_more(self) -> None:
        """Until something is taken, and a moment longer: more may follow. Others may leave some."""
        with suppress(queue.Empty):
            self._wake.get(timeout=_LOOK_SECONDS)
            if not self._asking:
                self._closing.wait(_GATHER_SECONDS)
            while True:
                self._wake.get_nowait()

    def _send_one(self) -> float:
        """Send a piece: how long to wait before the next one, in seconds; -1 without any."""
        spool = self._open()
        if spool is None:
            return -1.0
        piece = spool.next(max_lines=self._most, max_bytes=_PIECE_BYTES)
        self._count(dropped=spool.take_dropped())
        if piece is None:
            return -1.0
        answer = post(self._url, self._key, piece.lines)
        if answer.is_about_size and len(piece.lines) > 1:
            self._most = len(piece.lines) // 2
            return 0.0
        if answer.is_about_size:
            answer = Answer(answer.status, 0, [{"reason": answer.reason}])
        if not answer.is_final:
            return max(answer.retry_after_seconds, self._failed(answer.reason))
        self._note(spool, piece, answer)
        self._failures, self._most = 0, _PIECE_EVENTS
        return 0.0

    def _failed(self, reason: str) -> float:
        """Seconds until it is tried again."""
        self._failures += 1
        self._say("not sent, and tried again: %s", reason)
        longest = min(_LONGEST_WAIT_SECONDS, _SHORTEST_WAIT_SECONDS * 2 ** min(self._failures, 10))
        return random.uniform(longest / 2, longest)  # noqa: S311

    def _note(self, spool: Spool, piece: Piece, answer: Answer) -> None:
        spool.sent(piece)
        self._count(accepted=answer.accepted, rejected=len(answer.rejected))
        for each in answer.rejected:
            self._say("rejected: %s, field %s", each.get("reason"), each.get("field"))
            if self._on_rejected is not None:
                with suppress(Exception):
                    self._on_rejected(each)


def _named(error: Exception) -> str:
    """What went wrong, without what an event holds."""
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__
