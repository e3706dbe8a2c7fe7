"""All of the system on a log and a store of its own, with dead letters to be judged again.

Next: deploy.replay_letters
"""

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
from kafka import KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from schemas import topics
from schemas.events import format_time
from sinks.keys import create_key
from tests.support.cloud_events import event
from tests.support.gateway_process import GatewayProcess
from tests.support.query_process import QueryProcess
from tests.support.worker_world import PARTITIONS, WorkerWorld

COMMAND_SECONDS = 120

_numbers = itertools.count()
_PLACE = TopicPartition(topics.DEAD_LETTERS, 0)


class LettersWorld:
    """A worker, a gateway and a query service, and the command line."""

    def __init__(self, world: WorkerWorld, directory: Path) -> None:
        self.world = world
        self.worker = world.worker()
        dsn, bootstrap = world.store.dsn, world.kafka.bootstrap
        self.gateway = GatewayProcess(
            directory / "gateway", kafka=bootstrap, clickhouse_dsn=dsn, partitions=PARTITIONS
        ).start()
        self.query = QueryProcess(dsn, directory).start()
        self.url = f"http://127.0.0.1:{self.query.port}"

    def close(self) -> None:
        """End what was started here."""
        self.gateway.kill()
        self.query.stop()

    def key(self, tenant: str, *scopes: str, teams: Iterable[str] = ()) -> str:
        """A key that gateway and query service know."""
        scopes = scopes or ("ingest", "admin")
        made = create_key(
            self.world.client, tenant=tenant, scopes=scopes, teams=teams, now=datetime.now(UTC)
        )
        ask = (httpx.post, f"{self.gateway.url}/v1/events")
        if "ingest" not in scopes:
            ask = (httpx.get, f"{self.url}/v1/dead-letters")
        self.world.until(lambda: ask[0](ask[1], headers=_key(made[1])).status_code != 401)
        return made[1]

    def send(self, key: str, *events: dict[str, Any]) -> dict[str, Any]:
        """Send events to the gateway."""
        url = f"{self.gateway.url}/v1/events"
        return httpx.post(url, json=list(events), headers=_key(key), timeout=30).json()

    def put(self, letters: Iterable[list[tuple[str, bytes]]], raws: Iterable[bytes]) -> None:
        """Put letters with these headers on the topic, and wait until the worker copied them."""
        origins = []
        with closing(KafkaProducer(bootstrap_servers=self.world.kafka.bootstrap)) as producer:
            for headers, raw in zip(letters, raws, strict=True):
                producer.send(topics.DEAD_LETTERS, raw, partition=0, headers=headers)
                origins.append(dict(headers)["origin"].decode())
            producer.flush()
        self.world.until(lambda: self.stored(origins) == len(origins))

    def put_events(self, tenant: str, *events: dict[str, Any], **changes: str) -> list[str]:
        """Letters as an older release that was too strict left them; their origins."""
        headers = [headers_of(tenant, **changes) for _ in events]
        self.put(headers, [orjson.dumps(each) for each in events])
        return [dict(each)["origin"].decode() for each in headers]

    def stored(self, origins: list[str], *, replayed: bool | None = None) -> int:
        """How many of these letters are in the store; in this state, if one is given."""
        sql = "SELECT count() FROM dead_letters FINAL WHERE origin IN {origins:Array(String)}"
        if replayed is not None:
            sql += " AND replayed = {replayed:Bool}"
        asked = {"origins": origins, "replayed": replayed}
        return int(self.world.client.query(sql, parameters=asked).result_rows[0][0])

    def listed(self, key: str, **asked: str) -> list[dict[str, Any]]:
        """The letters of a tenant over HTTP."""
        url = f"{self.url}/v1/dead-letters"
        return httpx.get(url, params=asked, headers=_key(key)).json()["dead_letters"]

    def until_listed(self, key: str, number: int, **asked: str) -> list[dict[str, Any]]:
        """The same, when there are so many."""
        self.world.until(lambda: len(self.listed(key, **asked)) == number)
        return self.listed(key, **asked)

    def command(
        self, *arguments: str, key: str = "", module: str = "deploy.cli", **environment: str
    ) -> subprocess.Popen[str]:
        """Start a command of `usage-report` with --json."""
        ours = {
            "CLICKHOUSE_DSN": self.world.store.dsn,
            "KAFKA_BOOTSTRAP": self.world.kafka.bootstrap,
            "USAGE_QUERY_URL": self.url,
            "USAGE_KEY": key,
        }
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments, "--json"],
            env={**os.environ, **ours, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, key: str = "") -> dict[str, Any]:
        """Run one to its end; what its JSON says."""
        status, out, err = ended(self.command(*arguments, key=key))
        assert status == 0, f"{out}\n{err}"
        return json.loads(out)

    def replay(self, *arguments: str, key: str = "") -> dict[str, Any]:
        """`dead-letters replay`."""
        return self.run("dead-letters", "replay", *arguments, key=key)

    def assert_balanced(self, key: str) -> None:
        """The books balance and rows are what their events add up to, here and over all."""
        self.world.until(lambda: self.run("lag")["lag_records"] == 0)
        assert self.run("ledger", key=key)["balanced"]
        assert self.run("ledger", "--all", "--days", "500")["balanced"]
        assert self.run("verify", "--all")["differences"] == 0

    def deliver_again(self) -> None:
        """Stop the worker, set the group back to the first dead letter, and go on."""
        end = self._committed()
        self.worker.terminate()

        def reset() -> bool:
            with suppress(KafkaError):
                first = {_PLACE: OffsetAndMetadata(0, "", -1)}
                self.world.broker.alter_group_offsets(topics.CONSUMER_GROUP, first)
            return self._committed() == 0

        self.world.until(reset)
        self.worker = self.world.worker()
        self.world.until(lambda: self._committed() >= end)

    def _committed(self) -> int:
        found = self.world.broker.list_group_offsets({topics.CONSUMER_GROUP: None})
        known = found[topics.CONSUMER_GROUP]
        return known[_PLACE].offset if _PLACE in known else -1


def ended(started: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit status and what it said, when the command has come to its end."""
    out, err = started.communicate(timeout=COMMAND_SECONDS)
    return started.returncode, out, err


def headers_of(tenant: str, **changes: str) -> list[tuple[str, bytes]]:
    """Headers of a letter of now, with an origin of its own."""
    told = {
        "reason": "unknown_type",
        "detail": "This release is too strict.",
        "origin": f"request/{time.time_ns():x}-{next(_numbers)}/0",
        "received_at": format_time(datetime.now(UTC)),
        **changes,
    }
    return topics.dead_letter_headers(tenant=tenant, **told)


def event_of(moment: datetime, **changes: Any) -> dict[str, Any]:
    """A launch of that moment."""
    return event(time=format_time(moment), **changes)


def days_ago(days: float) -> datetime:
    """A moment of the past."""
    return datetime.now(UTC) - timedelta(days=days)


def _key(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
