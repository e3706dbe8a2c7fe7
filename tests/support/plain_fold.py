"""The fold as the design describes it, event by event in plain dictionaries: the specification.

`aggregators.fold` must give the same on every history. Give it the rows, events and ledger that
are stored, and it goes on from there.

Next: aggregators.fold
"""

import json
from copy import deepcopy
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from aggregators.records import Record
from schemas import events

NOBODY = ""
REQUIRED = ("tenant", "source", "id", "user_id", "team_id", "product_id")


class PlainFold:
    """Rows, first events and ledger after some records, and the origins of dead lines.

    rows: (tenant, user_id, day, product_id, product_version, team_id, access) to launches, tokens
    (in 0.0001), first_at, last_at (in ms) and position. events: (tenant, user_id, day, source, id)
    to the smallest stamp. ledger: (tenant, received_day, partition) to its books and position.
    erased: (tenant, user_id, partition) to the position up to which the user was erased.
    """

    def __init__(self, rows=None, stamps=None, ledger=None, erased=None):
        self.erased = erased or {}
        self.rows, self.stamps = deepcopy(rows or {}), dict(stamps or {})
        self.ledger, self.dead = deepcopy(ledger or {}), set()

    def fold(self, record: Record) -> None:
        """Fold one record; nothing changes if it was folded before."""
        # Positions of rows and of ledger rows before this record: the guard compares with these.
        before: dict = {}
        of_record = (NOBODY, record.appended_at.date(), record.partition)
        self._book(of_record, record, before, counted=record.count)
        lines = record.value.removesuffix(b"\n").split(b"\n") if record.whole else [None]
        for seq, line in enumerate(lines):
            event = parse(line)
            if event is None:
                self.dead.add((record.partition, record.position, seq))
                self._book(of_record, record, before, dead=1)
                continue
            first = not self._is_erased(event, record) and self._is_first(
                event, (record.position, seq)
            )
            books = {"accepted": 1, "stored": int(first), "duplicate": int(not first)}
            received_day = event["received_at"].date()
            self._book((event["tenant"], received_day, record.partition), record, before, **books)
            if first:
                self._add(event, record.position, before)

    def _is_erased(self, event: dict, record: Record) -> bool:
        """What an erased user left on the log is a duplicate, and is not remembered."""
        user = (event["tenant"], event["user_id"], record.partition)
        return record.position <= self.erased.get(user, -1)

    def _is_first(self, event: dict, stamp: tuple[int, int]) -> bool:
        """Rule 1: the smallest stamp of its identity in its user-day, remembered whatever comes."""
        identity = (*user_day(event), event["source"], event["id"])
        if self.stamps.get(identity, stamp) < stamp:
            return False
        self.stamps[identity] = stamp
        return True

    def _add(self, event: dict, position: int, before: dict) -> None:
        """Rule 2: only above the position that the row had before this record."""
        key = (*user_day(event), *(event[name] for name in ("product_id", "product_version")))
        key = (*key, event["team_id"], event["access"])
        row = self.rows.get(key)
        if position <= before.setdefault(key, row["position"] if row else -1):
            return
        at = round(event["time"].timestamp() * 1000)
        row = self.rows.setdefault(
            key, {"launches": 0, "tokens": 0, "first_at": at, "last_at": at, "position": position}
        )
        row["launches"] += event["type"] == events.LAUNCHED
        row["tokens"] += int(event["tokens"] * 10**events.TOKENS_SCALE)
        row["first_at"], row["last_at"] = min(row["first_at"], at), max(row["last_at"], at)
        row["position"] = position

    def _book(self, key: tuple, record: Record, before: dict, **added: int) -> None:
        """The ledger is a fold like a row, with its own guard."""
        row = self.ledger.setdefault(
            key,
            dict.fromkeys(("accepted", "stored", "duplicate", "dead", "counted"), 0)
            | {"position": -1},
        )
        if record.position > before.setdefault(key, row["position"]):
            for name, count in added.items():
                row[name] += count
            row["position"] = record.position


def user_day(event: dict) -> tuple[str, str, date]:
    """The unit of state that an event belongs to."""
    return event["tenant"], event["user_id"], event["time"].date()


def parse(line: bytes | None) -> dict | None:
    """The event on a line with typed values, or None: the line is dead."""
    try:
        found = json.loads(line or b"")
        event = {name: found[name] for name in events.COLUMNS}
        for name in ("time", "received_at"):
            event[name] = datetime.strptime(f"{event[name]}+0000", "%Y-%m-%dT%H:%M:%S.%fZ%z")
        event["tokens"] = Decimal(event["tokens"])
    except (ValueError, KeyError, TypeError, InvalidOperation):
        return None
    known = event["type"] in events.TYPES and event["access"] in list(events.Access)
    return event if known and all(event[name] for name in REQUIRED) else None
