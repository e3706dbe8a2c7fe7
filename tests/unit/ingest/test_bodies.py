"""Unpacking: what a sender is told when a body holds more than it may."""

import gzip

import pytest

from ingest.bodies import unpack
from schemas.rejects import Reason, Rejected

BODY = b" " * 1_000_000


@pytest.mark.parametrize(
    ("limit_bytes", "max_ratio", "told"),
    [
        (500_000, 5000, "A body has at most 500000 bytes, unpacked."),
        (2_000_000, 200, "A body has at most {ratio} bytes, unpacked from {packed}."),
    ],
)
def test_the_limit_that_was_passed_is_named(limit_bytes, max_ratio, told):
    """The size alone, or the size that so few packed bytes may have."""
    packed = gzip.compress(BODY)
    with pytest.raises(Rejected) as refused:
        unpack(packed, "gzip", limit_bytes=limit_bytes, max_ratio=max_ratio)
    assert refused.value.reason is Reason.BODY_TOO_LARGE
    assert refused.value.detail == told.format(ratio=200 * len(packed), packed=len(packed))


def test_within_both_limits():
    """A body that packs well is taken as it is."""
    packed = gzip.compress(BODY)
    assert unpack(packed, "gzip", limit_bytes=len(BODY), max_ratio=5000) == BODY
