"""Before a batch is folded: load every user-day and ledger row it touches (rule 3).

Rows first, identities second. What is asked and what is admitted is computed here, without I/O;
the pipeline does the asking.

Next: aggregators.state
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from aggregators import ledger
from aggregators.decode import Lines
from aggregators.erased import Erased, ErasedUser
from aggregators.state import (
    MAX_IDENTITIES_HELD,
    SEQ_BITS,
    LedgerKey,
    LedgerRow,
    PartitionDay,
    Row,
    State,
    UserDay,
    UserDayKey,
)
from schemas.rollups import USER_DAY_KEY


class Reads(Protocol):
    """What can be asked of the store; sinks.loads.Loads is the real one."""

    def rows(self, keys: Sequence[UserDayKey]) -> list[tuple[Any, ...]]:
        """Rows of these user-days."""
        ...

    def identities(
        self, keys: Sequence[UserDayKey], *, limit: int
    ) -> list[tuple[str, str, date, str, int, int]]:
        """Identities of these user-days, at most `limit` of each."""
        ...

    def some_identities(
        self, keys: Sequence[tuple[str, str, date, str, str]]
    ) -> list[tuple[str, str, date, str, int, int]]:
        """Those of these identities that are stored."""
        ...

    def existing(
        self, places: Sequence[PartitionDay], *, floor: int
    ) -> dict[PartitionDay, set[int]]:
        """Hashes of the user-days that exist."""
        ...

    def ledger(self, keys: Sequence[LedgerKey]) -> list[tuple[Any, ...]]:
        """Rows of the ledger."""
        ...

    def erased(self) -> Sequence[ErasedUser]:
        """The guards of erased users."""
        ...


def places_to_read(lines: Lines, state: State) -> list[PartitionDay]:
    """The (partition, day)s touched for the first time since the assignment."""
    touched = lines.events.select("partition", "day").unique().sort("partition", "day")
    return [place for place in touched.iter_rows() if place not in state.existing]


def user_days_to_load(lines: Lines, state: State) -> dict[UserDayKey, int]:
    """The user-days of the batch that are not in memory, each with its partition."""
    return {
        key: partition for key, partition in lines.user_days.items() if key not in state.user_days
    }


def load_user_days(reads: Reads, keys: Sequence[UserDayKey]) -> dict[UserDayKey, UserDay]:
    """Read these user-days; one that is not stored comes back empty."""
    loaded = {key: UserDay() for key in keys}
    for tenant, user_id, day, *row_key, launches, tokens, first_at, last_at, position in reads.rows(
        keys
    ):
        row = Row()
        row.launches, row.tokens = launches, tokens
        row.first_at, row.last_at, row.position = first_at, last_at, position
        product_id, product_version, team_id, access = row_key
        loaded[tenant, user_id, day].rows[product_id, product_version, team_id, access] = row
    add_identities(loaded, reads.identities(keys, limit=MAX_IDENTITIES_HELD + 1))
    for held in loaded.values():
        if len(held.identities) > MAX_IDENTITIES_HELD:
            held.identities, held.partial = {}, True
    return loaded


def add_identities(
    held: Mapping[UserDayKey, UserDay],
    identities: Iterable[tuple[str, str, date, str, int, int]],
) -> None:
    """Put stored identities into the user-days they belong to."""
    for tenant, user_id, day, identity, position, seq in identities:
        held[tenant, user_id, day].identities[identity] = (position << SEQ_BITS) | seq


def identities_to_look_up(lines: Lines, state: State) -> list[tuple[str, str, date, str, str]]:
    """The batch's identities of user-days that do not hold all of theirs."""
    if not state.large:
        return []
    found = []
    columns = lines.events.select(*USER_DAY_KEY, "source", "id", "identity").unique()
    for tenant, user_id, day, source, event_id, identity in columns.iter_rows():
        held = state.user_days[tenant, user_id, day]
        if held.partial and identity not in held.identities:
            found.append((tenant, user_id, day, source, event_id))
    return found


def admit_identities(state: State, found: Sequence[tuple[str, str, date, str, int, int]]) -> None:
    """Put looked-up identities, none of which is held, into their user-days."""
    add_identities(state.user_days, found)
    state.identities_held += len(found)


def ledger_rows_to_load(lines: Lines, state: State) -> list[LedgerKey]:
    """The batch's rows of the ledger that are not in memory."""
    return sorted(key for key in ledger.keys(lines) if key not in state.ledger)


def load_ledger(reads: Reads, keys: Sequence[LedgerKey]) -> dict[LedgerKey, LedgerRow]:
    """Read these rows of the ledger; one that is not stored comes back empty."""
    loaded = {key: LedgerRow() for key in keys}
    for tenant, received_day, partition, *books in reads.ledger(keys):
        row = loaded[tenant, received_day, partition]
        row.accepted, row.stored, row.duplicate, row.dead, row.counted, row.position = books
    return loaded


def load_erased(reads: Reads) -> Erased:
    """Read the guards of erased users."""
    return Erased(reads.erased())
