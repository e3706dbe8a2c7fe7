"""Gateway speed on real Kafka, against the least that such a service does, in one run.

Batches of 100 against pydantic alone; single events against the same gateway without Kafka. The
load is written by a process of its own, whose own limit is measured as well.

Next: tests.bench.visible
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

from deploy import topics as make_topics
from schemas.kafka_address import KafkaAddress
from schemas.topics import DEFAULT_PARTITIONS
from sinks.clickhouse import connect
from sinks.keys import create_key
from sinks.migrate import migrate
from tests.bench.results import Comparison
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.gateway_process import GatewayProcess
from tests.support.kafka_process import KafkaProcess

# No limit of a tenant is to be measured.
UNLIMITED = {"tenant_events_per_second": 1_000_000_000}
BATCH, SINGLE = 100, 1


def measure(directory: Path, *, runs: int, seconds: float) -> Iterator[Comparison]:
    """Every gateway in turn, as often as asked."""
    with ExitStack() as stack:
        gateways = Gateways(directory / "gateway", stack)
        asked = [
            ("ingest", BATCH),
            ("tests.bench.gateway_pydantic", BATCH),
            ("ingest", SINGLE),
            ("tests.bench.gateway_quiet", SINGLE),
            ("tests.bench.gateway_constant", BATCH),
            ("tests.bench.gateway_constant", SINGLE),
        ]
        rates = [
            [gateways.rate(module, events, seconds) for module, events in asked]
            for _ in range(runs)
        ]
    ours, pydantic, single, quiet, most, most_single = map(list, zip(*rates, strict=True))
    batches, singles = "gateway, batches of 100", "gateway, single events"
    yield Comparison(batches, "pydantic alone", "events/s", ours, pydantic, 0.5)
    yield Comparison(singles, "itself without Kafka", "events/s", single, quiet, 0.6)
    # How far the load is from its own limit; these peers are the faster ones.
    limit = "limit of the load"
    yield Comparison(f"{limit}, batches", "pydantic alone", "events/s", most, pydantic, 1.5)
    yield Comparison(f"{limit}, singles", "without Kafka", "events/s", most_single, quiet, 1.5)


class Gateways:
    """The gateway and its peers, beside one Kafka and one ClickHouse."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        clickhouse, kafka = engines(directory, stack)
        self._key = new_key(clickhouse.dsn)
        self._processes = {}
        for module in (
            "ingest",
            "tests.bench.gateway_pydantic",
            "tests.bench.gateway_quiet",
            "tests.bench.gateway_constant",
        ):
            process = GatewayProcess(
                directory / module,
                kafka=kafka.bootstrap,
                clickhouse_dsn=clickhouse.dsn,
                module=module,
                **UNLIMITED,
            )
            stack.callback(process.kill)
            self._processes[module] = process.start(until="/health/live")

    def rate(self, module: str, events: int, seconds: float) -> float:
        """Events a second that one of them answers, in requests of so many events."""
        with load(self._processes[module].port, self._key, events=events, seconds=seconds) as sent:
            return finished(sent)["events_a_second"]


def engines(directory: Path, stack: ExitStack) -> tuple[ClickHouseProcess, KafkaProcess]:
    """A ClickHouse, and a Kafka with the log's topics."""
    clickhouse = ClickHouseProcess(directory / "clickhouse").start()
    stack.callback(clickhouse.kill)
    kafka = stack.enter_context(KafkaProcess(directory / "kafka"))
    make_topics.ensure(
        KafkaAddress(kafka.bootstrap), partitions=DEFAULT_PARTITIONS, replication_factor=1
    )
    return clickhouse, kafka


def new_key(dsn: str) -> str:
    """A key that may send and read, of a store that is migrated first."""
    with closing(connect(dsn)) as client:
        migrate(client)
        scopes = ["ingest", "read"]
        _, key = create_key(client, tenant="bench", scopes=scopes, teams=[], now=datetime.now(UTC))
    return key


def load(port: int, key: str, **options: float) -> subprocess.Popen[str]:
    """`tests.bench.http_load`, started; options as on its command line."""
    named = [
        text
        for name, value in options.items()
        for text in (f"--{name.replace('_', '-')}", str(value))
    ]
    command = [sys.executable, "-m", "tests.bench.http_load", str(port), key, *named]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finished(sent: subprocess.Popen[str]) -> dict[str, float]:
    """What it says of itself at its end."""
    told, _ = sent.communicate()
    if sent.returncode:
        raise RuntimeError("the load failed")
    return json.loads(told)
