"""Clients over one spool, closed at the end.

Next: ingest.client
"""

import pytest

from ingest.client import Client
from tests.support.products import NOWHERE


@pytest.fixture
def make(tmp_path):
    """Makes clients over one spool."""
    made = []

    def client(url=NOWHERE, **more):
        given = {"key": "ur_sample_key", "source": "sample", "spool": tmp_path / "spool"}
        made.append(Client(url, **{**given, **more}))
        return made[-1]

    yield client
    for each in made:
        each.close(timeout_seconds=5)
