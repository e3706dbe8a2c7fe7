"""Dead letters: input that can't be decoded goes to its topic, and from there into ClickHouse.

The gateway's rejects come the same way. A letter's origin is its identity, so a replay doubles
nothing.

Next: aggregators.watchdog
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from aggregators.decode import DeadLine
from schemas import topics
from schemas.events import format_time
from schemas.rejects import Reason
from sinks.dead_letters import SCHEMA

# Years that every column of a letter can hold.
_FIRST_YEAR, _LAST_YEAR = 1970, 2105


class DeadLetterTopic:
    """Sends dead lines to `usage.dead-letters`; `topic` is Faust's."""

    def __init__(self, topic: Any) -> None:
        self._topic = topic

    async def send(self, dead: Sequence[DeadLine]) -> None:
        """Come back when the broker has acknowledged each; raises what the producer raises."""
        sent = [
            await self._topic.send(
                key=None,
                value=line.raw[: topics.DEAD_LETTER_MAX_BYTES],
                headers=topics.dead_letter_headers(
                    reason=Reason.MALFORMED_JSON,
                    detail=line.detail,
                    origin=f"{topics.EVENTS}/{line.partition}/{line.position}/{line.seq}",
                    tenant="",
                    received_at=format_time(line.appended_at),
                ),
            )
            for line in dead
        ]
        await asyncio.gather(*sent)


def letters(delivered: Sequence[Any]) -> pl.DataFrame:
    """Rows of table `dead_letters` out of Faust's messages; never raises for what they hold."""
    rows = [_letter(message) for message in delivered]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _letter(message: Any) -> tuple[Any, ...]:
    headers = dict(message.headers or ())

    def text(name: str) -> str:
        return bytes(headers.get(name) or b"").decode(errors="replace")

    appended_at = datetime.fromtimestamp(message.timestamp, UTC)
    return (
        text(topics.HEADER_ORIGIN) or f"{topics.DEAD_LETTERS}/{message.partition}/{message.offset}",
        text(topics.HEADER_TENANT),
        text(topics.HEADER_REASON),
        text(topics.HEADER_DETAIL),
        text(topics.HEADER_KEY_ID),
        message.value or b"",
        _received_at(text(topics.HEADER_RECEIVED_AT)) or appended_at,
        message.offset,
    )


def _received_at(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR else None
