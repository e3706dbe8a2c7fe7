"""What was decided under a request id: kept before seats change, so that a retry does the same.

Next: query_service.seat_changes
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import BaseModel

from query_service.seat_bodies import ChangeSeats
from query_service.seat_state import Item
from query_service.store import Store
from sinks.directory import insert_rows
from sinks.keys import Key


class Plan(BaseModel):
    """The items with what becomes of each; `is_final` when the seats have been read back.

    `teams` is the scope of the view that was asked in, so that whoever was hidden stays hidden.
    """

    items: list[Item]
    teams: list[str] = []
    is_final: bool = False


@dataclass(frozen=True)
class Recorded:
    """A plan under its request id, of which body it is, and whose key asked for it (`actor`)."""

    request_id: str
    kind: str
    body_hash: str
    plan: Plan
    version: int = 0
    actor: str = ""


def hash_of(kind: str, body: ChangeSeats) -> str:
    """Tells bodies apart that ask for something else."""
    content = body.model_dump(mode="json", exclude_defaults=True)
    return hashlib.sha256(json.dumps([kind, content], sort_keys=True).encode()).hexdigest()


def find(store: Store, key: Key, request_id: str) -> Recorded | None:
    """What the tenant has under this id."""
    rows = store.ask(key, "change_request", {"request_id": request_id})
    if not rows:
        return None
    row = rows[0]
    plan = Plan.model_validate_json(row["plan"])
    kind, body_hash = row["kind"], row["body_hash"]
    return Recorded(request_id, kind, body_hash, plan, row["version"], row["actor"])


def keep(store: Store, key: Key, recorded: Recorded, now: datetime) -> Recorded:
    """Store the plan over what was under its id; it stays that of who asked first."""
    version = max(int(now.timestamp() * 1_000_000), recorded.version + 1)
    row = {
        "tenant": key.tenant,
        "request_id": recorded.request_id,
        "kind": recorded.kind,
        "body_hash": recorded.body_hash,
        "plan": recorded.plan.model_dump_json(),
        "actor": recorded.actor or key.key_id,
        "at": now,
        "version": version,
    }
    with store.client() as client:
        insert_rows(client, "change_requests", [row])
    return replace(recorded, version=version, actor=recorded.actor or key.key_id)
