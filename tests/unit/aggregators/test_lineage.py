"""Whether records follow what was taken of the same log, though offsets alone would say so."""

from datetime import UTC, datetime, timedelta

import pytest

from aggregators.broker import Leaders
from aggregators.epochs import Epochs
from aggregators.fold import Progress
from aggregators.lineage import Lineage, stored_last
from schemas import topics
from schemas.rejects import PersonNeeded
from sinks.loads import Epoch, PartitionProgress
from tests.support.histories import delivered, line, record

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
AT = datetime(2026, 3, 1, tzinfo=UTC)
LATER = AT + timedelta(milliseconds=1)
EPOCHS = Epochs("topic", [Epoch("topic", 0, 0, 1, 2)])


@pytest.fixture
def lineage():
    """Record 7 of partition 0 was the last one taken, under leader epoch 3."""
    return Lineage(Leaders("topic", {0: 3}), {0: Progress(topics.position(2, 7), 7, AT)})


def test_nothing_is_looked_at_while_the_leader_is_the_same(lineage):
    """A log loses nothing without a new leader epoch."""
    assert lineage.places(Leaders("topic", {0: 3})) == {}
    assert lineage.places(Leaders("topic", {0: 4})) == {0: 7}


def test_the_same_record_at_its_place_is_fine(lineage):
    """As is one that was deleted at the log's beginning."""
    lineage.compare({0: AT})
    lineage.compare({})


@pytest.mark.parametrize("found", [LATER, None])
def test_another_record_or_none_stops(lineage, found):
    """The log lost its end, and grew again or not."""
    with pytest.raises(PersonNeeded, match="log_went_back"):
        lineage.compare({0: found})


def test_what_is_taken_is_the_next_place(lineage):
    """With the leader epochs that were asked for after its delivery."""
    lineage.take([record(delivered(8, [line()]))], Leaders("topic", {0: 4}))
    assert lineage.places(Leaders("topic", {0: 5})) == {0: 8}
    assert lineage.places(Leaders("topic", {0: 4})) == {}


@pytest.mark.parametrize(
    ("position", "appended_at", "offset"),
    [
        (topics.position(2, 7), AT, 7),
        # Of the topic before, the place before the first record, and a place set by hand.
        (topics.position(1, 7), AT, None),
        (topics.position(2, -1), AT, None),
        (topics.position(2, 7), NEVER, None),
    ],
)
def test_only_a_record_of_this_log_is_compared(position, appended_at, offset):
    """The store may know a place that is no record of it."""
    stored = {0: PartitionProgress(0, position, AT, NEVER, 1, appended_at)}
    found = stored_last([0, 1], stored, EPOCHS)
    assert {partition: done.offset for partition, done in found.items()} == (
        {} if offset is None else {0: offset}
    )
