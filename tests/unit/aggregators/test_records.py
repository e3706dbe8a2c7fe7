"""A record's headers say whether it may be folded; what they can't say stops the worker."""

from dataclasses import replace

import pytest

from aggregators.epochs import Epochs
from aggregators.records import read, read_headers
from schemas import topics
from schemas.rejects import PersonNeeded
from sinks.loads import Epoch
from tests.support.histories import PARTITIONS, delivered, line

EPOCHS = Epochs("topic", [Epoch("topic", 0, 0, PARTITIONS, 3)])


def headers(**changed):
    """Headers of one event, valid by default; None leaves one out."""
    known = dict(topics.events_headers(count=1, partitions=PARTITIONS, request_id="r"))
    known |= {name: value and value.encode() for name, value in changed.items()}
    return [(name, value) for name, value in known.items() if value is not None]


def test_a_record_gets_the_position_of_its_epoch():
    """Position, count and bytes are the record's own."""
    record = read(delivered(7, [line(), line()]), EPOCHS)
    assert (record.position, record.count, record.whole) == (topics.position(3, 7), 2, True)


@pytest.mark.parametrize(
    "changed",
    [
        {"schema": None},
        {"schema": "usage-event/2"},
        {"count": None},
        {"count": "many"},
        {"count": "-1"},
        {"count": ""},
        {"partitions": None},
        {"partitions": "x"},
    ],
)
def test_headers_that_no_gateway_writes_are_poison(changed):
    """One dead letter, and no look into the value."""
    assert read_headers(headers(**changed), value=line(), partitions=PARTITIONS) == (1, False)


def test_no_headers_and_no_value_are_poison():
    """Neither is a record of events."""
    assert read_headers(None, value=line(), partitions=PARTITIONS) == (1, False)
    assert read_headers(headers(), value=b"", partitions=PARTITIONS) == (1, False)


@pytest.mark.parametrize("kind", topics.KINDS_RESERVED)
def test_an_unknown_kind_stops(kind):
    """A newer release wrote it: guessing could count wrongly."""
    with pytest.raises(PersonNeeded) as stopped:
        read_headers(headers(kind=kind), value=line(), partitions=PARTITIONS)
    assert stopped.value.reason == "unknown_kind"


def test_another_number_of_partitions_stops():
    """Users would change partitions."""
    with pytest.raises(PersonNeeded) as stopped:
        read_headers(headers(partitions="12"), value=line(), partitions=PARTITIONS)
    assert stopped.value.reason == "partitions_differ"


def test_a_record_in_a_partition_without_an_epoch_stops():
    """Nobody hashes to a partition added by hand."""
    with pytest.raises(PersonNeeded) as stopped:
        read(replace(delivered(0, [line()]), partition=9), EPOCHS)
    assert stopped.value.reason == "no_epoch"
