"""The oracle sees each lost and each doubled event, and nothing where nothing is wrong."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.oracle import EVENTS_PER_ROW, Expected, Ledger, check, read_ledger, tokens_of

BITS = st.integers(0, (1 << EVENTS_PER_ROW) - 1)


def test_the_largest_event_is_acceptable():
    """34 events a row is the most: the last one's tokens are just under the contract's limit."""
    assert tokens_of((0, 0)) == "0.0001"
    assert 500_000 < float(tokens_of((0, EVENTS_PER_ROW - 1))) < 1_000_000


def test_the_ledger_tells_acked_from_unknown_from_rejected(tmp_path):
    """An unanswered batch is unknown, until another batch with the same event is answered."""
    ledger = Ledger(tmp_path / "ledger")
    first = ledger.attempted([(1, 0), (1, 1), (2, 5)])
    ledger.attempted([(1, 1), (1, 2)])
    ledger.answered(first, rejected=[(2, 5)])
    ledger.close()
    rows = read_ledger(tmp_path / "ledger")
    assert rows == {1: Expected(acked=0b11, unknown=0b100), 2: Expected()}


@given(acked=BITS, unknown=BITS, seed=st.integers(0, 99))
def test_a_right_row_passes(acked, unknown, seed):
    """Acked events with any part of the unknown ones is right."""
    unknown &= ~acked
    total = acked | unknown & random.Random(seed).getrandbits(EVENTS_PER_ROW)
    assert check({1: Expected(acked, unknown)}, {1: total}).passed


@given(acked=BITS, lost=BITS)
def test_every_lost_event_is_counted(acked, lost):
    """Without unknown events, each missing bit is one lost event."""
    lost &= acked
    verdict = check({1: Expected(acked)}, {1: acked & ~lost})
    assert (verdict.lost, verdict.doubled) == (lost.bit_count(), 0)


@given(acked=BITS, doubled=BITS)
def test_every_doubled_event_is_counted(acked, doubled):
    """Without unknown events, each bit added twice is one doubled event."""
    doubled &= acked
    verdict = check({1: Expected(acked)}, {1: acked + doubled})
    assert (verdict.lost, verdict.doubled) == (0, doubled.bit_count())


@given(acked=BITS, unknown=BITS, bit=st.integers(0, EVENTS_PER_ROW - 1))
def test_one_wrong_event_among_unknown_ones_is_not_missed(acked, unknown, bit):
    """A lost or doubled event shows unless unknown events explain the very same total."""
    one = 1 << bit
    acked |= one
    unknown &= ~acked
    for total in (acked - one, acked + one):
        right = total >= acked and (total - acked) & ~unknown == 0
        assert check({1: Expected(acked, unknown)}, {1: total}).passed == right


@pytest.mark.parametrize("units", [{}, {1: 1, 9: 1}])
def test_missing_and_strange_rows_show(units):
    """A row that is not there has lost its events; a row nobody sent is a stranger."""
    assert not check({1: Expected(acked=1)}, units).passed
