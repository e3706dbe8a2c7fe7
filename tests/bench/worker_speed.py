"""Worker speed through real Kafka and both inserts, against a plain Faust agent, in one run.

Both read a topic that is already full, with the same events; both print a line a flush. The rate
counts events after the first flush over the time since it, so start-up is nobody's cost.

Next: tests.bench.__main__
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clickhouse_connect.driver.client import Client
from kafka import KafkaAdminClient, KafkaProducer

from deploy import ports
from deploy import topics as make_topics
from deploy.log_offsets import admin
from schemas import topics
from schemas.events import COLUMNS, format_time
from sinks.clickhouse import connect
from sinks.migrate import migrate
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.kafka_process import KafkaProcess

PLAIN_TOPIC = "bench.plain"
EVENTS_A_RECORD = 100
_WAIT_SECONDS = 120.0


@dataclass(frozen=True)
class Load:
    """How many events, and how many of them share a row on average."""

    events: int
    events_a_row: int


def lines(load: Load) -> Iterator[tuple[str, bytes]]:
    """(user, line) of each event; the same for both sides."""
    now = datetime.now(UTC)
    users = max(1, load.events // load.events_a_row)
    for index in range(load.events):
        user = f"bench-user-{index % users}"
        moment = format_time(now - timedelta(milliseconds=load.events - index))
        values = (
            *("bench", moment, "bench", f"event-{index}", "tokens.consumed", user, moment),
            *("bench-team", f"bench-product-{user[-1]}", "flex", "0.0001", "1.0", "", "", ""),
        )
        yield user, json.dumps(dict(zip(COLUMNS, values, strict=True))).encode()


class Bench:
    """Kafka and ClickHouse of its own, filled once; each run starts from an empty store."""

    def __init__(self, directory: Path, load: Load, stack: ExitStack) -> None:
        self._directory = directory
        self._load = load
        self._clickhouse = ClickHouseProcess(directory / "clickhouse").start()
        stack.callback(self._clickhouse.kill)
        self._kafka = stack.enter_context(KafkaProcess(directory / "kafka"))
        self._fill()

    def _fill(self) -> None:
        make_topics.ensure(self._kafka.bootstrap, partitions=12, replication_factor=1)
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

    def run(self, module: str, run: int) -> float:
        """Events a second of `module` reading everything from the start."""
        database = f"bench_{module.replace('.', '_')}_{run}"
        server = connect(self._clickhouse.dsn)
        server.command(f"CREATE DATABASE {database}")
        dsn = self._clickhouse.dsn.rsplit("/", 1)[0] + f"/{database}"
        client = connect(dsn)
        migrate(client)
        log = self._directory / f"{database}.log"
        environment = {
            **os.environ,
            "CLICKHOUSE_DSN": dsn,
            "KAFKA_BOOTSTRAP": self._kafka.bootstrap,
            "BENCH_TOPIC": PLAIN_TOPIC,
            "USAGE_STATE_DIR": str(self._directory / database),
            "USAGE_WORKER_PORT": str(ports.free()),
            "USAGE_LOG_FORMAT": "json",
        }
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", module], env=environment, stdout=out, stderr=out
            )
            try:
                self._wait_for_all(log, process)
            finally:
                process.kill()
                process.wait()
        forget_offsets(self._kafka.bootstrap)
        self._check(client)
        server.command(f"DROP DATABASE {database}")
        return rate(flushes(log))

    def _wait_for_all(self, log: Path, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _WAIT_SECONDS
        while sum(stored for _, stored in flushes(log)) < self._load.events:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text()[-4000:])
            time.sleep(0.2)

    def _check(self, client: Client) -> None:
        sql = "SELECT count() FROM usage_events FINAL"
        rows = client.query("SELECT toFloat64(sum(tokens)) FROM usage_daily FINAL").result_rows
        stored = client.query(sql).result_rows[0][0]
        wanted = self._load.events
        if stored != wanted or abs(rows[0][0] - wanted * 0.0001) > 1e-6:
            raise RuntimeError(f"{stored} events and {rows[0][0]} tokens of {wanted} events")


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
    return sum(stored for _, stored in found[1:]) / (found[-1][0] - found[0][0])


def send_record(producer: KafkaProducer, partition: int, held: list[bytes]) -> None:
    """One record of many events, as a gateway writes it."""
    producer.send(
        topics.EVENTS,
        partition=partition,
        value=b"\n".join(held) + b"\n",
        headers=topics.events_headers(count=len(held), partitions=12, request_id="bench"),
    )


def make_topic(bootstrap: str, name: str, *, partitions: int) -> None:
    """A topic for the peer."""
    options = {"num_partitions": partitions, "replication_factor": 1}
    with admin(bootstrap) as client:
        client.create_topics({name: options}, wait_for_metadata=True)


def forget_offsets(bootstrap: str) -> None:
    """Every consumer group begins at the start again."""
    with admin(bootstrap) as client:
        for group in client.list_groups():
            remove_members(client, group["group_id"])
            client.delete_groups([group["group_id"]])


def remove_members(client: KafkaAdminClient, group: str) -> None:
    """A killed consumer is a member until its session ends; a group with members can't go."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        described = client.describe_groups([group])[group]
        if not described["members"]:
            return
        time.sleep(0.5)


def summary(ours: list[float], plain: list[float]) -> dict[str, float]:
    """Medians and their ratio, and the extremes of the ratio pair by pair."""
    ratios = [a / b for a, b in zip(ours, plain, strict=True)]
    return {
        "ours": statistics.median(ours),
        "plain_faust": statistics.median(plain),
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
    }
