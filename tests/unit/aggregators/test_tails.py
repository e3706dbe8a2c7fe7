"""What of a log that is over was seen and never folded."""

from datetime import UTC, datetime

from aggregators.fold import Progress
from aggregators.tails import folded_at_last, lost, seen_now
from schemas import topics
from sinks.loads import Epoch, LogEnd, PartitionProgress

AT = datetime(2026, 3, 1, tzinfo=UTC)
# Topic a grew from one partition to two, then topic b came.
EPOCHS = [Epoch("a", 0, 0, 1, 1), Epoch("a", 0, 9, 2, 2), Epoch("a", 1, 0, 2, 2)]
EPOCHS += [Epoch("b", 0, 0, 2, 3), Epoch("b", 1, 0, 2, 3)]


def test_lost_is_what_was_seen_of_a_topic_and_not_folded():
    """By partition; a partition without a tail, and the life of today, are not in it."""
    ends = [LogEnd(2, 0, 15, 12), LogEnd(2, 1, 4, 4), LogEnd(3, 0, 50, 7)]
    assert lost(EPOCHS, ends) == {2: {0: 3}}


def test_an_epoch_followed_by_another_of_its_topic_lost_nothing():
    """It was bumped with everything folded; its last look may be older than that."""
    assert lost(EPOCHS, [LogEnd(1, 0, 9, 5)]) == {}


def test_more_folded_than_seen_is_no_loss():
    """The last look was before the last flush."""
    assert lost(EPOCHS, [LogEnd(2, 0, 10, 12)]) == {}


def test_what_a_worker_notes_names_the_epoch_of_the_next_record():
    """Of a partition without a folded record as well."""
    durable = {
        0: Progress(topics.position(3, 4), 4, AT),
        1: Progress(topics.position(3, -1), -1, AT),
    }
    assert seen_now({0: 8, 1: 2}, durable).rows() == [(3, 0, 8, 5), (3, 1, 2, 0)]


def test_the_last_progress_of_an_epoch_leaves_other_epochs_alone():
    """A partition that never got as far as this epoch says nothing about it."""
    stored = {
        0: PartitionProgress(0, topics.position(2, 11), AT, AT, 1),
        1: PartitionProgress(1, topics.position(1, 7), AT, AT, 1),
    }
    assert folded_at_last(2, stored).rows() == [(2, 0, 0, 12)]
