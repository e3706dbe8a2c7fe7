"""Worker speed through real Kafka and both inserts, against its peers, in one run.

All read a topic that is already full, with the same events, in batches of the same size; all print
a line a flush. The rate counts events after the first flush over the time since it, so start-up is
nobody's cost.

Next: tests.bench.gateway_speed
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import MemberToRemove

from deploy import ports
from deploy import topics as make_topics
from deploy.log_offsets import admin
from schemas import topics
from schemas.kafka_address import KafkaAddress
from sinks.clickhouse import connect
from sinks.migrate import migrate
from tests.bench.loads import Load, lines, send_record
from tests.bench.plain_fold import BATCH_EVENTS, EVENTS_A_RECORD
from tests.bench.results import Comparison
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.kafka_process import KafkaProcess
from tests.support.many_rows import wait_for_merges

PLAIN_TOPIC = "bench.plain"
_START_SECONDS = 120.0
# The peers' packages are kept out of the product's environment; `make bench` installs them.
_ROOT = Path(__file__).parents[2]
_PEERS_PYTHON = str(_ROOT / ".venv-bench" / "bin" / "python")


@dataclass(frozen=True)
class Side:
    """A process that reads everything; `stores`: into both tables."""

    name: str
    command: tuple[str, ...]
    stores: bool = True


@dataclass(frozen=True)
class Peer:
    """A side that we are compared with, and the least ratio that is wanted."""

    side: Side
    goal: float


OURS = Side("ours", (sys.executable, "-m", "aggregators"))
PLAIN_FAUST = Side("plain Faust", (sys.executable, "-m", "tests.bench.plain_faust"))
QUIXSTREAMS = Side("quixstreams", (_PEERS_PYTHON, "-m", "tests.bench.peer_quixstreams"))
BYTEWAX = Side("bytewax", (_PEERS_PYTHON, "-m", "bytewax.run", "tests.bench.peer_bytewax:flow"))
BARE = Side(
    "bare consume and decode", (sys.executable, "-m", "tests.bench.bare_consume"), stores=False
)

_USERS_BEHIND = 100_000
_BEHIND = (
    """
    INSERT INTO usage_daily
    SELECT
        'bench', concat('bench-user-', toString(number % {users:UInt64} AS user)),
        concat('bench-product-', toString(user % 10)), '1.0', 'bench-team', 'flex',
        today() - 1 - intDiv(number, {users:UInt64}) AS used,
        0, 1, toDateTime64(used, 3, 'UTC') + 60, toDateTime64(used, 3, 'UTC') + 3600, 0,
        1 + number, 1
    FROM numbers({rows:UInt64})
    SETTINGS max_partitions_per_insert_block = 0
    """,
    """
    INSERT INTO usage_events (
        tenant, user_id, day, source, id, type, time, received_at, team_id, product_id, access,
        tokens, product_version, partition, position, seq
    )
    SELECT
        tenant, user_id, day, 'bench', concat('event-behind-', toString(position)),
        'tokens.consumed', first_at, first_at, team_id, product_id, access, 1, '1.0', 0, position, 0
    FROM usage_daily
    SETTINGS max_partitions_per_insert_block = 0
    """,
)

# What is measured: events a row on average, and the peers.
LOADS = {
    "worker, 5 events a row": (
        5,
        (Peer(PLAIN_FAUST, 15), Peer(QUIXSTREAMS, 5), Peer(BYTEWAX, 5), Peer(BARE, 0.25)),
    ),
    "worker, every event a row": (1, (Peer(PLAIN_FAUST, 10),)),
}


def measure(
    directory: Path, *, events: int, runs: int, longest_seconds: float
) -> Iterator[Comparison]:
    """Each load with all its peers in turn, as often as asked.

    A side is stopped when it has folded everything, or `longest_seconds` after it began to.
    """
    for number, (what, (events_a_row, peers)) in enumerate(LOADS.items()):
        sides = (OURS, *(peer.side for peer in peers))
        with ExitStack() as stack:
            load = Load(events, events_a_row)
            bench = Bench(directory / f"worker-{number}", load, longest_seconds, stack)
            rates = [[bench.run(side, run) for side in sides] for run in range(runs)]
        ours, *others = map(list, zip(*rates, strict=True))
        for peer, theirs in zip(peers, others, strict=True):
            yield Comparison(what, peer.side.name, "events/s", ours, theirs, peer.goal)


class Bench:
    """Kafka and ClickHouse of its own, filled once; each run starts from an empty store."""

    def __init__(
        self, directory: Path, load: Load, longest_seconds: float, stack: ExitStack
    ) -> None:
        self._directory = directory
        self._load = load
        self._longest_seconds = longest_seconds
        self._clickhouse = ClickHouseProcess(directory / "clickhouse").start()
        stack.callback(self._clickhouse.kill)
        self._kafka = stack.enter_context(KafkaProcess(directory / "kafka"))
        self._fill()

    def _fill(self) -> None:
        make_topics.ensure(KafkaAddress(self._kafka.bootstrap), partitions=12, replication_factor=1)
        producer = KafkaProducer(
            bootstrap_servers=self._kafka.bootstrap, compression_type="lz4", linger_ms=20
        )
        make_topic(self._kafka.bootstrap, PLAIN_TOPIC, partitions=12)
        waiting: dict[int, list[bytes]] = {}
        for user, line in lines(self._load):
            partition = topics.partition_of("bench", user, 12)
            producer.send(PLAIN_TOPIC, partition=partition, value=line)
            waiting.setdefault(partition, []).append(line)
            if len(waiting[partition]) == EVENTS_A_RECORD:
                send_record(producer, partition, waiting.pop(partition))
        for partition, rest in waiting.items():
            send_record(producer, partition, rest)
        producer.flush()
        producer.close()

    def run(self, side: Side, run: int, *, rows_behind: int = 0) -> float:
        """Events a second of a side reading everything from the start, over so many rows."""
        database = f"bench_{side.name.replace(' ', '_')}_{run}"
        server = connect(self._clickhouse.dsn)
        server.command(f"CREATE DATABASE {database}")
        dsn = self._clickhouse.dsn.rsplit("/", 1)[0] + f"/{database}"
        client = connect(dsn)
        migrate(client)
        if rows_behind:
            put_behind(client, rows_behind)
        log = self._directory / f"{database}.log"
        environment = {
            **os.environ,
            "PYTHONPATH": str(_ROOT),
            "CLICKHOUSE_DSN": dsn,
            "KAFKA_BOOTSTRAP": self._kafka.bootstrap,
            "BENCH_TOPIC": PLAIN_TOPIC,
            "BENCH_GROUP": database,
            "USAGE_STATE_DIR": str(self._directory / database),
            "USAGE_BATCH_MAX_RECORDS": str(BATCH_EVENTS // EVENTS_A_RECORD),
            "USAGE_WORKER_PORT": str(ports.free()),
            "USAGE_LOG_FORMAT": "json",
        }
        with log.open("wb") as out:
            process = subprocess.Popen(
                # Some peers keep files where they are started.
                side.command,
                cwd=self._directory,
                env=environment,
                stdout=out,
                stderr=out,
            )
            try:
                self._wait_for_all(log, process)
            finally:
                process.kill()
                process.wait()
        found = flushes(log)
        forget_offsets(self._kafka.bootstrap)
        if side.stores and not rows_behind:
            self._check(client, sum(stored for _, stored in found))
        client.close()
        server.command(f"DROP DATABASE {database}")
        server.close()
        return rate(found)

    def _wait_for_all(self, log: Path, process: subprocess.Popen[bytes]) -> None:
        started = time.time()
        while not self._is_over(found := flushes(log)):
            slow = not found and time.time() - started > _START_SECONDS
            if slow or process.poll() is not None:
                raise RuntimeError(log.read_text()[-4000:])
            time.sleep(0.2)

    def _is_over(self, found: list[tuple[float, int]]) -> bool:
        if sum(stored for _, stored in found) >= self._load.events:
            return True
        return bool(found) and time.time() - found[0][0] > self._longest_seconds

    def _check(self, client: Client, flushed: int) -> None:
        """What was flushed is in both tables; a batch that was cut off may be in one already."""
        events = client.query("SELECT count() FROM usage_events FINAL").result_rows[0][0]
        rows = client.query("SELECT sum(tokens) FROM usage_daily FINAL").result_rows[0][0]
        tokens = round(rows * 10_000)  # each event is of 0.0001
        if not flushed <= tokens <= events <= self._load.events:
            raise RuntimeError(f"{flushed} events flushed, {events} stored, {tokens} in rows")


def put_behind(client: Client, rows: int) -> None:
    """So many rows of the days before, with an event each, of the load's users."""
    parameters = {"rows": rows, "users": min(rows, _USERS_BEHIND)}
    for statement in _BEHIND:
        client.command(statement, parameters=parameters)
    wait_for_merges(client)


