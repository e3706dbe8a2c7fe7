"""With all parts in place no schedule goes wrong; without any one of them some do.

The seeds are ones that went wrong when they were looked for. A change of the code makes other
schedules of the same seeds, so more are tried when these do not show it any more.

Next: tests.model.parts
"""

from itertools import chain

import pytest

from tests.model.parts import PARTS
from tests.model.schedules import run

_TRIED_AT_MOST = 3_000

KNOWN = {
    "guard": (0, 1, 3),
    "stamp's seq": (0, 1, 2),
    "stamps": (7, 8, 9),
    "load before write": (0, 1, 2),
    "the ledger's own guard": (0, 1, 3),
    "the set learns its own": (5, 7, 26),
    "pinned while in flight": (19, 26, 28),
    "pinned at all": (16, 19, 26),
    "one flush in flight": (39, 45, 50),
    "generation filter": (21, 32, 47),
    "one record per offset": (10, 73, 78),
    "state dropped with its generation": (97, 132, 188),
    "state dropped with the position": (20, 49, 54),
    "remembering; events before rows": (17, 52, 53),
    "inserting; events before rows": (2, 7, 12),
    "remembering; rows loaded first": (32, 378, 424),
    "rows keep the highest position": (9, 55, 103),
    "flush before ack: rows": (4, 46, 72),
    "flush before ack: events": (4, 29, 33),
    "flush before ack: ledger": (4, 29, 33),
}


def test_every_part_is_left_out_once():
    """The table has a line for each part."""
    assert set(KNOWN) == set(PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_without_a_part_schedules_go_wrong(part):
    """Leaving it out is seen."""
    seeds = chain(KNOWN[part], range(_TRIED_AT_MOST))
    assert any(run(seed, part).wrong for seed in seeds)


@pytest.mark.parametrize("part", PARTS)
def test_with_all_parts_the_same_schedules_go_right(part):
    """The very seeds that show a missing part go right with it."""
    assert {seed: outcome.wrong for seed in KNOWN[part] if (outcome := run(seed)).wrong} == {}


def test_with_all_parts_no_schedule_goes_wrong():
    """A hundred schedules more; `python -m tests.model` runs as many as one likes."""
    assert {seed: outcome.wrong for seed in range(100) if (outcome := run(seed)).wrong} == {}
