"""Positions are a pure function of the record, and never fall over the lives of the log."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from aggregators.epochs import Epochs, first_epoch
from schemas import topics
from sinks.loads import Epoch

# The topic's first life over two partitions, grown to three at offsets 10 and 20.
GROWN = [
    Epoch("a", 0, 0, 2, 1),
    Epoch("a", 1, 0, 2, 1),
    Epoch("a", 0, 10, 3, 2),
    Epoch("a", 1, 20, 3, 2),
    Epoch("a", 2, 0, 3, 2),
]


def test_a_bump_begins_at_its_first_offset():
    """Records before it belong to the older epoch."""
    epochs = Epochs("a", GROWN)
    assert [epochs.life(0, offset).epoch for offset in (0, 9, 10, 11)] == [1, 1, 2, 2]
    assert epochs.life(1, 19).partitions == 2
    assert epochs.life(1, 20).partitions == 3


@given(st.integers(0, 40), st.integers(0, 40), st.sampled_from([0, 1, 2]))
def test_positions_never_fall(one, other, partition):
    """A later offset has a higher position, over a bump too."""
    epochs = Epochs("a", GROWN)
    first, second = sorted((one, other))
    low, high = (
        topics.position(epochs.life(partition, offset).epoch, offset) for offset in (first, second)
    )
    assert (low < high) == (first < second)


def test_a_partition_added_by_hand_has_no_life():
    """No epoch hashes to it."""
    epochs = Epochs("a", GROWN)
    assert not epochs.hashes_to(3)
    assert epochs.life(3, 0) is None


def test_a_new_topic_id_is_not_open_and_gets_the_next_epoch():
    """From offset 0 of each partition, one above the highest of all topics."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    epochs = Epochs("b", GROWN)
    assert not epochs.is_open
    rows = first_epoch("b", highest=epochs.highest, partitions=2, now=now)
    opened = Epochs("b", [*GROWN, *(Epoch(*row[:5]) for row in rows.iter_rows())])
    assert opened.is_open
    assert (opened.life(1, 0).epoch, opened.life(1, 0).first_offset) == (3, 0)
    assert opened.floor() == topics.position(3, 0)


def test_next_offset_follows_the_folded_position():
    """Within the topic; a position of another topic means its very beginning."""
    epochs = Epochs("a", GROWN)
    assert epochs.next_offset(0, topics.position(1, 4)) == 5
    assert epochs.next_offset(0, topics.position(2, 12)) == 13
    assert epochs.next_offset(0, None) == 0
    assert Epochs("b", [Epoch("b", 0, 0, 2, 3)]).next_offset(0, topics.position(2, 12)) == 0


def test_an_epoch_opened_below_what_is_folded_is_folded_from_its_beginning():
    """The log lost its tail: what was folded of the older epoch ends where the newer one begins."""
    epochs = Epochs("a", [*GROWN, Epoch("a", 0, 4, 3, 3), Epoch("a", 1, 20, 3, 3)])
    assert epochs.next_offset(0, topics.position(2, 12)) == 4
    assert epochs.next_offset(0, topics.position(1, 2)) == 3
    assert epochs.next_offset(0, topics.position(3, 12)) == 13
    assert epochs.next_offset(1, topics.position(2, 25)) == 20
    assert epochs.life(0, 4).epoch == 3


def test_nothing_folded_in_an_epoch_is_the_place_before_its_first_record():
    """Position epoch << 48 minus one: the next offset is 0."""
    epochs = Epochs("b", [Epoch("b", 0, 0, 2, 3)])
    assert epochs.next_offset(0, topics.position(3, -1)) == 0


def test_epochs_are_equal_when_all_their_rows_are():
    """The order of reading does not matter; another topic id or one more row does."""
    assert Epochs("a", GROWN) == Epochs("a", GROWN[::-1])
    assert Epochs("a", GROWN) != Epochs("b", GROWN)
    assert Epochs("a", GROWN) != Epochs("a", GROWN[:-1])
