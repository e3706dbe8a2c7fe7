"""Real workers on a real log and store, and what may be done to all three.

Next: aggregators.__main__
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import orjson
from kafka import KafkaAdminClient, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from deploy import ports
from deploy import topics as log_topics
from schemas import topics
from schemas.kafka_address import KafkaAddress
from sinks.clickhouse import connect
from sinks.migrate import migrate
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.histories import line
from tests.support.kafka_process import KafkaProcess

PARTITIONS = 3
PATIENCE_SECONDS = 90.0
_FOLDED = (
    *("usage_events", "usage_daily", "usage_ledger", "progress", "dead_letters", "log_epochs"),
    "leases",
)


class WorkerProcess:
    """`python -m aggregators` as a child process; its log is JSON.

    `code` is the directory of another release's packages.
    """

    def __init__(self, env: dict[str, str], log: Path, *, code: Path | None = None) -> None:
        self.log = log
        self.metrics_url = f"http://127.0.0.1:{env['USAGE_WORKER_PORT']}/metrics"
        self._begins = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "aggregators"], env=env, stderr=output, cwd=code
            )

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """SIGTERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.exit_status()

    def exit_status(self) -> int:
        """Wait until it ends by itself."""
        return self.process.wait(PATIENCE_SECONDS)

    def entries(self, event: str) -> list[dict[str, str]]:
        """The lines of its log about an event."""
        written = self.log.read_bytes()[self._begins :].splitlines()
        found = []
        for text in written:
            with suppress(orjson.JSONDecodeError):
                found.append(orjson.loads(text))
        return [entry for entry in found if isinstance(entry, dict) and entry.get("event") == event]


