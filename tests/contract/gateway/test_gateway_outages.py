"""The gateway while what it depends on is away: no false 2xx, no hang, no unbounded memory.

What holds is asserted, and time only where the contract promises one.
"""

import asyncio
import os
import signal
import time
import uuid
from collections import Counter
from datetime import UTC, datetime

import httpx
import pytest

from deploy import topics
from schemas.kafka_address import KafkaAddress
from schemas.topics import DEFAULT_PARTITIONS, EVENTS
from sinks.clickhouse import connect
from sinks.keys import create_key
from sinks.migrate import migrate
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.gateway_process import GatewayProcess, wait_until
from tests.support.kafka_process import KafkaProcess
from tests.support.topic_reader import TopicReader

ACK_SECONDS = 4
BUFFER_BYTES = 1 << 20


@pytest.fixture
def kafka(tmp_path):
    """A broker of this test's own, to be hurt, with the log's topics."""
    with KafkaProcess(tmp_path / "kafka") as process:
        topics.ensure(
            KafkaAddress(process.bootstrap), partitions=DEFAULT_PARTITIONS, replication_factor=1
        )
        yield process


@pytest.fixture
def key(store_client):
    """A key that may send events."""
    now = datetime.now(UTC)
    return create_key(store_client, tenant="sample", scopes=["ingest"], teams=[], now=now)[1]


@pytest.fixture
def gateway(kafka, clickhouse_dsn, key, tmp_path):
    """A gateway with a short time-out and a small buffer."""
    process = GatewayProcess(
        tmp_path / "gateway",
        kafka=kafka.bootstrap,
        clickhouse_dsn=clickhouse_dsn,
        ack_timeout_seconds=ACK_SECONDS,
        buffer_max_bytes=BUFFER_BYTES,
    ).start()
    yield process
    process.kill()


def events(count):
    """Launches of now by many users, with ids of their own."""
    return [
        {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": "sample/desktop",
            "type": "product.launched",
            "subject": f"sample-user-{number}",
            "data": {"team_id": "sample-team", "product_id": "sample-product"},
        }
        for number in range(count)
    ]


def post(gateway, key, count=1):
    """Send so many events."""
    headers = {"X-API-Key": key}
    return httpx.post(f"{gateway.url}/v1/events", json=events(count), headers=headers, timeout=60)


class Load:
    """Requests from many clients at once; the ids of the acknowledged, and all answers."""

    def __init__(self, gateway, key):
        self.url, self.headers = f"{gateway.url}/v1/events", {"X-API-Key": key}
        self.acked, self.codes, self.slowest_seconds = set(), Counter(), 0.0

    async def run(self, *, clients, seconds):
        """Send batches of 50 for so long."""
        end = time.monotonic() + seconds
        limits = httpx.Limits(max_connections=clients)
        async with httpx.AsyncClient(headers=self.headers, timeout=60, limits=limits) as http:
            await asyncio.gather(*(self._send(http, end) for _ in range(clients)))
        # Connections are closed on a later turn of the loop, which is about to end.
        await asyncio.sleep(0.1)

    async def _send(self, http, end):
        while time.monotonic() < end:
            batch = events(50)
            begun = time.monotonic()
            try:
                answer = await http.post(self.url, json=batch)
            except httpx.TransportError:
                self.codes["unanswered"] += 1
                return
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - begun)
            self.codes[answer.status_code] += 1
            if answer.status_code == 202:
                self.acked |= {event["id"] for event in batch}
            else:
                assert int(answer.headers["retry-after"]) >= 1
                await asyncio.sleep(0.1)


def assert_all_on_the_log(kafka, acked):
    """Every acknowledged event is there."""
    with TopicReader(kafka.bootstrap, EVENTS, from_start=True) as reader:
        assert acked <= {line["id"] for line in reader.lines()}


@pytest.mark.parametrize("how", ["kill", "pause"])
def test_a_broker_that_goes_away_under_load(kafka, gateway, key, how):
    """503 within the time-out and bounded memory; then it takes events again, and none is lost."""
    before = Load(gateway, key)
    asyncio.run(before.run(clients=20, seconds=2))
    assert set(before.codes) == {202}

    getattr(kafka, how)()
    while_away = Load(gateway, key)
    asyncio.run(while_away.run(clients=60, seconds=3 * ACK_SECONDS))
    assert set(while_away.codes) <= {202, 503}
    assert while_away.codes[503] > 0
    assert while_away.slowest_seconds < 3 * ACK_SECONDS
    assert gateway.metric("usage_ingest_buffer_bytes") <= BUFFER_BYTES
    assert gateway.memory_bytes() < 400 << 20
    assert gateway.answers("/health/live")
    assert not gateway.answers("/health/ready")

    kafka.start() if how == "kill" else kafka.resume()
    wait_until(lambda: post(gateway, key).status_code == 202, seconds=60)
    after = Load(gateway, key)
    asyncio.run(after.run(clients=20, seconds=2))
    assert after.codes[202] > 0
    wait_until(lambda: gateway.metric("usage_ingest_buffer_bytes") == 0, seconds=60)
    assert gateway.answers("/health/ready")
    assert_all_on_the_log(kafka, before.acked | while_away.acked | after.acked)


