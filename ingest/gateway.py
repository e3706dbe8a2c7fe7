"""What one request goes through, in order: key, rate, body, rules, broker.

Next: ingest.auth
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from starlette.datastructures import State
from starlette.requests import Request

from ingest import binary_mode
from ingest.accept import Rules, Verdicts, accept, accept_events, broken_body
from ingest.auth import authenticate
from ingest.bodies import Form, check_size, form_of, read_body, unpack
from ingest.budget import Budget
from ingest.dead_letters import DeadLetters
from ingest.publish import Publisher
from schemas.failpoints import reach
from schemas.metrics import IngestMetrics
from schemas.rate_limits import RateLimits
from schemas.rejects import Reason, Rejected
from schemas.settings import IngestSettings
from sinks.key_ring import KeyRing
from sinks.keys import Key

# Above this, a body is judged on a thread of its own, so that small requests need not wait.
_LARGE_BYTES = 64 * 1024
_LARGE_PACKED_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A request that has been read."""

    body: bytes
    form: Form
    encoding: str
    headers: list[tuple[bytes, bytes]]
    at: datetime


@dataclass(frozen=True)
class Gateway:
    """The parts of the gateway, put together in ingest.app."""

    settings: IngestSettings
    metrics: IngestMetrics
    ring: KeyRing
    request_limits: RateLimits
    event_limits: RateLimits
    budget: Budget
    publisher: Publisher
    dead_letters: DeadLetters
    rules: Rules
    clock: Callable[[], datetime]
    judging: ThreadPoolExecutor

    async def receive(self, request: Request) -> Verdicts:
        """Take the request's events in; on return, the accepted ones are acknowledged.

        Raises Rejected for a request refused as a whole, and Unavailable.
        """
        key = await authenticate(self.ring, request.headers)
        request.state.tenant = key.tenant
        self.request_limits.take(key.tenant, 1, time.monotonic())
        self.event_limits.take(key.tenant, 0, time.monotonic())
        verdicts = await self._judged(request, key)
        events = verdicts.accepted + len(verdicts.rejects)
        self.event_limits.take(key.tenant, events, time.monotonic())
        reach("judged")
        await self._keep(verdicts, key, request.state)
        reach("acknowledged")
        request.state.accepted, request.state.rejected = verdicts.accepted, len(verdicts.rejects)
        return verdicts

    async def _judged(self, request: Request, key: Key) -> Verdicts:
        headers = request.headers
        form = form_of(headers.get("content-type", ""), has_specversion="ce-specversion" in headers)
        limit_bytes = self.settings.body_max_bytes
        check_size(int(headers.get("content-length", "0")), limit_bytes)
        encoding = headers.get("content-encoding", "")
        body = await read_body(request.stream(), limit_bytes=limit_bytes, budget=self.budget)
        judge = partial(self._judge, _Arrived(body, form, encoding, headers.raw, self.clock()), key)
        try:
            if len(body) > (_LARGE_PACKED_BYTES if encoding else _LARGE_BYTES):
                return await asyncio.get_running_loop().run_in_executor(self.judging, judge)
            return judge()
        finally:
            self.budget.give(len(body))

    def _judge(self, arrived: _Arrived, key: Key) -> Verdicts:
        now, rules = arrived.at, self.rules
        try:
            body = unpack(
                arrived.body,
                arrived.encoding,
                limit_bytes=self.settings.body_max_bytes,
                max_ratio=self.settings.decompression_max_ratio,
            )
        except Rejected as reject:
            if reject.reason is not Reason.BAD_ENCODING:
                raise
            return broken_body(arrived.body, reject, now=now)
        if arrived.form is Form.BINARY:
            event = binary_mode.event_of(arrived.headers, body)
            return accept_events([event], key=key, now=now, rules=rules)
        return accept(body, arrived.form, key=key, now=now, rules=rules)

    async def _keep(self, verdicts: Verdicts, key: Key, state: State) -> None:
        if verdicts.rejects:
            self.dead_letters.keep(verdicts, key=key, arrival_id=state.arrival_id)
            for reject in verdicts.rejects:
                self.metrics.events.labels("rejected", reject.reason).inc()
        await self.publisher.publish(verdicts.lines, state.request_id)
        self.metrics.events.labels("accepted", "").inc(verdicts.accepted)
