"""`usage-report send` and `generate --send` against a real gateway, its Kafka and its keys."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition

from deploy.connection import Connection
from deploy.generate import Load, lines
from deploy.prepare import prepare
from schemas.kafka_address import KafkaAddress
from schemas.settings import StoreSettings
from schemas.topics import EVENTS
from sinks.clickhouse import connect
from sinks.keys import create_key
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.gateway_process import GatewayProcess
from tests.support.kafka_process import KafkaProcess

COMMAND = [sys.executable, "-m", "deploy.cli"]


@dataclass
class Place:
    """A gateway with its engines, and what a command's environment needs to find it."""

    gateway: GatewayProcess
    kafka: KafkaProcess
    environment: dict[str, str]

    def run(self, *arguments: object) -> subprocess.CompletedProcess:
        """Run a command of `usage-report` to its end."""
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: object) -> subprocess.Popen:
        """Start a command of `usage-report`."""
        return subprocess.Popen([*COMMAND, *map(str, arguments)], env=self.environment)

    def identities(self) -> set[tuple[str, str]]:
        """(source, id) of every event on the log."""
        consumer = KafkaConsumer(bootstrap_servers=self.kafka.bootstrap, consumer_timeout_ms=1_000)
        places = [TopicPartition(EVENTS, part) for part in consumer.partitions_for_topic(EVENTS)]
        consumer.assign(places)
        consumer.seek_to_beginning()
        found = set()
        for record in consumer:
            events = map(json.loads, record.value.splitlines())
            found |= {(event["source"], event["id"]) for event in events}
        consumer.close()
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A real gateway over real engines, with a key that may send."""
    root = tmp_path_factory.mktemp("send")
    store = ClickHouseProcess(root / "clickhouse").start()
    with KafkaProcess(root / "kafka") as kafka:
        connection = Connection(clickhouse_dsn=store.dsn, kafka=KafkaAddress(kafka.bootstrap))
        prepare(connection, StoreSettings(partitions=4))
        client = connect(store.dsn)
        scopes = ("ingest", "import")
        _, key = create_key(client, tenant="sample", scopes=scopes, teams=(), now=datetime.now(UTC))
        gateway = GatewayProcess(
            root / "gateway", kafka=kafka.bootstrap, clickhouse_dsn=store.dsn, partitions=4
        ).start()
        environment = {
            **os.environ,
            "USAGE_INGEST_URL": gateway.url,
            "USAGE_KEY": key,
            "CLICKHOUSE_DSN": store.dsn,
            "KAFKA_BOOTSTRAP": kafka.bootstrap,
        }
        yield Place(gateway, kafka, environment)
        gateway.kill()
    store.kill()


def make_file(path: Path, **changed: object) -> set[tuple[str, str]]:
    """Write a load's lines to `path`; their identities."""
    fields = {"events": 5_000, "users": 50, "days": 20, "until": datetime.now(UTC), **changed}
    found = list(lines(Load(**fields)))
    path.write_text("".join(f"{line}\n" for line in found))
    return {(event["source"], event["id"]) for event in map(json.loads, found)}


def test_a_file_arrives_whole(place, tmp_path):
    """Every event of a file is on the log, duplicates are accepted, and the summary says so."""
    wanted = make_file(tmp_path / "load.ndjson", duplicates=0.1, late=0.05, seed=1)
    done = place.run("send", tmp_path / "load.ndjson", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["sent"], summary["accepted"], summary["rejected"]) == (5_000, 5_000, 0)
    assert wanted <= place.identities()
    assert not (tmp_path / "load.ndjson.sent").exists()


def test_rejects_are_named_by_line_and_field(place, tmp_path):
    """Bad lines are told by number, reason and field, on the screen and in a file; exit 1."""
    file, rejects = tmp_path / "load.ndjson", tmp_path / "rejects.ndjson"
    make_file(file, events=200, seed=2)
    good = file.read_text().splitlines()
    unknown = json.dumps({**json.loads(good[0]), "type": "product.dreamt"})
    file.write_text("\n".join([*good[:20], "{not json", *good[20:150], unknown, *good[150:]]))
    done = place.run("send", file, "--rejects", rejects)
    assert done.returncode == 1
    assert "malformed_json" in done.stdout
    written = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert {(reject["line"], reject["reason"]) for reject in written} == {
        (21, "malformed_json"),
        (152, "unknown_type"),
    }
    assert {reject["field"] for reject in written} >= {"type"}


def test_csv_rows_arrive(place, tmp_path):
    """A CSV file with the documented columns is sent; sending it again makes the same events."""
    file = tmp_path / "sample.csv"
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    row = f"{now},product.launched,sample-user-1,sample-team-1,sample-product-cad\n"
    file.write_text("time,type,user_id,team_id,product_id\n" + row * 3)
    before = place.identities()
    for _ in range(2):
        assert place.run("send", file).returncode == 0
    new = place.identities() - before
    assert len(new) == 3
    assert {source for source, _ in new} == {"csv/sample.csv"}


def test_killed_sends_and_killed_gateways_lose_nothing(place, tmp_path):
    """Kill -9 of the sender, then of the gateway while it goes on: all arrives in the end."""
    file = tmp_path / "load.ndjson"
    wanted = make_file(file, events=8_000, seed=3)
    first = place.start("send", file, "--rate", 2_000, "--json")
    while not (tmp_path / "load.ndjson.sent").exists():
        assert first.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    first.kill()
    first.wait()

    def hurt() -> None:
        time.sleep(1.5)
        place.gateway.kill()
        place.gateway.start()

    trouble = threading.Thread(target=hurt)
    trouble.start()
    done = place.run("send", file, "--rate", 2_000, "--json")
    trouble.join()
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert 0 < summary["sent"] < 8_000, "the second run goes on where the first was killed"
    assert wanted <= place.identities()


def test_generate_sends_straight_to_a_gateway(place):
    """`generate --send` makes and sends in one go."""
    done = place.run("generate", "--send", "--events", 500, "--seed", 4, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accepted"] == 500


def test_a_wrong_key_stops_with_one_line(place, tmp_path):
    """A refusal of the gateway is told in one line; nothing is retried for minutes."""
    make_file(tmp_path / "load.ndjson", events=10)
    wrong = {**place.environment, "USAGE_KEY": "ur_0000000000000000_none"}
    done = Place(place.gateway, place.kafka, wrong).run("send", tmp_path / "load.ndjson")
    assert done.returncode == 1
    assert "401" in done.stderr
    assert "Traceback" not in done.stderr
