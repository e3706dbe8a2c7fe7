"""The Faust agents: what they take is handed to the pipeline, and what it raises ends the process.

`noack_take` only: `take` acknowledges a batch even when its body raised.

Next: aggregators.pipeline
"""

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any

import structlog

from aggregators.dead_letters import letters
from aggregators.membership import GroupMember
from aggregators.patience import Patience
from aggregators.pipeline import Pipeline
from aggregators.records import Delivered
from aggregators.stop import Stop
from schemas import topics
from schemas.rejects import PersonNeeded
from sinks.inserts import Inserts

log = structlog.get_logger()

_LETTERS_MAX = 500
_LETTERS_WITHIN_SECONDS = 0.5


async def fold_events(
    stream: Any,
    pipeline: Pipeline,
    *,
    max_records: int,
    within_seconds: float,
    stop: Stop,
) -> None:
    """The agent of `usage.events`.

    Faust cancels its agents in a rebalance. A batch that was begun goes on to its end, so that
    state and position stay together; the next one waits for it.
    """
    async for events in stream.noack_take(max_records, within=within_seconds):
        delivered = [_delivered(event.message) for event in events]
        log.debug("taken", records=[_told(each) for each in delivered])
        await asyncio.shield(or_die(pipeline.process(delivered), stop))


async def store_dead_letters(
    stream: Any, inserts: Inserts, member: GroupMember, patience: Patience
) -> None:
    """The agent of `usage.dead-letters`: copies it into ClickHouse."""
    async for events in stream.noack_take(_LETTERS_MAX, within=_LETTERS_WITHIN_SECONDS):
        messages = [event.message for event in events]
        await patience.call(inserts.insert, "dead_letters", letters(messages))
        generation = member.generation()
        offsets: dict[int, int] = {}
        for message in messages:
            if message.generation_id == generation:
                offsets[message.partition] = message.offset + 1
        await member.commit(offsets, generation=generation)


def _delivered(message: Any) -> Delivered:
    return Delivered(
        generation=message.generation_id,
        partition=message.partition,
        offset=message.offset,
        timestamp=message.timestamp,
        headers=tuple(dict(message.headers or ()).items()),
        value=message.value or b"",
    )


def _told(record: Delivered) -> str:
    """Where a record stands, and the ids of the requests that brought it, as the gateway logs."""
    named = dict(record.headers).get(topics.HEADER_REQUEST_ID) or b""
    return f"{record.partition}/{record.offset} {named.decode('ascii', 'replace')}".rstrip()


async def or_die(work: Coroutine[Any, Any, None], stop: Stop) -> None:
    """Await `work`; whatever it raises ends the process: this is the worker's edge.

    Status 78 where a person is needed, else 1. Nothing is tidied up: Kafka delivers again what
    is not committed, and that is the one way of recovery there is.
    """
    try:
        await work
    except asyncio.CancelledError:
        raise
    except PersonNeeded as error:
        stop.for_person(error)
    except BaseException:
        log.exception("crashed")
        sys.stderr.flush()
        os._exit(1)