def flushes(log: Path) -> list[tuple[float, int]]:
    """(time, events stored) of each flush printed so far."""
    found = []
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith("{") and line.endswith("}"):
            entry = json.loads(line)
            if entry.get("event") == "flushed":
                at = entry.get("at") or datetime.fromisoformat(entry["timestamp"]).timestamp()
                found.append((at, entry["stored"]))
    return found


def rate(found: list[tuple[float, int]]) -> float:
    """Events a second after the first flush."""
    if len(found) < 2:
        raise RuntimeError("everything fitted into one batch: give more events")
    return sum(stored for _, stored in found[1:]) / (found[-1][0] - found[0][0])


def make_topic(bootstrap: str, name: str, *, partitions: int) -> None:
    """A topic for the peer."""
    options = {"num_partitions": partitions, "replication_factor": 1}
    with admin(KafkaAddress(bootstrap)) as client:
        client.create_topics({name: options}, wait_for_metadata=True)


def forget_offsets(bootstrap: str) -> None:
    """Every consumer group begins at the start again."""
    with admin(KafkaAddress(bootstrap)) as client:
        for group in client.list_groups():
            remove_members(client, group["group_id"])
            client.delete_groups([group["group_id"]])


def remove_members(client: KafkaAdminClient, group: str) -> None:
    """A killed consumer is a member until its session ends; a group with members can't go."""
    members = client.describe_groups([group])[group]["members"]
    if members:
        gone = [MemberToRemove(member["member_id"]) for member in members]
        client.remove_group_members(group, gone)
