"""One item of a request to change seats, decided on any history of its seat."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from query_service.seat_state import (
    DIRECT,
    VERDICTS,
    History,
    Item,
    Seat,
    confirmed,
    decide,
    undo,
)

NOW = datetime(2026, 5, 31, 12, tzinfo=UTC)
REQUEST = "request-1"
PATHS = (DIRECT, ("default", ""), ("group", "a"), ("group", "b"))
SEAT = Seat("user-1", "product-1", "team-1", "subscription")
ITEM = Item(**SEAT._asdict())
KINDS = ("assign", "unassign", "move-to-flex")


def row(version, path=DIRECT, *, assigned=True, before=timedelta(0), access="subscription"):
    """A stored change of the seat, so long before NOW."""
    changed = {"assignment": path[0], "group": path[1], "access": access}
    at = {"at": NOW - before, "version": version, "request_id": "", "deleted": False}
    return {**SEAT._asdict(), **changed, **at, "assigned": assigned}


histories = st.lists(
    st.builds(
        row,
        st.integers(1, 1000),
        st.sampled_from(PATHS),
        assigned=st.booleans(),
        # Also less than a second ahead.
        before=st.integers(-1000, 3000).map(lambda ms: timedelta(milliseconds=ms)),
        access=st.sampled_from(["subscription", "flex"]),
    ),
    max_size=12,
)


def stored(item, request_id=REQUEST, version=2000):
    """The rows of an item's changes."""
    return [
        row(version, assigned=change.assigned, before=NOW - change.at, access=change.access)
        | {"request_id": request_id}
        for change in item.changes
    ]


def paths(rows, access="subscription"):
    """The open paths of the seat, a moment later."""
    return History(rows, NOW + timedelta(minutes=1)).open_paths(SEAT._replace(access=access))


@given(histories)
def test_after_unassign_no_direct_path_is_open(rows):
    """And every other path is as it was."""
    (item,) = decide("unassign", History(rows, NOW), [ITEM])
    before, after = paths(rows), paths([*rows, *stored(item)])
    assert after == [path for path in before if path != DIRECT]
    assert bool(item.changes) == (DIRECT in before)
    if after:
        assert item.assignment == after[0][0]


@given(histories)
def test_after_assign_the_direct_path_is_open(rows):
    """And every other path is as it was."""
    (item,) = decide("assign", History(rows, NOW), [ITEM])
    before, after = paths(rows), paths([*rows, *stored(item)])
    assert set(after) == {DIRECT, *before}
    assert bool(item.changes) == (DIRECT not in before)


@given(histories)
def test_a_move_is_both_or_neither_half(rows):
    """Flex is open after it, or nothing has changed."""
    (item,) = decide("move-to-flex", History(rows, NOW), [ITEM])
    after = [*rows, *stored(item)]
    if DIRECT in paths(rows):
        assert DIRECT not in paths(after)
        assert DIRECT in paths(after, "flex")
    else:
        assert item.changes == []


@given(histories, st.sampled_from(KINDS))
def test_undo_restores_the_state(rows, kind):
    """Of every path, whatever was asked."""
    (item,) = decide(kind, History(rows, NOW), [ITEM])
    after = [*rows, *stored(item)]
    back = undo(History(after, NOW), [item], REQUEST)
    whole = [*after, *(each for one in back for each in stored(one, "undo", 3000))]
    for access in ("subscription", "flex"):
        assert paths(whole, access) == paths(rows, access)
    assert [one.verdict for one in back] == ["undone"] * bool(item.changes)


@given(histories, st.sampled_from(KINDS))
def test_an_item_named_again_finds_the_first_one_done(rows, kind):
    """As a request after it would."""
    first, second = decide(kind, History(rows, NOW), [ITEM, ITEM])
    (later,) = decide(kind, History([*rows, *stored(first)], NOW), [ITEM])
    assert second.changes == []
    assert (second.verdict, second.flex) == (later.verdict, later.flex)
    assert {first.verdict, second.verdict} <= set(VERDICTS[kind])


@given(histories, st.sampled_from(KINDS), st.integers(-1, 1))
def test_of_two_at_once_one_is_effective(rows, kind, milliseconds):
    """Both decided on the same history: one of them is told that it changed nothing."""
    (item,) = decide(kind, History(rows, NOW), [ITEM])
    if not item.changes:
        return
    apart = timedelta(milliseconds=milliseconds)
    changes = [
        change.model_copy(update={"at": change.at + max(apart, timedelta(0))})
        for change in item.changes
    ]
    other = item.model_copy(update={"changes": changes})
    whole = [*rows, *stored(item), *stored(other, "request-2", 2001)]
    history = History(whole, NOW + timedelta(minutes=1))
    first = confirmed(kind, history, item, REQUEST)
    second = confirmed(kind, history, other, "request-2")
    assert first == item
    assert second.changes == []
    assert second.verdict in {"already_assigned", "not_assigned"}
    assert second.flex in {None, "already_assigned"}


def test_undo_leaves_a_later_change():
    """Even one that brought back the same state."""
    rows = [row(1, before=timedelta(days=1))]
    (item,) = decide("unassign", History(rows, NOW), [ITEM])
    later = [
        row(3000, before=-timedelta(milliseconds=2)),
        row(3001, assigned=False, before=-timedelta(milliseconds=3)),
    ]
    (found,) = undo(History([*rows, *stored(item), *later], NOW), [item], REQUEST)
    assert (found.verdict, found.changes) == ("changed_since", [])


@given(histories, st.sampled_from(KINDS))
def test_one_request_planned_twice_is_confirmed_twice(rows, kind):
    """By two processes at once, each at a moment of its own; it is undone all the same."""
    (item,) = decide(kind, History(rows, NOW), [ITEM])
    later = [
        change.model_copy(update={"at": change.at + timedelta(milliseconds=1)})
        for change in item.changes
    ]
    other = item.model_copy(update={"changes": later})
    whole = [*rows, *stored(item), *stored(other, version=2001)]
    for each in (item, other):
        history = History(whole, NOW + timedelta(minutes=1))
        assert confirmed(kind, history, each, REQUEST) == each
        back = undo(history, [each], REQUEST)
        assert [one.verdict for one in back] == ["undone"] * bool(each.changes)
