"""The report over many tenants' rows, against its own SQL at the engine and against raw events.

One tenant of twenty is asked for its last twelve months, sorted by days used; then a report of as
many rows as asked is exported, against the engine's own CSV. While the table grows, a tenant that
stays as it is is asked too.

Next: tests.bench.results
"""

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import orjson
from clickhouse_connect.driver.client import Client

from sinks.clickhouse import connect
from sinks.keys import create_key
from sinks.migrate import migrate
from sinks.settle import Settler
from tests.bench.results import Comparison, Delay, Growth, percentile
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.many_rows import insert_many, settle, wait_for_merges
from tests.support.query_process import QueryProcess
from tests.support.query_server import NOW

ASKED, STEADY, EXPORTED = "sample-asked", "sample-steady", "sample-exported"
TENANTS = 20
# The steady tenant is asked when there is a hundredth of all rows, a tenth, and all.
_STAGES = (100, 10, 1)
# One in five rows is of the tenant that is asked for.
ASKED_SHARE = 5
DAYS_EACH = 200
# On average, as in the load of the worker.
EVENTS_A_ROW = 5
WEEKS = 52
# A user of a tenant that is asked has one row in the report.
PAGE_ROWS = 50
# 200 of the last 364 days of each user, in an order that no user shares with the next.
_USE = """
INSERT INTO usage_daily
SELECT
    {tenant:String}, concat('user-', toString(number % {users:UInt64})) AS user,
    concat('product-', toString(number % 50)), '2026', concat('team-', toString(number % 20)),
    'subscription',
    {last:Date} - (number % {users:UInt64} + 9 * intDiv(number, {users:UInt64})) % 364 AS used,
    1 + number % 9, 0,
    toDateTime64(used, 3, 'UTC') + 60, toDateTime64(used, 3, 'UTC') + 3600, 0, 1 + number, 1
FROM numbers({users:UInt64} * {days:UInt64})
SETTINGS max_partitions_per_insert_block = 0
"""
_EVENTS = """
INSERT INTO usage_events (
    tenant, user_id, day, source, id, type, time, received_at, team_id, product_id, access, tokens,
    product_version, partition, position, seq
)
SELECT
    tenant, user_id, day, 'sample', concat(toString(position), '-', toString(number)),
    'product.launched', first_at + 60 * number, first_at, team_id, product_id, access, 0,
    product_version, 0, position, number
FROM usage_daily
ARRAY JOIN range({each:UInt8}) AS number
WHERE tenant = {tenant:String}
SETTINGS max_partitions_per_insert_block = 0
"""
# What a metering service does at each question.
_FROM_EVENTS = """
SELECT
    user_id, product_id, team_id, access, uniqExact(day) AS days_used,
    countIf(type = 'product.launched'), sum(tokens), max(time)
FROM usage_events FINAL
WHERE tenant = {tenant:String} AND day BETWEEN {from:Date} AND {to:Date}
GROUP BY user_id, product_id, team_id, access
ORDER BY days_used DESC, user_id LIMIT 50
SETTINGS do_not_merge_across_partitions_select_final = 1
"""


@dataclass(frozen=True)
class Answers:
    """Seconds of each answer, at the client and at the engine."""

    served: list[float]
    engine: list[float]


