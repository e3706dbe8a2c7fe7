"""What an answer is, and what is said when there is none: never whom a query was about."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from clickhouse_connect.driver.exceptions import OperationalError

from schemas.rejects import Unavailable
from sinks.clickhouse import query, reraise

ADDRESS = "/?query_id=1&param_user_ids=%5B%27sample-user%27%5D"


def test_an_error_names_no_user():
    """The address of a failed request carries the query's parameters; the error does not."""
    error = OperationalError(f"Max retries exceeded with url: {ADDRESS} (Caused by a refusal)")
    with pytest.raises(Unavailable) as caught:
        reraise(error)
    assert "sample-user" not in str(caught.value)
    assert "Caused by a refusal" in str(caught.value)


@pytest.mark.parametrize("level", ["debug", "info", "warning"])
def test_a_retry_names_no_user(level):
    """The HTTP library logs addresses when it retries; it is kept quiet at every level."""
    program = (
        "import logging; from schemas.telemetry import configure_logging;"
        f"configure_logging(level={level!r});"
        f"logging.getLogger('urllib3.connectionpool').warning('Retrying: %s', {ADDRESS!r});"
        "logging.getLogger('uvicorn.error').warning('still heard')"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "sample-user" not in run.stdout + run.stderr
    assert "still heard" in run.stderr


@pytest.mark.parametrize("summary", [{"query_id": ""}, {}])
def test_an_empty_answer_of_somebody_else_is_no_table_without_rows(summary):
    """Something in between that answers 200 and nothing else: the driver finds no rows in it."""
    client = SimpleNamespace(query=lambda *_, **__: SimpleNamespace(summary=summary))
    with pytest.raises(Unavailable):
        query(client, "SELECT 1")


def test_an_answer_with_its_id_is_one():
    """It is handed on as it is."""
    answer = SimpleNamespace(summary={"query_id": "1"})
    client = SimpleNamespace(query=lambda *_, **__: answer)
    assert query(client, "SELECT 1") is answer
