"""Parts that cover for each other, left out.

Verdicts remembered and events inserted whatever the guard says; the orders of inserts and loads.

Next: tests.model.parts
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from aggregators import load
from aggregators.decode import Lines
from aggregators.fold import Changes, _is_first, _stamps
from aggregators.state import State, UserDay, UserDayKey

_ROW_KEY = ("product_id", "product_version", "team_id", "access")


def _is_guarded(state: State, event: dict[str, Any]) -> bool:
    """Whether the event's row, as it was before the batch, has this record already."""
    held = state.user_days[event["tenant"], event["user_id"], event["day"]]
    row = held.rows.get(tuple(event[name] for name in _ROW_KEY))
    return row is not None and event["position"] <= row.position


def first_seen(lines: Lines, _held: Sequence[UserDay], state: State) -> list[bool]:
    """As the real one, but a verdict is remembered only where the guard lets the event pass."""
    verdicts = []
    judged = lines.events
    for event, stamp in zip(judged.iter_rows(named=True), _stamps(judged), strict=True):
        key = (event["tenant"], event["user_id"], event["day"])
        known = state.user_day(key).identities
        before = len(known)
        remembering = dict(known) if _is_guarded(state, event) else known
        verdicts.append(_is_first(remembering, event["identity"], stamp))
        state.identities_added(key, event["partition"], len(known) - before)
    return verdicts


def inserting_guarded(fold: Callable[[Lines, State], Changes]) -> Callable[[Lines, State], Changes]:
    """The fold, but a first event is inserted only where the guard lets it pass."""

    def fold_inserting_guarded(lines: Lines, state: State) -> Changes:
        passing = [not _is_guarded(state, event) for event in lines.events.iter_rows(named=True)]
        places = lines.events.select("partition", "position", "seq").filter(
            pl.Series(passing, dtype=pl.Boolean)
        )
        changes = fold(lines, state)
        inserted = changes.events.join(
            places, on=["partition", "position", "seq"], how="semi", maintain_order="left"
        )
        return replace(changes, events=inserted)

    return fold_inserting_guarded


def rows_first(
    steps: Callable[[Changes], list[tuple[str, pl.DataFrame]]],
) -> Callable[[Changes], list[tuple[str, pl.DataFrame]]]:
    """The steps of a flush, but rows before events."""

    def steps_rows_first(changes: Changes) -> list[tuple[str, pl.DataFrame]]:
        events, rows, *others = steps(changes)
        return [rows, events, *others]

    return steps_rows_first


def load_identities_first(reads: Any, keys: Sequence[UserDayKey]) -> dict[UserDayKey, UserDay]:
    """As the real one, but identities are asked for before the rows."""

    class Asked:
        """Answers about identities what was true before the rows were read."""

        def __init__(self) -> None:
            self._identities = reads.identities(keys, limit=load.MAX_IDENTITIES_HELD + 1)

        def rows(self, keys: Sequence[UserDayKey]) -> list[tuple[Any, ...]]:
            """Asked second."""
            return reads.rows(keys)

        def identities(self, keys: Sequence[UserDayKey], *, limit: int) -> list[Any]:
            """Asked first."""
            return self._identities

    return LOAD_USER_DAYS(Asked(), keys)  # type: ignore[arg-type]  # a stand-in for the store


LOAD_USER_DAYS = load.load_user_days