def test_a_buffer_that_is_full_is_a_503_at_once(kafka, gateway, key):
    """What is waiting never grows past the limit, and no request waits for room."""
    kafka.pause()
    try:
        answers = asyncio.run(at_once(gateway, key, requests=12, count=600))
        assert set(answers) == {503}
        assert max(gateway_peak(gateway)) <= BUFFER_BYTES
    finally:
        kafka.resume()
    wait_until(lambda: post(gateway, key).status_code == 202, seconds=60)


async def at_once(gateway, key, *, requests, count):
    """The codes of requests sent together."""
    async with httpx.AsyncClient(headers={"X-API-Key": key}, timeout=60) as http:
        posts = [http.post(f"{gateway.url}/v1/events", json=events(count)) for _ in range(requests)]
        return [answer.status_code for answer in await asyncio.gather(*posts)]


def gateway_peak(gateway):
    """The bytes waiting now."""
    return [gateway.metric("usage_ingest_buffer_bytes")]


def test_it_starts_before_its_broker(clickhouse_dsn, key, tmp_path):
    """Live at once, 503 while there is no broker or no topic, and ready when both are there."""
    kafka = KafkaProcess(tmp_path / "kafka")
    gateway = GatewayProcess(
        tmp_path / "gateway",
        kafka=kafka.bootstrap,
        clickhouse_dsn=clickhouse_dsn,
        ack_timeout_seconds=ACK_SECONDS,
    ).start(until="/health/live")
    try:
        assert post(gateway, key).status_code == 503
        kafka.start()
        assert post(gateway, key).status_code == 503
        assert not gateway.answers("/health/ready")
        topics.ensure(
            KafkaAddress(kafka.bootstrap), partitions=DEFAULT_PARTITIONS, replication_factor=1
        )
        wait_until(lambda: gateway.answers("/health/ready"), seconds=60)
        assert post(gateway, key).status_code == 202
    finally:
        gateway.kill()
        kafka.kill()


def test_a_topic_with_too_few_partitions(kafka, clickhouse_dsn, key, tmp_path):
    """Not ready, and 503 for a user whose partition is not there: nobody is hashed elsewhere."""
    gateway = GatewayProcess(
        tmp_path / "gateway-of-24",
        kafka=kafka.bootstrap,
        clickhouse_dsn=clickhouse_dsn,
        partitions=24,
        ack_timeout_seconds=ACK_SECONDS,
    ).start(until="/health/live")
    try:
        wait_until(lambda: "kafka_connected" in gateway.log())
        assert not gateway.answers("/health/ready")
        assert "partitions_missing" in gateway.log()
        assert post(gateway, key, count=200).status_code == 503
    finally:
        gateway.kill()


def test_the_store_is_not_needed(kafka, tmp_path):
    """With ClickHouse away requests go on, also after a restart, by the keys kept in a file."""
    store = ClickHouseProcess(tmp_path / "clickhouse").start()
    client = connect(store.dsn)
    migrate(client)
    now = datetime.now(UTC)
    _, key = create_key(client, tenant="sample", scopes=["ingest"], teams=[], now=now)
    gateway = GatewayProcess(
        tmp_path / "gateway", kafka=kafka.bootstrap, clickhouse_dsn=store.dsn
    ).start()
    try:
        client.close()
        store.kill()
        assert post(gateway, key).status_code == 202
        assert gateway.stop() == 0
        kept = tmp_path / "gateway" / "state" / "keys.json"
        assert kept.stat().st_mode & 0o777 == 0o600
        assert key.rsplit("_", 1)[-1] not in kept.read_text()
        gateway.start()
        assert post(gateway, key).status_code == 202
        assert post(gateway, "ur_unknown_key").status_code == 401
        gateway.stop()
        kept.unlink()
        gateway.start(until="/health/live")
        assert not gateway.answers("/health/ready")
        assert post(gateway, key).status_code == 503
    finally:
        gateway.kill()
        store.kill()


def test_sigterm_answers_what_is_in_flight(kafka, gateway, key):
    """Requests that were taken are answered, what is acknowledged is on the log, exit status 0."""
    load = Load(gateway, key)

    async def stop_under_load():
        sending = asyncio.create_task(load.run(clients=10, seconds=20))
        await asyncio.sleep(1)
        os.kill(gateway.process.pid, signal.SIGTERM)
        await sending

    asyncio.run(stop_under_load())
    assert gateway.process.wait(timeout=20) == 0
    assert set(load.codes) == {202, "unanswered"}
    assert_all_on_the_log(kafka, load.acked)