class CommandProcess:
    """`usage-report` as a child process."""

    def __init__(self, arguments: Iterable[str], env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", *arguments],
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def finish(self) -> subprocess.CompletedProcess[str]:
        """Wait until it ends."""
        output, errors = self.process.communicate(timeout=PATIENCE_SECONDS * 2)
        return subprocess.CompletedProcess(
            self.process.args, self.process.returncode, output, errors
        )

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.communicate()


class WorkerWorld:
    """An empty log and an empty store, with workers to be started."""

    def __init__(self, root: Path, store: ClickHouseProcess, kafka: KafkaProcess) -> None:
        self.root, self.store, self.kafka = root, store, kafka
        self.workers: list[WorkerProcess] = []
        # Over how many users are hashed: what a gateway is told.
        self.partitions = PARTITIONS
        self._open = ExitStack()
        self.client = connect(store.dsn)
        self._open.callback(self.client.close)
        for table in _FOLDED:
            self.client.command(f"TRUNCATE TABLE {table}")
        self.make_topics()
        self.connect()
        self._open.callback(self.disconnect)

    def connect(self) -> None:
        """New clients of the broker."""
        self.broker = KafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)
        self._producer = KafkaProducer(bootstrap_servers=self.kafka.bootstrap, acks="all")

    def disconnect(self) -> None:
        """Close them: kafka-python leaves sockets open that it could not connect."""
        self._producer.close()
        self.broker.close()

    def hash_over(self, partitions: int) -> None:
        """What gateways do when they are started with another number."""
        self.partitions = partitions
        self.disconnect()
        self.connect()

    def lose_tail(self, *, share: float) -> None:
        """Kill -9 of the broker, which comes back without that share of each partition's end."""
        self.disconnect()
        self.kafka.lose_tail(topics.EVENTS, self.partitions, share=share)
        self.kafka.start()
        self.connect()

    def close(self) -> None:
        """End the workers; the log and the store go on."""
        for worker in self.workers:
            worker.kill()
        self._open.close()

    def make_topics(self) -> None:
        """Create the log's topics."""
        log_topics.ensure(
            KafkaAddress(self.kafka.bootstrap), partitions=PARTITIONS, replication_factor=1
        )

    def worker(
        self, worker_id: str = "worker-1", *, code: Path | None = None, **settings: object
    ) -> WorkerProcess:
        """Start a worker, of another release's `code` if given; settings as USAGE_… names."""
        port = ports.free()
        env = os.environ | {
            "CLICKHOUSE_DSN": self.store.dsn,
            "KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "USAGE_PARTITIONS": str(PARTITIONS),
            "USAGE_STATE_DIR": str(self.root),
            "USAGE_WORKER_PORT": str(port),
            "USAGE_WORKER_ID": worker_id,
            "USAGE_LOG_FORMAT": "json",
            "USAGE_STOP_LINGER_SECONDS": "0",
            **{f"USAGE_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.workers.append(WorkerProcess(env, self.root / f"{worker_id}.log", code=code))
        return self.workers[-1]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`usage-report` on this log and store, to its end."""
        return self.start_command(*arguments).finish()

    def start_command(self, *arguments: str) -> "CommandProcess":
        """`usage-report` on this log and store."""
        addresses = {"CLICKHOUSE_DSN": self.store.dsn, "KAFKA_BOOTSTRAP": self.kafka.bootstrap}
        return CommandProcess(arguments, os.environ | addresses)

    def verified(self) -> int:
        """How many rows differ from their events."""
        done = self.command("verify", "--all", "--json")
        return int(orjson.loads(done.stdout)["differences"])

    def unbalanced(self) -> int:
        """By how much the operator's books are off; the events were received long ago."""
        done = self.command("ledger", "--all", "--days", "3650", "--json")
        return sum(row["difference"] for row in orjson.loads(done.stdout)["partitions"])

    def send(self, ids: Iterable[int], *, tenant: str = "acme", users: int = 20) -> None:
        """One launch per id, as a gateway would append them."""
        by_partition: dict[int, list[bytes]] = {}
        for number in ids:
            user_id = f"user-{number % users}"
            partition = topics.partition_of(tenant, user_id, self.partitions)
            event = line(tenant=tenant, user_id=user_id, id=str(number))
            by_partition.setdefault(partition, []).append(event)
        for partition, lines in by_partition.items():
            for first in range(0, len(lines), 10):
                self.append(partition, lines[first : first + 10])
        self._producer.flush()

    def append(
        self,
        partition: int,
        lines: list[bytes],
        *,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> None:
        """One record."""
        ours = topics.events_headers(count=len(lines), partitions=self.partitions, request_id="r")
        value = b"\n".join(lines) + b"\n"
        self._producer.send(
            topics.EVENTS, value, partition=partition, headers=ours if headers is None else headers
        ).get(30)

    def counted(self, tenant: str = "acme") -> tuple[int, int]:
        """Launches in the tenant's rows, and its stored events."""
        return tuple(self._number(query, tenant) for query in _COUNTED)

    def _number(self, query: str, tenant: str) -> int:
        return int(self.client.query(query, parameters={"tenant": tenant}).result_rows[0][0])

    def committed(self) -> dict[int, int]:
        """The group's offsets."""
        with suppress(KafkaError):
            found = self.broker.list_group_offsets({topics.CONSUMER_GROUP: None})
            offsets = found[topics.CONSUMER_GROUP].items()
            return {tp.partition: at.offset for tp, at in offsets if tp.topic == topics.EVENTS}
        return {}

    def commit(self, offsets: dict[int, int]) -> None:
        """Reset the group's offsets, as soon as Kafka lets: when the group has no members."""
        wanted = {
            TopicPartition(topics.EVENTS, partition): OffsetAndMetadata(offset, "", -1)
            for partition, offset in offsets.items()
        }

        def committed() -> bool:
            with suppress(KafkaError):
                self.broker.alter_group_offsets(topics.CONSUMER_GROUP, wanted)
            return self.committed().items() >= offsets.items()

        self.until(committed)

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait until it happened."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            assert time.monotonic() < deadline, "it never happened"
            time.sleep(0.1)

    def until_counted(self, events: int, tenant: str = "acme") -> None:
        """Wait until rows and stored events number this many."""
        self.until(lambda: self.counted(tenant) == (events, events))


_COUNTED = (
    "SELECT sum(launches) FROM usage_daily FINAL WHERE tenant = {tenant:String}",
    "SELECT count() FROM usage_events FINAL WHERE tenant = {tenant:String}",
)


def migrated(store: ClickHouseProcess) -> None:
    """Bring the store's tables up to date."""
    with closing(connect(store.dsn)) as client:
        migrate(client)
