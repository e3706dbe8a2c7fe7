"""A user's dead letters and seat requests: found by what they say, for no column names the user.

Next: sinks.erasure
"""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from sinks.clickhouse import query, statement
from sinks.named import Named

# Letters of a page, of at most 64 KiB each.
_PAGE = 200
# Letters that are deleted in one statement.
_CHUNK = 1_000


def letters(client: Client, tenant: str, user_id: str) -> list[tuple[str, str]]:
    """(tenant, origin) of the dead letters that name the user."""
    named = Named(tenant, user_id)
    return [
        (row["tenant"], row["origin"])
        for row in _candidates(client, tenant, user_id)
        if named.in_text(row["detail"])
        or named.in_raw(base64.b64decode(row["raw"]), tenant=row["tenant"])
    ]


def _candidates(client: Client, tenant: str, user_id: str) -> Iterator[dict[str, Any]]:
    wanted = {
        "tenant": tenant,
        "user_id": user_id,
        "escaped": json.dumps(user_id)[1:-1],
        "limit": _PAGE,
    }
    place = ("", "")
    while True:
        after = {"after_tenant": place[0], "after_origin": place[1]}
        rows = _rows(client, "erase_letters_found", wanted | after)
        yield from rows
        if len(rows) < _PAGE:
            return
        place = (rows[-1]["tenant"], rows[-1]["origin"])


def delete_letters(
    client: Client, keys: list[tuple[str, str]], *, check: Callable[[], None]
) -> None:
    """Delete these letters; `check` is called before each statement."""
    for place in range(0, len(keys), _CHUNK):
        check()
        client.command(
            statement("sinks.sql", "erase_letters"),
            parameters={"keys": keys[place : place + _CHUNK]},
        )


def requests(client: Client, tenant: str, user_id: str) -> list[dict[str, Any]]:
    """The recorded requests about seats of the user, as erase_requests_found.sql."""
    named = f'"user_id":{orjson.dumps(user_id).decode()}'
    return _rows(client, "erase_requests_found", {"tenant": tenant, "named": named})


def rewrite_requests(
    client: Client, tenant: str, user_id: str, *, insert: Callable[[list[dict[str, Any]]], None]
) -> None:
    """Store the requests anew, without the user's items; those before are still to be deleted.

    What was asked stays known by its hash, so that asking again changes no seat twice.
    """
    rows = []
    for row in requests(client, tenant, user_id):
        plan = orjson.loads(row["plan"])
        plan["items"] = [item for item in plan["items"] if item["user_id"] != user_id]
        rows.append(
            {
                "tenant": tenant,
                **row,
                "plan": orjson.dumps(plan).decode(),
                "version": row["version"] + 1,
            }
        )
    insert(rows)


def _rows(client: Client, name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    answer = query(client, statement("sinks.sql", name), parameters=parameters)
    return [dict(row) for row in answer.named_results()]
