"""The parts that the invariant rests on: each can be left out of the real code for a while.

Those of the table of the design come first; where two cover for each other they go in pairs.

Next: tests.model.schedules
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

from aggregators import flush, fold, ledger, load, pipeline
from aggregators.flush import Flush
from aggregators.intake import Intake
from aggregators.pipeline import Pipeline
from aggregators.state import Row, State, UserDay
from tests.model import covering
from tests.model.world import Rules

Fault = Callable[[], AbstractContextManager[Any]]


@contextmanager
def replaced(owner: Any, name: str, new: Any) -> Iterator[None]:
    """`owner.name` is `new` for a while."""
    old = getattr(owner, name)
    setattr(owner, name, new)
    try:
        yield
    finally:
        setattr(owner, name, old)


def _unguarded(add: Callable[..., None]) -> Callable[..., None]:
    """The same `add` to a row, which takes every record for a new one."""

    def add_always(row: Any, position: int, *what: Any) -> None:
        highest, row.position = max(position, row.position), -1
        add(row, position, *what)
        row.position = highest

    return add_always


def _stamps_without_seq(judged: Any) -> list[int]:
    return [position << 32 for position in judged["position"]]


def _is_first_of_set(known: dict[str, int], identity: str, stamp: int) -> bool:
    return known.setdefault(identity, stamp) is stamp


def _admit_unlearned(state: State, key: Any, partition: int, loaded: UserDay) -> None:
    known = state.existing.pop((partition, key[2]), None)
    _ADMIT(state, key, partition, loaded)
    state.existing[partition, key[2]] = known


def _learn_stored_only(state: State, wanted: Any, found: Any) -> None:
    for place in wanted:
        state.existing[place] = found.get(place, set())


def _evict_everything(state: State) -> Iterator[Any]:
    return iter(list(state.user_days))


async def _do_not_settle(self: Pipeline) -> None:
    """Several flushes in flight."""


def _take_any_generation(self: Intake, delivered: Any) -> list[Any]:
    taken = []
    for record in delivered:
        if record.offset >= self.expected.get(record.partition, 0):
            self.expected[record.partition] = record.offset + 1
            taken.append(record)
    return taken


def _take_again(self: Intake, delivered: Any) -> list[Any]:
    taken = []
    for record in delivered:
        if record.generation == self.generation:
            self.expected[record.partition] = record.offset + 1
            taken.append(record)
    return taken


async def _keep_state(self: Pipeline, generation: int) -> Any:
    """A new session with the state of the one before."""
    session = await _NEW_SESSION(self, generation)
    session.state = self.__dict__.setdefault("kept_state", session.state)
    return session


class _RefusedError(Exception):
    """A commit was refused."""


async def _flush_hearing_refusals(self: Flush, changes: Any, session: Any) -> None:
    """A refused commit is remembered for whoever waits for the flush."""
    commits = self._commits

    async def commit(offsets: Any, *, generation: int) -> bool:
        session.refused = not await commits.commit(offsets, generation=generation)
        return not session.refused

    with replaced(self, "_commits", SimpleNamespace(commit=commit)):
        await _FLUSH(self, changes, session)


async def _settle_or_refuse(self: Pipeline) -> None:
    await _SETTLE(self)
    if self.session is not None and self.session.__dict__.pop("refused", False):
        raise _RefusedError


async def _drop_state_alone(self: Pipeline, delivered: Any) -> None:
    """After a refused commit the state is dropped, the batch with it, and the position stays."""
    try:
        await _PROCESS(self, delivered)
    except _RefusedError:
        assert self.session is not None
        self.session.state = State(max_bytes=self._state_max_bytes)


_ADMIT = State.admit
_NEW_SESSION = Pipeline._new_session
_FLUSH = Flush.run
_SETTLE = Pipeline.settle
_PROCESS = Pipeline._process

# What is replaced in the real code to leave a part out.
_REPLACED: dict[str, list[tuple[Any, str, Any]]] = {
    "guard": [(Row, "add", _unguarded(Row.add))],
    "stamp's seq": [(fold, "_stamps", _stamps_without_seq)],
    "stamps": [(fold, "_is_first", _is_first_of_set)],
    "load before write": [(State, "may_exist", lambda *_: False)],
    "the ledger's own guard": [(ledger, "add", _unguarded(ledger.add))],
    "the set learns its own": [
        (State, "admit", _admit_unlearned),
        (State, "learn_existing", _learn_stored_only),
    ],
    "pinned while in flight": [(State, "_is_clean", lambda *_: True)],
    "pinned at all": [
        (State, "_is_clean", lambda *_: True),
        (State, "_clean_until_within_budget", _evict_everything),
    ],
    "one flush in flight": [(Pipeline, "settle", _do_not_settle)],
    # The check for gaps covers for the filter: alone, it ends the worker with a gap.
    "generation filter": [(Intake, "take", _take_any_generation)],
    "one record per offset": [(Intake, "take", _take_again)],
    "state dropped with its generation": [(Pipeline, "_new_session", _keep_state)],
    "state dropped with the position": [
        (Flush, "run", _flush_hearing_refusals),
        (Pipeline, "settle", _settle_or_refuse),
        (Pipeline, "_process", _drop_state_alone),
    ],
    "remembering; events before rows": [
        (fold, "first_seen", covering.first_seen),
        (flush, "steps", covering.rows_first(flush.steps)),
    ],
    "inserting; events before rows": [
        (pipeline, "fold", covering.inserting_guarded(fold.fold)),
        (flush, "steps", covering.rows_first(flush.steps)),
    ],
    "remembering; rows loaded first": [
        (fold, "first_seen", covering.first_seen),
        (load, "load_user_days", covering.load_identities_first),
    ],
}
# Parts of the world: of the store's engine, and of what the flush waits for.
_RULES = {
    "rows keep the highest position": Rules(last_insert_wins=True),
    "flush before ack: rows": Rules(unacknowledged=frozenset({"usage_daily"})),
    "flush before ack: events": Rules(unacknowledged=frozenset({"usage_events"})),
    "flush before ack: ledger": Rules(unacknowledged=frozenset({"usage_ledger"})),
}
PARTS = (*_REPLACED, *_RULES)


@contextmanager
def left_out(part: str | None) -> Iterator[Rules]:
    """Leave a part out of the real code for a while; the rules of the world that go with it."""
    if part is not None and part not in PARTS:
        raise KeyError(part)
    with ExitStack() as stack:
        for fault in _REPLACED.get(part or "", []):
            stack.enter_context(replaced(*fault))
        yield _RULES.get(part or "", Rules())
