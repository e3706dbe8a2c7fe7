"""The two topics of the log: made when they are missing, and held to what counting rests on.

What an operator chose for an existing topic (retention, partitions) is left alone.

Next: ingest.app
"""

from contextlib import closing
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource
from kafka.errors import KafkaError, TopicAlreadyExistsError

from schemas import topics
from schemas.kafka_address import KafkaAddress
from schemas.kafka_clients import connect
from schemas.rejects import Unavailable

_CONNECT_MS = 10_000
# Retention by a producer's clock would lose late events; compaction would lose any.
_HELD = ("cleanup.policy", "message.timestamp.type")


def ensure(kafka: KafkaAddress, *, partitions: int, replication_factor: int) -> list[str]:
    """Make the missing topics, correct the others, and return the names of those touched.

    `partitions` is that of `usage.events`. Raises Unavailable when no broker answers.
    """
    wanted = {
        topics.EVENTS: (partitions, topics.EVENTS_CONFIG),
        topics.DEAD_LETTERS: (topics.DEAD_LETTERS_PARTITIONS, topics.DEAD_LETTERS_CONFIG),
    }
    try:
        opened = connect(KafkaAdminClient, kafka, bootstrap_timeout_ms=_CONNECT_MS)
        with closing(opened) as admin:
            there = set(admin.list_topics())
            return [
                name
                for name, (count, config) in wanted.items()
                if (name in there and _correct(admin, name, config))
                or (name not in there and _create(admin, name, count, replication_factor, config))
            ]
    except KafkaError as error:
        raise Unavailable("kafka", str(error)) from error


def _create(
    admin: Any, name: str, partitions: int, replication_factor: int, config: dict[str, str]
) -> bool:
    options = {
        "num_partitions": partitions,
        "replication_factor": replication_factor,
        "configs": config,
    }
    try:
        admin.create_topics({name: options}, wait_for_metadata=True)
    except TopicAlreadyExistsError:  # another process was quicker
        return False
    return True


def _correct(admin: Any, name: str, config: dict[str, str]) -> bool:
    answer = admin.describe_configs([ConfigResource("topic", name)], config_filter="all")
    present = answer["topic"][name]
    wrong = {key: config[key] for key in _HELD if present[key]["value"] != config[key]}
    if wrong:
        admin.alter_configs([ConfigResource("topic", name, configs=wrong)])
    return bool(wrong)