def measure(
    directory: Path, *, rows: int, exported: int, runs: int, loads: int, kept: dict[str, Growth]
) -> Iterator[Comparison | Delay]:
    """Ask `loads` times a run, of `rows` rows of usage in all; `kept` gets how it grew."""
    with ExitStack() as stack:
        many = ManyRows(directory / "report", rows, exported, loads, stack)
        answers = [many.ask(loads) for _ in range(runs)]
        raw = [many.from_events() for _ in range(runs)]
        exports = [many.export() for _ in range(runs)]
    what = f"report of 12 months, {rows / 1e6:g} million rows"
    served, engine = (
        [percentile(getattr(each, side), 50) for each in answers] for side in ("served", "engine")
    )
    slowest = [percentile(each.served, 99) for each in answers]
    yield Delay(f"{what}, p50", "itself", served, 0.2)
    yield Delay(f"{what}, p99", "itself", slowest, 0.5)
    yield Comparison(what, "its SQL alone", "a second", _rates(served), _rates(engine), 1 / 1.3)
    yield Comparison(what, "from events", "a second", _rates(served), _rates(raw), 20)
    ours, bare = (_rates(each) for each in zip(*exports, strict=True))
    sizes = [rows // stage for stage in _STAGES]
    kept["report"] = Growth("report of a tenant among others", "seconds", sizes, many.steady)
    yield from grown(many.steady, sizes)
    yield Comparison(f"CSV of {exported:,} rows", "the engine's CSV", "a second", ours, bare, 0.5)


def grown(steady: list[list[float]], sizes: list[int]) -> Iterator[Comparison]:
    """The steady tenant's report at each stage against the first: no worse than the rows' log."""
    first, *later = steady
    for size, seconds in zip(sizes[1:], later, strict=True):
        what, against = f"report among {size / 1e6:g} million rows", f"among {sizes[0] / 1e6:g}"
        goal = math.log(sizes[0]) / math.log(size)
        yield Comparison(what, against, "a second", _rates(seconds), _rates(first), goal)


def _rates(seconds: list[float]) -> list[float]:
    return [1 / each for each in seconds]


class ManyRows:
    """ClickHouse with everybody's rows, and a query service over it."""

    def __init__(
        self, directory: Path, rows: int, exported: int, loads: int, stack: ExitStack
    ) -> None:
        clickhouse = ClickHouseProcess(directory / "clickhouse").start()
        stack.callback(clickhouse.kill)
        self._log = clickhouse.data_dir / "query_log.jsonl"
        self._client = connect(clickhouse.dsn, timeout_seconds=3600)
        self._url = clickhouse.dsn.replace("clickhouse://default:@", "http://").rsplit("/", 1)[0]
        # Told once: the day may change while it is measured.
        self._last = datetime.now(UTC).date()
        self._first = self._last - timedelta(weeks=WEEKS) + timedelta(days=1)
        migrate(self._client)
        insert_many(self._client, EXPORTED, exported)
        self._exported = exported
        self._keys = {each: _key(self._client, each) for each in (ASKED, STEADY, EXPORTED)}
        self._query = QueryProcess(clickhouse.dsn, directory).start()
        stack.callback(self._query.stop)
        self.steady: list[list[float]] = []
        self._fill(rows, loads)

    def _fill(self, rows: int, loads: int) -> None:
        """Stage by stage; `steady` gets the seconds of each."""
        filled = max(rows // _STAGES[0] // TENANTS, PAGE_ROWS * DAYS_EACH)
        self._use(STEADY, filled)
        for stage in _STAGES:
            more = rows // stage - filled
            asked = rows // ASKED_SHARE if stage == 1 else 0
            self._use(ASKED, asked)
            for number in range(1, TENANTS):
                self._use(f"sample-{number}-of-{rows // stage}", (more - asked) // (TENANTS - 1))
            filled += more
            settle(self._client)
            wait_for_merges(self._client)
            # As the query service does when a month has been quiet for an hour.
            Settler(quiet_seconds=0).round(self._client, self._last)
            self.steady.append(self.ask(loads, STEADY).served)
        self._client.command(_EVENTS, parameters={"tenant": ASKED, "each": EVENTS_A_ROW})
        wait_for_merges(self._client)

    def _use(self, tenant: str, rows: int) -> None:
        values = {"tenant": tenant, "users": rows // DAYS_EACH, "days": DAYS_EACH}
        if rows >= DAYS_EACH:
            self._client.command(_USE, parameters={**values, "last": self._last})

    def ask(self, loads: int, tenant: str = ASKED) -> Answers:
        """The first page of a tenant's report, as often as asked, after once more."""
        days = {"from": str(self._first), "to": str(self._last)}
        question = {**days, "sort": "-days_used", "limit": str(PAGE_ROWS)}
        served, engine = [], []
        headers = {"Authorization": f"Bearer {self._keys[tenant]}"}
        url = f"http://127.0.0.1:{self._query.port}/v1/report"
        with httpx.Client(headers=headers, timeout=600) as client:
            for _ in range(loads + 1):
                place, begun = self._log.stat().st_size, time.monotonic()
                answer = client.get(url, params=question)
                served.append(time.monotonic() - begun)
                answer.raise_for_status()
                assert len(answer.json()["rows"]) == PAGE_ROWS
                engine.append(self._seconds_since(place))
        return Answers(served[1:], engine[1:])

    def _seconds_since(self, place: int) -> float:
        """What the engine took for what was asked since its log was so long."""
        with self._log.open("rb") as log:
            log.seek(place)
            return sum(orjson.loads(line)["seconds"] for line in log)

    def from_events(self) -> float:
        """Seconds of the same question to the events."""
        values = {"tenant": ASKED, "from": self._first, "to": self._last}
        begun = time.monotonic()
        assert len(self._client.query(_FROM_EVENTS, parameters=values).result_rows) == 50
        return time.monotonic() - begun

    def export(self) -> tuple[float, float]:
        """Seconds of our CSV of a report, and of the engine's CSV of as many rows of the table."""
        begun = time.monotonic()
        asked = "from=2026-03-15&to=2026-05-31"
        rows, _ = self._query.export(self._keys[EXPORTED], "csv", asked)
        ours = time.monotonic() - begun
        assert rows == self._exported
        sql = f"SELECT * FROM usage.usage_daily FINAL WHERE tenant = '{EXPORTED}' FORMAT CSV"
        begun = time.monotonic()
        with httpx.stream("POST", self._url, content=sql, timeout=600) as answer:
            answer.raise_for_status()
            lines = sum(piece.count(b"\n") for piece in answer.iter_raw())
        assert lines == self._exported
        return ours, time.monotonic() - begun


def _key(client: Client, tenant: str) -> str:
    _, key = create_key(client, tenant=tenant, scopes=["read"], teams=[], now=NOW)
    return key
