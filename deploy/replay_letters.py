"""Puts dead letters that are good by now on the log, and marks them when the broker has them.

It only appends, so it may run beside everything else, twice at once, and again after a kill: what
comes to the log twice is counted once.

Next: deploy.rejudge
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from clickhouse_connect.driver.client import Client
from kafka import KafkaAdminClient
from prometheus_client import CollectorRegistry

from deploy.log_offsets import read_offsets
from deploy.rejudge import Judge, Judged
from ingest.accept import Rules
from ingest.budget import Budget
from ingest.publish import Publisher
from ingest.sender import Sender
from schemas.kafka_address import KafkaAddress
from schemas.metrics import IngestMetrics
from schemas.settings import IngestSettings
from schemas.topics import EVENTS
from sinks import dead_letters, keys
from sinks.dead_letters import Choice
from sinks.inserts import Inserts
from sinks.loads import Loads

_STOP_SECONDS = 3.0


class NotNow(Exception):  # noqa: N818 - named for what happened, as the style asks
    """Letters can't be replayed as things are; the text says what to do first."""


@dataclass
class Replayed:
    """Numbers of letters; `refused` by the reason of now."""

    letters: int = 0
    replayed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    cut: int = 0

    def add(self, judged: Judged) -> None:
        """Count one page of them."""
        self.replayed += len(judged.accepted)
        self.refused.update(letter.reason for letter in judged.refused)
        self.cut += len(judged.cut)
        self.letters = self.replayed + self.refused.total() + self.cut


class Replay:
    """One run of the command: where it reads, writes and looks, and the moment it was given."""

    def __init__(
        self,
        client: Client,
        broker: KafkaAdminClient,
        *,
        settings: IngestSettings,
        now: datetime,
        any_team: bool = False,
    ) -> None:
        self._client, self._broker, self._now = client, broker, now
        self._settings = settings
        self._any_team = any_team
        self._request_id = uuid4().hex
        self._metrics = IngestMetrics(CollectorRegistry())
        self._budget = Budget(settings.buffer_max_bytes, self._metrics.buffer_bytes)

    def look(self, choice: Choice) -> Replayed:
        """What `run` would do, without doing it."""
        found = Replayed()
        for letters in dead_letters.waiting(self._client, choice, now=self._now):
            found.add(self._judge(self._partitions()).judge(letters))
        return found

    def run(self, choice: Choice, kafka: KafkaAddress) -> Replayed:
        """Judge the chosen letters, put the good ones on the log, mark them all.

        Raises NotNow, or Unavailable: then what is done is marked, and the next run goes on.
        """
        with _sending(kafka, self._settings.ack_timeout_seconds) as sender:
            return asyncio.run(self._run(choice, sender))

    async def _run(self, choice: Choice, sender: Sender) -> Replayed:
        done, inserts = Replayed(), Inserts(self._client)
        for letters in dead_letters.waiting(self._client, choice, now=self._now):
            # Looked at again for each page: it is what the worker will compare records with.
            partitions = self._partitions()
            judged = self._judge(partitions).judge(letters)
            await self._publisher(sender, partitions).publish(judged.lines, self._request_id)
            dead_letters.mark_replayed(inserts, judged.accepted, now=self._now)
            dead_letters.mark_judged(inserts, judged.changed, now=self._now)
            done.add(judged)
        return done

    def _partitions(self) -> int:
        """How many partitions users are hashed over: as the present epoch of the log says."""
        topic_id = str(read_offsets(self._broker).topic_id)
        lives = [life for life in Loads(self._client).epochs() if life.topic_id == topic_id]
        if not lives:
            raise NotNow("this topic has no epoch yet: start a worker first, it opens one")
        return lives[-1].partitions

    def _judge(self, partitions: int) -> Judge:
        rules = Rules(
            partitions=partitions,
            batch_max_events=self._settings.batch_max_events,
            retention=timedelta(days=self._settings.events_retention_days),
        )
        known = {key.key_id: key for key in keys.read_keys(self._client, revoked=True)}
        return Judge(known, rules, self._now, any_team=self._any_team)

    def _publisher(self, sender: Sender, partitions: int) -> Publisher:
        return Publisher(
            sender,
            self._budget,
            self._metrics,
            partitions=partitions,
            linger_seconds=0,
            ack_timeout_seconds=self._settings.ack_timeout_seconds,
        )


@contextmanager
def _sending(kafka: KafkaAddress, ack_timeout_seconds: float) -> Iterator[Sender]:
    sender = Sender(EVENTS, kafka=kafka, ack_timeout_seconds=ack_timeout_seconds)
    sender.start()
    try:
        yield sender
    finally:
        sender.stop(timeout_seconds=_STOP_SECONDS)
