"""The books and the checks: ledger, verify, and the hash of a user id.

Next: query_service.routes.keys
"""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from query_service import answers
from query_service.auth import Admin, Items, TenantAdmin, no_items
from query_service.completeness import complete_up_to
from query_service.params import LEDGER, VERIFY, parse
from query_service.queries import read_days
from query_service.routes.report import documented
from query_service.view import View, look
from query_service.wiring import Wired
from sinks.keys import hashed_user_id
from sinks.verify import RETENTION_DAYS, Difference, Sums, verify

router = APIRouter(tags=["operations"])

# Events of days before may be gone, and then the books would seem not to balance.
_LEDGER_DAYS = RETENTION_DAYS - 35


@router.get("/ledger", openapi_extra=documented(LEDGER))
def get_ledger(wired: Wired, key: TenantAdmin, items: Items) -> dict[str, Any]:
    """What was delivered by day of receipt, against the events that are stored."""
    today = wired.now().date()
    parsed = parse(LEDGER, items)
    start, end = read_days(parsed, start=today - timedelta(days=_LEDGER_DAYS - 1), end=today)
    complete = complete_up_to(wired.store, partitions=wired.settings.partitions)
    rows = wired.store.ask(key, "ledger", {"from_day": start, "to_day": end})
    return {
        "days": [{name: answers.plain(value) for name, value in row.items()} for row in rows],
        "lag_records": wired.lag.read(),
        "complete_up_to": answers.plain(complete),
    }


@router.get("/verify", openapi_extra=documented(VERIFY))
def get_verify(wired: Wired, key: Admin, items: Items) -> dict[str, Any]:
    """Every row counted again from its events; `examples` are the first rows that differ."""
    today = wired.now().date()
    parsed = parse(VERIFY, items)
    start, end = read_days(
        parsed,
        start=today - timedelta(days=RETENTION_DAYS - 1),
        end=today + timedelta(days=1),
    )
    view = look(wired, key)
    with wired.store.client() as client:
        found = verify(
            client, today=today, tenant=key.tenant, teams=key.teams, since=start, until=end
        )
    return {
        "rows": found.checked,
        "differences": found.differences,
        "examples": [_example(difference, view) for difference in found.examples],
        **view.describe(),
    }


def _example(difference: Difference, view: View) -> dict[str, Any]:
    return {
        **view.name(difference.user_id),
        "product_id": difference.product_id,
        "product_version": difference.product_version,
        "team_id": difference.team_id,
        "access": difference.access,
        "day": difference.day.isoformat(),
        "stored": _sums(difference.stored),
        "counted": _sums(difference.counted),
    }


def _sums(sums: Sums | None) -> dict[str, Any] | None:
    if sums is None:
        return None
    shown = {name: answers.plain(value) for name, value in asdict(sums).items()}
    return {**shown, "tokens": answers.tokens(sums.tokens)}


class User(BaseModel):
    """A user id in a body, so that it stays out of addresses and logs."""

    model_config = ConfigDict(extra="forbid")

    user: str = Field(min_length=1, max_length=256)


@router.post("/hash", dependencies=[Depends(no_items)])
def post_hash(wired: Wired, key: Admin, user: User) -> dict[str, str]:
    """The hashed id that stands for a user of the tenant."""
    return {"hashed_user_id": hashed_user_id(wired.store.hasher(key), user.user)}
