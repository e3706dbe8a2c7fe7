"""Wiring of the worker: one Faust app, its settings and why, and what runs in it.

Next: aggregators.agents
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import faust

from aggregators.agents import fold_events, or_die, store_dead_letters
from aggregators.broker import Broker
from aggregators.credentials import credentials
from aggregators.dead_letters import DeadLetterTopic
from aggregators.fetching import Transport
from aggregators.flush import Flush
from aggregators.maintenance import Maintenance
from aggregators.membership import GroupMember
from aggregators.patience import Patience
from aggregators.pipeline import Pipeline
from aggregators.stop import Stop
from aggregators.watchdog import Watchdog
from schemas import topics
from schemas.metrics import WorkerMetrics
from schemas.settings import WorkerSettings
from sinks.clickhouse import connect
from sinks.inserts import Inserts
from sinks.loads import Loads

# A year: an outage of ClickHouse must not make Faust think that the consumer is dead.
_NEVER_SECONDS = 31_536_000
_METADATA_MILLISECONDS = 5_000
# Records waiting between consumer and agent; each may hold 256 KiB.
_BUFFERED_RECORDS = 64


@dataclass
class Worker:
    """A worker that is wired up: the Faust app to start, the pipeline to drain, the broker."""

    app: faust.App
    pipeline: Pipeline
    broker: Broker


def create_worker(
    settings: WorkerSettings, metrics: WorkerMetrics, maintenance: Maintenance, stop: Stop
) -> Worker:
    """A worker, ready to start. Raises Unavailable while ClickHouse is away."""
    app = _faust_app(settings)
    events, dead = (
        app.topic(name, value_serializer="raw", key_serializer="raw", acks=False)
        for name in (topics.EVENTS, topics.DEAD_LETTERS)
    )
    loads, inserts, watching = (connect(settings.clickhouse_dsn) for _ in range(3))
    patience = Patience(metrics)
    member = GroupMember(app, topics.EVENTS)
    broker = Broker(settings.kafka)
    pipeline = Pipeline(
        member=member,
        broker=broker,
        loads=Loads(loads),
        inserts=Inserts(loads),
        flush=Flush(
            inserts=Inserts(inserts),
            commits=member,
            dead_letters=DeadLetterTopic(dead),
            patience=patience,
            metrics=metrics,
        ),
        patience=patience,
        guarded=partial(or_die, stop=stop),
        pass_by=maintenance.pass_by,
        partitions=settings.partitions,
        state_max_bytes=settings.state_max_bytes,
    )
    watchdog = Watchdog(
        member=member,
        pipeline=pipeline,
        broker=broker,
        loads=Loads(watching),
        inserts=Inserts(watching),
        patience=patience,
        metrics=metrics,
        stall_seconds=settings.stall_seconds,
        worker_id=settings.worker_id,
    )

    async def agent_of_events(stream: Any) -> None:
        work = fold_events(
            stream,
            pipeline,
            max_records=settings.batch_max_records,
            within_seconds=settings.batch_within_seconds,
            stop=stop,
        )
        await or_die(work, stop)

    async def agent_of_dead_letters(stream: Any) -> None:
        letters = GroupMember(app, topics.DEAD_LETTERS)
        await or_die(store_dead_letters(stream, Inserts(watching), letters, patience), stop)

    async def watch() -> None:
        await or_die(watchdog.run(settings.watch_seconds), stop)

    app.agent(events, name="events", concurrency=1)(agent_of_events)
    app.agent(dead, name="dead-letters", concurrency=1)(agent_of_dead_letters)
    app.task(watch)
    return Worker(app, pipeline, broker)


def _faust_app(settings: WorkerSettings) -> faust.App:
    """The app; each setting answers a fact about faust-streaming 0.15.3."""
    app = faust.App(
        topics.CONSUMER_GROUP,
        broker=[f"kafka://{address}" for address in settings.kafka.servers],
        broker_credentials=credentials(settings.kafka),
        autodiscover=False,
        web_enabled=False,
        # ClickHouse is the durable state: no tables, no changelogs, no leader topic.
        store="memory://",
        datadir=str(settings.state_dir / "faust"),
        topic_disable_leader=True,
        topic_allow_declare=False,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        # A static member: a restarted worker takes its partitions up again without a rebalance.
        consumer_group_instance_id=settings.worker_id,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        broker_request_timeout=15.0,
        # A topic that was away gets its consumers back when they look at the cluster again.
        consumer_metadata_max_age_ms=_METADATA_MILLISECONDS,
        broker_max_poll_interval=_NEVER_SECONDS,
        broker_commit_interval=1.0,
        stream_wait_empty=False,
        stream_buffer_maxsize=_BUFFERED_RECORDS,
    )
    app.transport = Transport(app.conf.broker_consumer, app)
    return app
