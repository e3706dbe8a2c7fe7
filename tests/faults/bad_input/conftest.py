"""One running system for all bad input, which must be unhurt after each test.

Next: tests.support.whole_system
"""

import re

import pytest

from tests.support.fault_report import record
from tests.support.up_process import UpProcess
from tests.support.whole_system import WholeSystem


@pytest.fixture(scope="package")
def system(tmp_path_factory):
    """A whole system: Kafka, ClickHouse, gateway, worker, query service."""
    with UpProcess(tmp_path_factory.mktemp("up")) as up:
        yield WholeSystem(up)
        assert up.stop() == 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A test of a row that fails is told in the row's file: its figures may never be written."""
    report = yield
    row = re.match(r"test_(g\d)_", item.name)
    if row and report.failed:
        record(row[1].upper(), passed=False, figures={"failed": item.name})
    return report
