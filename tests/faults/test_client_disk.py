"""The client for products on a disk that is full, which takes root to mount."""

import pytest

from ingest.client import Client
from tests.faults.disk import Disk
from tests.support.products import PLACE
from tests.support.scripted_gateway import scripted_gateway

pytestmark = pytest.mark.faults


def test_a_full_disk_empties_itself(tmp_path):
    """What fitted arrives once each, the rest is counted; then there is room again."""
    away = [True]
    with (
        Disk(tmp_path / "disk", megabytes=2),
        scripted_gateway(lambda _: (503, None) if away[0] else None) as gateway,
    ):
        spool = tmp_path / "disk" / "spool"
        client = Client(gateway.url, "ur_sample_key", source="sample", spool=spool)
        for _ in range(20_000):
            client.launched("user", **PLACE)
        taken = client.counts.taken
        assert 0 < taken < 20_000
        assert client.counts.dropped == 20_000 - taken
        # A process that begins on a full disk has the rest of it, if any.
        second = Client(gateway.url, "ur_sample_key", source="sample", spool=spool)
        away[0] = False
        assert client.flush(120)
        assert second.flush(120)
        assert len(gateway.identities) == taken
        client.launched("user", **PLACE)
        second.launched("user", **PLACE)
        assert client.flush(60)
        assert second.flush(60)
        assert (client.counts.taken, second.counts.taken) == (taken + 1, 1)
        assert len(gateway.identities) == taken + 2
        client.close()
        second.close()
