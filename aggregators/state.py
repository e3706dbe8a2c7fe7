"""What the worker holds in memory: user-days, whole or not at all, and the rows of the ledger.

A user-day is clean when the last batch that changed it is acknowledged; only clean ones are
evicted, least recently used first, under a budget of bytes.

Next: aggregators.fold
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import xxhash

from aggregators.erased import Erased, Guard

UserDayKey = tuple[str, str, date]  # tenant, user_id, day
RowKey = tuple[str, str, str, str]  # product_id, product_version, team_id, access
LedgerKey = tuple[str, date, int]  # tenant, received_day, partition
PartitionDay = tuple[int, date]

# A stamp orders the copies of an event: `position << SEQ_BITS | seq`.
SEQ_BITS = 32

# Above this many identities a user-day's are not held; those of a batch are looked up.
MAX_IDENTITIES_HELD = 50_000

# Bytes in memory of one of each, measured and rounded up.
_USER_DAY_BYTES = 700
_ROW_BYTES = 450
_IDENTITY_BYTES = 220
_EXISTING_BYTES = 70
# The sets of existing user-days may take this share of the budget.
_EXISTING_SHARE = 0.25
_MAX_LEDGER_ROWS = 20_000


class Row:
    """The totals of a row of `usage_daily`; tokens in units of 0.0001, times in milliseconds."""

    __slots__ = ("first_at", "last_at", "launches", "position", "tokens")

    def __init__(self) -> None:
        self.launches = 0
        self.tokens = 0
        self.first_at = 0
        self.last_at = 0
        # -1 and not 0: the very first record of the log stands at a position above it.
        self.position = -1

    def add(self, position: int, launches: int, tokens: int, first_at: int, last_at: int) -> None:
        """Add one record's first events, unless the row has them already (rule 2, the guard)."""
        if position <= self.position:
            return
        # A row of zeros counts as absent, whatever its position.
        empty = not self.launches and not self.tokens
        self.first_at = first_at if empty else min(self.first_at, first_at)
        self.last_at = last_at if empty else max(self.last_at, last_at)
        self.launches += launches
        self.tokens += tokens
        self.position = position


class LedgerRow:
    """The books of a tenant, received day and partition; a fold like a row, with its own guard."""

    __slots__ = ("accepted", "batch", "counted", "dead", "duplicate", "position", "stored")

    def __init__(self) -> None:
        self.accepted = 0
        self.stored = 0
        self.duplicate = 0
        self.dead = 0
        self.counted = 0
        self.position = -1
        self.batch = 0


class UserDay:
    """A user's UTC day: its rows, and its identities with the smallest stamp of each.

    `batch` numbers the last batch that changed it. `partial`: there are too many identities to
    hold, and `identities` has only those in flight or looked up for a batch. `guard`: the user
    was erased.
    """

    __slots__ = ("batch", "guard", "identities", "partial", "rows")

    def __init__(self) -> None:
        self.rows: dict[RowKey, Row] = {}
        self.identities: dict[str, int] = {}
        self.batch = 0
        self.partial = False
        self.guard: Guard | None = None


