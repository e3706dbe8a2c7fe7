"""One running system for all bad input, which must be unhurt after each test.

Next: tests.support.whole_system
"""

import pytest

from tests.support.up_process import UpProcess
from tests.support.whole_system import WholeSystem


@pytest.fixture(scope="session")
def system(tmp_path_factory):
    """A whole system: Kafka, ClickHouse, gateway, worker, query service."""
    with UpProcess(tmp_path_factory.mktemp("up")) as up:
        yield WholeSystem(up)
        assert up.stop() == 0
