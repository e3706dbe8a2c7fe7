"""Lists of the directory: a page of an entity's entries, by what identifies them.

People appear as the view says: with their names, or by a hash alone and in its order.
Next: query_service.cursor
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from query_service import answers
from query_service import cursor as cursors
from query_service.columns import PERSONAL, KeyType, SortKey
from query_service.cursor import Cursor
from query_service.directory_stored import ASSIGNMENTS, table_of
from query_service.params import FILTERS, LIMIT_DEFAULT, PAGE, Parameter, parse
from query_service.queries import check_cursor, read_cursor
from query_service.report import after, place_parameters
from query_service.store import Row, compose, question
from query_service.view import View
from schemas.directory import ENTITIES, Entity

HASH = "hashed_user_id"
# The filters there are, where an entity has the field.
_FILTERS = {"team": "team_id", "user": "user_id", "product": "product_id"}
_NUMBERS = {"at": "toInt128(toUnixTimestamp64Milli(at))"}
_TEAM_IS_ALLOWED = "team_id IS NULL OR has({allowed_teams:Array(String)}, assumeNotNull(team_id))"


@dataclass(frozen=True)
class ListQuery:
    """One page of an entity's entries."""

    entity: Entity
    filters: dict[str, list[str]]
    keys: tuple[SortKey, ...]
    limit: int
    after: Cursor | None
    fingerprint: str


def parameters_of(*entities: Entity) -> tuple[Parameter, ...]:
    """The query parameters of the lists of these entities."""
    fields = {field for entity in entities for field in entity.fields}
    named = [parameter for parameter in FILTERS if _FILTERS.get(parameter.name) in fields]
    return (*named, *PAGE)


ALL_PARAMETERS = parameters_of(*ENTITIES.values())


def list_query(entity: Entity, items: list[tuple[str, str]], view: View) -> ListQuery:
    """The page that was asked for; raises Problem with all that is wrong."""
    parsed = parse(parameters_of(entity), items)
    filters = {name: list(parsed.many(name)) for name in _filters_of(entity)}
    keys = tuple(_sort_key(name) for name in _order(entity, shown=view.shown))
    print_ = cursors.fingerprint(view.bound_to, entity.name, filters)
    place = read_cursor(parsed, view.secret)
    check_cursor(parsed, place, print_, keys)
    return ListQuery(
        entity=entity,
        filters=filters,
        keys=keys,
        limit=parsed.get("limit", LIMIT_DEFAULT),
        after=place,
        fingerprint=print_,
    )


def entries(view: View, query: ListQuery) -> dict[str, Any]:
    """The page's entries under the entity's name, and `next_cursor`."""
    parameters = {
        **query.filters,
        # One more than asked tells whether there is another page.
        "limit": query.limit + 1,
        **place_parameters(query.after),
    }
    sql = _sql(query, shown=view.shown)
    rows = view.store.ask(view.key, "directory_list", parameters, sql=sql)
    page = rows[: query.limit]
    return {
        query.entity.name: [entry_of(query.entity, row) for row in page],
        "next_cursor": _next(view, query, page[-1]) if len(rows) > len(page) else None,
    }


def _filters_of(entity: Entity) -> dict[str, str]:
    return {name: column for name, column in _FILTERS.items() if column in entity.fields}


def _order(entity: Entity, *, shown: bool) -> tuple[str, ...]:
    """Names of what entries are ordered by; no two entries share all of it."""
    ids = (*entity.ids, "request_id") if entity.name == ASSIGNMENTS else entity.ids
    if shown or "user_id" not in ids:
        return ids
    return (HASH, *(name for name in ids if name != "user_id"))


def _sort_key(name: str) -> SortKey:
    if name in _NUMBERS:
        return SortKey(_NUMBERS[name], KeyType.NUMBER)
    return SortKey(f"toString(`{name}`)", KeyType.TEXT)


def _sql(query: ListQuery, *, shown: bool) -> str:
    entity = query.entity
    has_people = "user_id" in entity.fields
    hidden = {*PERSONAL} if not shown else {HASH}
    columns = [name for name in (*entity.fields, HASH) if name not in hidden]
    filters = _filters_of(entity) | ({"user": HASH} if has_people and not shown else {})
    return compose(
        "directory_list",
        hashed=question("hashed_user_id") if has_people else "''",
        columns=", ".join(f"`{name}`" for name in columns),
        sort_keys=", ".join(f"{key.expression} AS key_{n}" for n, key in enumerate(query.keys)),
        table=table_of(entity),
        allowed=_allowed(entity),
        filters=" AND ".join(map(_chosen, filters, filters.values())) or "true",
        after=after(query.keys) if query.after else "true",
        order=", ".join(f"key_{n}" for n in range(len(query.keys))),
    )


def _chosen(name: str, column: str) -> str:
    return f"(empty({{{name}:Array(String)}}) OR {column} IN {{{name}:Array(String)}})"


def _allowed(entity: Entity) -> str:
    """SQL that is true for the entries that a key limited to teams may read."""
    if entity.name == "users":
        return question("directory_team_users")
    return f"({_TEAM_IS_ALLOWED})" if "team_id" in entity.fields else "true"


def entry_of(entity: Entity, row: Row) -> dict[str, Any]:
    """The entry as JSON; what is hidden was not even read."""
    names = (*entity.fields, HASH) if "user_id" in entity.fields else entity.fields
    return {name: _plain(name, row.get(name)) for name in names}


def _plain(name: str, value: Any) -> Any:
    if name == "group":
        return value or None
    return answers.tokens(value) if isinstance(value, Decimal) else answers.plain(value)


def _next(view: View, query: ListQuery, last: Row) -> str:
    values = tuple(last[f"key_{index}"] for index in range(len(query.keys)))
    return cursors.encode(Cursor(query.fingerprint, view.now, values), view.secret)