class State:
    """All user-days and ledger rows of one generation."""

    def __init__(self, *, max_bytes: int, erased: Erased | None = None) -> None:
        self._erased = erased or Erased()
        self.user_days: OrderedDict[UserDayKey, UserDay] = OrderedDict()
        self.ledger: OrderedDict[LedgerKey, LedgerRow] = OrderedDict()
        # Hashes of the user-days that the store may have; None: a set too large to hold.
        self.existing: dict[PartitionDay, set[int] | None] = {}
        self.batch = 0
        self.rows_held = 0
        self.identities_held = 0
        self._max_bytes = max_bytes
        self._acknowledged_batch = 0
        self._acknowledged: dict[int, int] = {}
        # User-days with too many identities, and their partition.
        self.large: dict[UserDayKey, int] = {}

    def user_day(self, key: UserDayKey) -> UserDay:
        """The user-day for the running batch to change; it must have been loaded."""
        held = self.user_days[key]
        self.user_days.move_to_end(key)
        held.batch = self.batch
        return held

    def row(self, held: UserDay, key: RowKey) -> Row:
        """The row of a user-day, empty if it is new."""
        row = held.rows.get(key)
        if row is None:
            row = held.rows[key] = Row()
            self.rows_held += 1
        return row

    def ledger_row(self, key: LedgerKey) -> LedgerRow:
        """The ledger row for the running batch to change; it must have been loaded."""
        held = self.ledger[key]
        self.ledger.move_to_end(key)
        held.batch = self.batch
        return held

    def admit(self, key: UserDayKey, partition: int, loaded: UserDay) -> None:
        """Hold a loaded (or a new and empty) user-day, and know from now on that it exists."""
        self.user_days[key] = loaded
        loaded.guard = self._erased.guard(key[0], key[1])
        self.rows_held += len(loaded.rows)
        self.identities_added(key, partition, len(loaded.identities))
        known = self.existing.get((partition, key[2]))
        if known is not None:
            known.add(user_hash(key))

    def identities_added(self, key: UserDayKey, partition: int, count: int) -> None:
        """Account for `count` more identities of a held user-day."""
        self.identities_held += count
        held = self.user_days[key]
        if held.partial or len(held.identities) > MAX_IDENTITIES_HELD:
            self.large[key] = partition

    def may_exist(self, key: UserDayKey, partition: int) -> bool:
        """Whether the store may have this user-day (rule 3); without a set it may."""
        known = self.existing.get((partition, key[2]))
        return known is None or user_hash(key) in known

    def learn_existing(
        self, wanted: Iterable[PartitionDay], found: Mapping[PartitionDay, set[int]]
    ) -> None:
        """Keep the sets read for `wanted`.

        What is held here may be newer than the reading. Held user-days join the sets now, because
        they are looked up there only after their eviction, and by then they are stored. Nothing
        may be evicted between the reading and this call.
        """
        held: dict[date, set[int]] = {}
        for key in self.user_days:
            held.setdefault(key[2], set()).add(user_hash(key))
        for place in wanted:
            self.existing[place] = found.get(place, set()) | held.get(place[1], set())

    def acknowledge(self, batch: int, positions: Mapping[int, int]) -> None:
        """Batches up to `batch` are stored, and each partition's records up to a position."""
        self._acknowledged_batch = batch
        self._acknowledged.update(positions)

    def bytes_held(self) -> int:
        """An estimate of the memory held by user-days, in bytes."""
        return (
            len(self.user_days) * _USER_DAY_BYTES
            + self.rows_held * _ROW_BYTES
            + self.identities_held * _IDENTITY_BYTES
        )

    def evict(self) -> None:
        """Let clean things go until the budget is met; never while something is being loaded."""
        for key, partition in list(self.large.items()):
            self._let_stored_identities_go(key, partition)
        for key in list(self._clean_until_within_budget()):
            gone = self.user_days.pop(key)
            self.rows_held -= len(gone.rows)
            self.identities_held -= len(gone.identities)
            self.large.pop(key, None)
        self._forget_ledger_rows()
        self._forget_existing()

    def _let_stored_identities_go(self, key: UserDayKey, partition: int) -> None:
        """Keep of a large user-day only the identities that may not be stored yet."""
        held = self.user_days[key]
        stored_up_to = (self._acknowledged.get(partition, -1) + 1) << SEQ_BITS
        kept = {name: stamp for name, stamp in held.identities.items() if stamp >= stored_up_to}
        self.identities_held -= len(held.identities) - len(kept)
        held.identities, held.partial = kept, True

    def _clean_until_within_budget(self) -> Iterator[UserDayKey]:
        over = self.bytes_held() - self._max_bytes
        for key, held in self.user_days.items():
            if over <= 0:
                return
            if self._is_clean(held):
                over -= _USER_DAY_BYTES + len(held.rows) * _ROW_BYTES
                over -= len(held.identities) * _IDENTITY_BYTES
                yield key

    def _is_clean(self, held: UserDay | LedgerRow) -> bool:
        """Rule 6."""
        return held.batch <= self._acknowledged_batch

    def _forget_ledger_rows(self) -> None:
        excess = len(self.ledger) - _MAX_LEDGER_ROWS
        clean = (key for key, row in self.ledger.items() if self._is_clean(row))
        for key in [key for _, key in zip(range(excess), clean, strict=False)]:
            del self.ledger[key]

    def _forget_existing(self) -> None:
        """Give up the largest sets when all outgrow their share: those days are loaded instead."""
        limit = self._max_bytes * _EXISTING_SHARE / _EXISTING_BYTES
        size = sum(len(known) for known in self.existing.values() if known)
        while size > limit:
            place = max(self.existing, key=lambda place: len(self.existing[place] or ()))
            size -= len(self.existing[place] or ())
            self.existing[place] = None


def user_hash(key: UserDayKey) -> int:
    """The same 64 bits as ClickHouse's xxHash64 of tenant, a zero byte and user_id."""
    return xxhash.xxh64_intdigest(f"{key[0]}\0{key[1]}".encode())
