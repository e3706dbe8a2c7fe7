"""The audit log: who changed or exported what, and when; nothing of it names a user.

An entry is stored before the deed, which is not done where that fails, and again with what came of
it. So a deed without an entry can't be; one that stays `begun` was cut short, and may be done.

Next: query_service.audit
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import structlog
from clickhouse_connect.driver.client import Client

from schemas.rejects import Unavailable
from sinks.directory import insert_rows

log = structlog.get_logger()

ACTIONS = (
    *("assign", "unassign", "move-to-flex", "undo", "finish"),
    *("put_directory", "set_personal_data", "create_key", "revoke_key", "rotate_key"),
    *("export", "replay_dead_letters"),
)
RESULTS = ("begun", "done", "refused", "failed", "broken_off")
BEGUN, DONE, REFUSED, FAILED, BROKEN_OFF = RESULTS
_BEFORE, _AFTER = 1, 2


@dataclass(frozen=True)
class Actor:
    """Who does it and how: `via` is api, page or command."""

    via: str = "command"
    key_id: str = ""
    session: str = ""
    request_id: str = ""


@dataclass
class Deed:
    """What is being done. `details` are counts and words of ours, and may grow until the end."""

    tenant: str
    action: str
    at: datetime
    actor: Actor
    details: dict[str, Any] = field(default_factory=dict)
    entry_id: str = field(default_factory=lambda: uuid4().hex)

    def begin(self, client: Client) -> None:
        """Store that it begins; raises Unavailable, and then it must not be done."""
        insert_rows(client, "audit", [self._row(BEGUN, _BEFORE)])

    def end(self, client: Client, result: str) -> None:
        """Store what came of it, and log it. Raises Unavailable: then `begun` stands there."""
        log.info(
            "audit",
            action=self.action,
            result=result,
            via=self.actor.via,
            tenant=self.tenant,
            key_id=self.actor.key_id,
            entry_id=self.entry_id,
        )
        insert_rows(client, "audit", [self._row(result, _AFTER)])

    def _row(self, result: str, version: int) -> dict[str, Any]:
        return {
            "tenant": self.tenant,
            "at": self.at,
            "entry_id": self.entry_id,
            "action": self.action,
            **vars(self.actor),
            "result": result,
            "details": json.dumps(self.details, sort_keys=True),
            "version": version,
        }


@contextmanager
def recorded(
    client: Client, tenant: str, action: str, now: datetime, **details: Any
) -> Iterator[dict[str, Any]]:
    """A deed of the command line; `details` may be added to what is yielded.

    Raises Unavailable before it is done.
    """
    deed = Deed(tenant, action, now, Actor(), details)
    deed.begin(client)
    result = FAILED
    try:
        yield deed.details
        result = DONE
    finally:
        close(deed, client, result)


def close(deed: Deed, client: Client, result: str) -> None:
    """End it; what was done stays done when that can't be stored any more, and is logged."""
    try:
        deed.end(client, result)
    except Unavailable as error:
        log.warning("audit_not_ended", entry_id=deed.entry_id, result=result, what=error.what)
