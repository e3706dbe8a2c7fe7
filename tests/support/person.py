"""A user of whom every table knows something, and a search for what is left of one.

Next: sinks.erasure
"""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from schemas import topics
from tests.support.dead_letter_rows import insert_letters
from tests.support.directory_rows import insert_entry
from tests.support.histories import line
from tests.support.worker_world import WorkerWorld

TENANT = "acme"
# Not to be found in anything else, and JSON may spell it in two ways.
PERSON = "quokka-zéphyr-7391"
OTHERS = ("user-1", "user-2", "quokka-7391")
# The part that every spelling has.
TRACE = b"phyr-7391"
LETTERS = (
    json.dumps({"user_id": PERSON, "type": "odd"}).encode(),
    json.dumps({"user_id": PERSON, "type": "odd"}, ensure_ascii=False).encode(),
    f'{{"user_id": "{PERSON}", cut off'.encode(),
)
OTHER_LETTERS = (
    json.dumps({"user_id": OTHERS[2]}).encode(),
    json.dumps({"user_id": "user-1", "note": "a\\b"}).encode(),
)


def send(world: WorkerWorld, first: int, count: int, *, user_ids: tuple[str, ...]) -> None:
    """So many events of each of these users, in two teams, with tokens and sessions."""
    for user_id in user_ids:
        lines = [
            line(
                tenant=TENANT,
                user_id=user_id,
                id=f"{user_id}/{number}",
                session_id=f"{user_id} at work",
                team_id=f"team-{number % 2}",
                time=f"2026-{3 + number % 3:02}-01T12:00:{number % 60:02}.000Z",
                **_kind(number),
            )
            for number in range(first, first + count)
        ]
        partition = topics.partition_of(TENANT, user_id, world.partitions)
        world.append(partition, lines[:5])
        world.append(partition, lines[5:])


def _kind(number: int) -> dict[str, str]:
    if number % 4:
        return {}
    return {"type": "tokens.consumed", "access": "flex", "tokens": f"{number}.5"}


def enter(client: Client, user_id: str) -> None:
    """The directory, seats, a recorded request and dead letters know the user, each more than once.

    Every entry has an older version beside it.
    """
    for name in ("Ann", "Anne"):
        insert_entry(client, TENANT, "users", user_id=user_id, first_name=name)
        insert_entry(client, TENANT, "team_members", user_id=user_id, team_id="team-1")
    for product_id, day, assigned in (
        ("product-1", 1, True),
        ("product-2", 1, True),
        ("product-2", 5, False),
    ):
        insert_entry(
            client,
            TENANT,
            "seat_changes",
            user_id=user_id,
            product_id=product_id,
            at=datetime(2026, 1, day, tzinfo=UTC),
            assigned=assigned,
        )


def note(client: Client, user_ids: tuple[str, ...]) -> None:
    """A request about the seats of these users is on record, in two versions."""
    items = [
        {"user_id": user_id, "hashed_user_id": None, "product_id": "product-1", "changes": []}
        for user_id in user_ids
    ]
    plan = json.dumps({"items": items}, ensure_ascii=False, separators=(",", ":"))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    row = [TENANT, "request-1", "assign", "hash", plan, "key", now]
    columns = ["tenant", "request_id", "kind", "body_hash", "plan", "actor", "at", "version"]
    for version in (1, 2):
        client.insert("change_requests", [[*row, version]], column_names=columns)


def refuse(client: Client) -> None:
    """Dead letters of the person, and of others whose ids look alike."""
    at = datetime(2026, 3, 3, tzinfo=UTC)
    insert_letters(client, TENANT, [*LETTERS, *OTHER_LETTERS], last_at=at)
    of_log = [line(tenant=TENANT, user_id=PERSON, type="odd")]
    insert_letters(client, "", of_log, last_at=at)


def tables_with(client: Client, trace: bytes) -> dict[str, int]:
    """How many stored rows of every table have these bytes anywhere, old versions too."""
    columns = client.query(
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND table IN"
        " (SELECT name FROM system.tables WHERE database = currentDatabase()) ORDER BY table"
    ).result_rows
    found: dict[str, int] = {}
    for table, column in columns:
        query = f"SELECT count() FROM {table} WHERE position(toString({column}), {{id:String}}) > 0"
        rows = client.query(query, parameters={"id": trace.decode()}).result_rows[0][0]
        found[table] = found.get(table, 0) + rows
    return {table: rows for table, rows in found.items() if rows}


def files_with(root: Path, trace: bytes) -> list[Path]:
    """Every file under `root` that holds these bytes."""
    found = []
    # A part may be dropped just now: os.walk passes over a directory that is gone.
    for directory, _, names in os.walk(root):
        for name in names:
            path = Path(directory, name)
            with suppress(FileNotFoundError):
                if trace in path.read_bytes():
                    found.append(path)
    return found


def totals(client: Client) -> list[tuple[Any, ...]]:
    """What teams used, by product, access and day, and how many users did."""
    return client.query(
        "SELECT team_id, product_id, access, day, sum(launches), sum(tokens), min(first_at),"
        " max(last_at), uniqExact(user_id) FROM usage_daily FINAL WHERE launches > 0 OR tokens > 0"
        " GROUP BY ALL ORDER BY ALL"
    ).result_rows
