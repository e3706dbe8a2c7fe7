"""Each record of the present generation is taken once, in order, and none is missing."""

import pytest

from aggregators.intake import Gap, Intake
from tests.support.histories import delivered, line


def records(*offsets, generation=1, partition=0):
    """Records at these offsets."""
    return [
        delivered(offset, [line()], generation=generation, partition=partition)
        for offset in offsets
    ]


def taken(intake, given):
    """Offsets of what it takes."""
    return [(record.partition, record.offset) for record in intake.take(given)]


def test_records_in_order_are_taken():
    """From the expected offset on, and the next list goes on."""
    intake = Intake(1, {0: 5})
    assert taken(intake, records(5, 6)) == [(0, 5), (0, 6)]
    assert taken(intake, records(7)) == [(0, 7)]


def test_partitions_do_not_wait_for_each_other():
    """Each has its own place."""
    intake = Intake(1, {0: 5, 1: 0})
    mixed = [*records(5), *records(0, 1, partition=1), *records(6)]
    assert taken(intake, mixed) == [(0, 5), (1, 0), (1, 1), (0, 6)]


def test_another_generation_is_removed_and_the_present_one_kept():
    """A list with an old tail and the new replay: only the replay counts."""
    intake = Intake(2, {0: 5})
    mixed = [*records(7, 8, generation=1), *records(5, 6, generation=2)]
    assert taken(intake, mixed) == [(0, 5), (0, 6)]
    assert taken(intake, records(7, generation=3)) == []


def test_a_record_delivered_again_is_taken_once():
    """In one list and in the next."""
    intake = Intake(1, {0: 5})
    assert taken(intake, records(5, 5, 6, 5)) == [(0, 5), (0, 6)]
    assert taken(intake, records(4, 5, 6, 7)) == [(0, 7)]


def test_a_missing_record_is_a_gap():
    """It is named with what was expected."""
    with pytest.raises(Gap, match="expected offset 6, found 7") as gap:
        Intake(1, {0: 5}).take(records(5, 7))
    assert (gap.value.partition, gap.value.expected, gap.value.found) == (0, 6, 7)


def test_a_partition_that_is_not_ours_is_a_gap():
    """Its place is unknown."""
    with pytest.raises(Gap):
        Intake(1, {0: 5}).take(records(0, partition=1))
