"""The manifest of metrics: names are unique, labels take declared values alone."""

import re

import pytest
from prometheus_client import CollectorRegistry

from schemas.metrics import IngestMetrics, QueryMetrics, WorkerMetrics
from schemas.rejects import Reason

PROCESSES = (IngestMetrics, WorkerMetrics, QueryMetrics)
# https://prometheus.io/docs/practices/naming/: a base unit at the end, where there is one.
_NAME = re.compile(r"usage_[a-z0-9]+(_[a-z0-9]+)*")


def test_declared_values_are_taken():
    """Every reason of a refusal, and counts add up."""
    metrics = IngestMetrics(registry := CollectorRegistry())
    for reason in Reason:
        metrics.events.labels("rejected", reason).inc(2)
        metrics.events.labels(verdict="rejected", reason=reason).inc()
        labels = {"verdict": "rejected", "reason": str(reason)}
        assert registry.get_sample_value("usage_ingest_events_total", labels) == 3


@pytest.mark.parametrize(
    "refused",
    [
        lambda ingest, *_: ingest.events.labels("accepted", "user-1"),
        lambda ingest, *_: ingest.events.labels(verdict="lost", reason=""),
        lambda ingest, *_: ingest.requests.labels("two hundred"),
        lambda ingest, *_: ingest.requests.labels(code=200, user="a"),
        lambda _, worker, *__: worker.stopped.labels("A sentence."),
        lambda _, worker, *__: worker.lag_records.labels("p1"),
        lambda *given: given[2].query_seconds.labels(query="SELECT 1"),
    ],
)
def test_other_values_and_labels_are_refused(refused):
    """Nothing is counted under a value that nobody declared."""
    made = [process(CollectorRegistry()) for process in PROCESSES]
    with pytest.raises(ValueError, match=r"label|Incorrect label"):
        refused(*made)


def test_names_are_of_one_system():
    """Each name is used once over all processes, begins alike and tells what it counts."""
    names = []
    for process in PROCESSES:
        process(registry := CollectorRegistry())
        names += [(family.name, family.documentation) for family in registry.collect()]
    assert len({name for name, _ in names}) == len(names)
    assert all(_NAME.fullmatch(name) and told.endswith(".") for name, told in names)
