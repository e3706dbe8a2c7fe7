"""A store that was set back to an older copy: progress never moves over what it has lost."""

from datetime import UTC, datetime

from aggregators.assignment import NEVER
from aggregators.flush import progress_frame
from aggregators.fold import Progress
from schemas.topics import position
from sinks.inserts import Inserts
from sinks.loads import Loads

AT = datetime(2026, 3, 1, tzinfo=UTC)


def reaching(**offsets: int):
    """Rows of table `progress`: the last folded offset of partitions p0, p1, ..."""
    places = {
        int(name[1:]): Progress(position(1, offset), offset, AT) for name, offset in offsets.items()
    }
    return progress_frame(places, caught_up_at=NEVER)


def known(**offsets: int) -> dict[int, int]:
    """Positions that a writer knows to be stored."""
    return {int(name[1:]): position(1, offset) for name, offset in offsets.items()}


def test_progress_moves_where_the_store_knows_enough(world):
    """Of the partitions that it knows less of, nothing moves, and they are named."""
    inserts, loads = Inserts(world.client), Loads(world.client)
    assert inserts.advance(reaching(p0=4, p1=9), {}) == {}
    assert inserts.advance(reaching(p0=6, p1=9), known(p0=4, p1=9)) == {}
    # What an older generation writes late is no step back.
    assert inserts.advance(reaching(p0=5), known(p0=4)) == {}

    world.client.command("TRUNCATE TABLE progress")
    inserts.insert("progress", reaching(p0=4))
    behind = inserts.advance(reaching(p0=8, p1=12, p2=1), known(p0=6, p1=9))
    assert behind == {0: position(1, 4), 1: 0}
    assert {p: done.position for p, done in loads.progress().items()} == {
        0: position(1, 4),
        2: position(1, 1),
    }
    assert loads.progress()[2].appended_at.replace(tzinfo=UTC) == AT
