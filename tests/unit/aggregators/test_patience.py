"""Only a dependency that is away is waited for."""

import pytest
from prometheus_client import CollectorRegistry

from aggregators import patience
from aggregators.patience import Patience
from schemas.metrics import WorkerMetrics
from schemas.rejects import Unavailable


@pytest.fixture
def impatient(monkeypatch):
    """Patience with short waits."""
    monkeypatch.setattr(patience, "_FIRST_SECONDS", 0.001)
    monkeypatch.setattr(patience, "_LONGEST_SECONDS", 0.002)
    return Patience(WorkerMetrics(CollectorRegistry()))


async def test_it_tries_again_until_there_is_an_answer(impatient):
    """Unavailable is no answer; while it waits it says so."""
    waited = []

    def answer(of, *, after):
        waited.append(impatient.waiting)
        if len(waited) <= after:
            raise Unavailable("clickhouse")
        return of

    assert await impatient.call(answer, "rows", after=5) == "rows"
    assert waited == [0, 1, 1, 1, 1, 1]
    assert impatient.waiting == 0


async def test_any_other_error_is_raised_at_once(impatient):
    """A bug is not waited for, and nobody waits afterwards."""
    asked = []

    def fail():
        asked.append(1)
        if len(asked) == 1:
            raise Unavailable("kafka")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await impatient.call(fail)
    assert (len(asked), impatient.waiting) == (2, 0)
