"""A worker that needs a person says so where a scraper looks, and does nothing else any more."""

import subprocess
import sys
import time
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from schemas import topics
from tests.support.histories import line
from tests.support.worker_world import PARTITIONS

PERSON_NEEDED = 78
LONG_SECONDS = 300


def stopped_by_a_stranger(world, **settings):
    """A worker that met a record hashed over another number of partitions, and has said so."""
    worker = world.worker(**settings)
    headers = topics.events_headers(count=1, partitions=PARTITIONS + 1, request_id="r")
    world.append(0, [line()], headers=headers)
    world.until(lambda: worker.entries("stopped"))
    return worker


def scraped(worker):
    """Its samples, as Prometheus reads them; none while nobody answers."""
    try:
        text = httpx.get(worker.metrics_url, timeout=5).text
    except httpx.TransportError:
        return []
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def threads(worker):
    """How many threads the process has."""
    return len(list(Path(f"/proc/{worker.process.pid}/task").iterdir()))


def test_a_scrape_finds_reason_and_remedy(world):
    """For a while after the stop /metrics name both; SIGTERM ends the wait, still with 78."""
    worker = stopped_by_a_stranger(world, stop_linger_seconds=LONG_SECONDS)
    world.until(lambda: scraped(worker))

    samples = {sample.name: sample for sample in scraped(worker) if sample.value}

    assert samples["usage_stopped"].labels == {"reason": "partitions_differ"}
    told = samples["usage_stopped_info"].labels
    assert told == {"reason": "partitions_differ", "remedy": worker.entries("stopped")[0]["remedy"]}
    # The metrics it had are still there, as they were.
    assert "usage_fold_records_total" in {sample.name for sample in scraped(worker)}
    assert worker.process.poll() is None
    assert worker.terminate() == PERSON_NEEDED


def test_all_work_is_over_while_it_waits(world):
    """Nothing is folded any more, and the group loses its member as if the process had ended."""
    worker = stopped_by_a_stranger(world, stop_linger_seconds=LONG_SECONDS)
    world.until(lambda: scraped(worker))
    before = world.committed()
    world.send(range(50))

    # A member that sends no heartbeats is expelled: another worker gets the partitions, meets the
    # same record, and stops as well.
    other = world.worker("worker-2")

    assert other.exit_status() == PERSON_NEEDED
    assert worker.process.poll() is None
    assert world.counted() == (0, 0)
    assert world.committed() == before
    # The one that waits, and the one that listens: no consumer, no flush.
    assert threads(worker) <= 2


def test_the_wait_ends_by_itself(world):
    """After the time that is set it exits with 78, unasked."""
    worker = stopped_by_a_stranger(world, stop_linger_seconds=2)
    seen = time.monotonic()

    assert worker.exit_status() == PERSON_NEEDED
    assert time.monotonic() - seen < 30


TOLD = """
from prometheus_client import CollectorRegistry
from aggregators.stop import Stop
from schemas.rejects import PersonNeeded
from schemas.settings import WorkerSettings
from schemas.metrics import WorkerMetrics

registry = CollectorRegistry()
stop = Stop(WorkerSettings(stop_linger_seconds=300), WorkerMetrics(registry), registry)
stop.told.set()
stop.for_person(PersonNeeded("reason", "detail", remedy="remedy"))
"""


def test_told_to_end_before_it_needed_a_person():
    """A worker that is being stopped does not keep its supervisor waiting for a scrape."""
    ended = subprocess.run(
        [sys.executable, "-c", TOLD], check=False, capture_output=True, timeout=60
    )

    assert ended.returncode == PERSON_NEEDED
    assert b"remedy" in ended.stdout
