"""Where to start after an assignment, and each reason not to (rule 8)."""

from datetime import UTC, datetime

import pytest

from aggregators.assignment import NEVER, durable_progress, starting_offsets
from aggregators.broker import LogState
from aggregators.epochs import Epochs
from schemas import topics
from schemas.rejects import PersonNeeded
from schemas.rollups import FOLD_VERSION
from sinks.loads import Epoch, PartitionProgress

EPOCHS = Epochs("topic", [Epoch("topic", 0, 0, 2, 1), Epoch("topic", 1, 0, 2, 1)])
AT = datetime(2026, 3, 1, tzinfo=UTC)


def start(*, folded=None, committed=None, earliest=0, latest=100, fold_version=FOLD_VERSION):
    """Where partition 0 starts; `folded` is the offset after the last one in the store."""
    log = LogState(
        topic_id="topic",
        committed={} if committed is None else {0: committed},
        earliest={0: earliest},
        latest={0: latest},
    )
    stored = {}
    if folded is not None:
        position = topics.position(1, folded - 1)
        stored[0] = PartitionProgress(0, position, AT, NEVER, fold_version)
    return starting_offsets([0], log, stored, EPOCHS)[0]


def reason(**given):
    """Why a person is needed."""
    with pytest.raises(PersonNeeded) as stopped:
        start(**given)
    assert stopped.value.remedy
    return stopped.value.reason


def test_it_starts_where_the_group_stands():
    """At the committed offset; folded may be ahead of it, after a crash before the commit."""
    assert start(folded=10, committed=10) == 10
    assert start(folded=12, committed=10) == 10
    assert start(committed=0) == 0


def test_without_a_commit_it_starts_at_the_earliest():
    """A first start, or a group that Kafka forgot; a replay does no harm."""
    assert start() == 0
    assert start(folded=10) == 0
    assert start(folded=10, earliest=4) == 4


def test_offsets_reset_to_the_earliest_do_no_harm():
    """A replay."""
    assert start(folded=50, committed=0) == 0
    assert start(folded=50, committed=10, earliest=20) == 20


def test_a_commit_above_the_progress_stops():
    """The store went back, or the offset was reset forward."""
    assert reason(folded=10, committed=11) == "store_went_back"
    assert reason(committed=1) == "store_went_back"


def test_a_log_that_ends_below_the_progress_stops():
    """The broker lost its tail."""
    assert reason(folded=10, committed=10, latest=9) == "log_went_back"
    assert start(folded=10, committed=10, latest=10) == 10


def test_a_log_that_starts_above_the_progress_stops():
    """Records were deleted before they were folded, and the gap is named."""
    assert reason(folded=10, committed=10, earliest=11) == "log_start_passed"
    assert start(folded=10, committed=10, earliest=10) == 10
    with pytest.raises(PersonNeeded, match="records 10 to 19 were deleted"):
        start(folded=10, committed=10, earliest=20)


def test_a_store_folded_by_a_newer_release_stops():
    """Two releases that fold differently must not mix."""
    assert reason(folded=10, committed=10, fold_version=FOLD_VERSION + 1) == "fold_version"


def test_durable_progress_is_what_the_store_knows():
    """Of a partition without progress: the place before its first record."""
    stored = PartitionProgress(0, topics.position(1, 9), AT, NEVER, FOLD_VERSION)
    known = durable_progress(0, stored, EPOCHS)
    assert (known.offset, known.position, known.appended_at) == (9, topics.position(1, 9), AT)
    unknown = durable_progress(1, None, EPOCHS)
    assert (unknown.offset, unknown.position) == (-1, topics.position(1, -1))
