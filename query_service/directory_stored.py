"""Where entries of the directory are stored, and their rows as they are now.

Next: query_service.directory_draft
"""

from collections.abc import Collection
from datetime import UTC
from typing import Any

from query_service.store import Row, Store, compose
from schemas.directory import Entity
from sinks.keys import Key

# What an entry's row holds for each identifying field.
Place = tuple[Any, ...]

ASSIGNMENTS = "assignments"
_TABLES = {ASSIGNMENTS: "seat_changes"}
# What a row also says of itself: by which request it came, and whose key asked.
_MORE = {ASSIGNMENTS: ("request_id", "actor")}
# Rows are asked for by these of their identifying fields: all of them text.
_ASKED = ("team_id", "user_id", "product_id", "subscription_id", "pack_id", "access")


def table_of(entity: Entity) -> str:
    """Where the entity's entries are stored."""
    return _TABLES.get(entity.name, entity.name)


def stored(store: Store, key: Key, entity: Entity, places: Collection[Place]) -> list[Row]:
    """Every row of these entries, removed ones included; of assignments, of the same seats."""
    if not places:
        return []
    names = [name for name in entity.ids if name in _ASKED]
    wanted = {tuple(place[entity.ids.index(name)] for name in names) for place in places}
    alone = len(names) == 1
    columns = (*entity.fields, *_MORE.get(entity.name, ()))
    sql = compose(
        "directory_stored",
        columns=", ".join(f"`{name}`" for name in columns),
        table=table_of(entity),
        ids=f"({', '.join(names)})",
        type="Array(String)" if alone else f"Array(Tuple({', '.join('String' for _ in names)}))",
    )
    ids = [each[0] if alone else each for each in wanted]
    return [_zoned(row) for row in store.ask(key, "directory_stored", {"ids": ids}, sql=sql)]


def _zoned(row: Row) -> Row:
    at = row.get("at")
    return {**row, "at": at.replace(tzinfo=UTC)} if at else row
