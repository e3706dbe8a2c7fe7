"""Row S1: a random mix of faults for as long as one likes, a quarter of the time none.

    python -m tests.faults.soak --minutes 60 --seed 7 --report DIRECTORY

Kills hit the first gateway and the first worker; the second ones live through every outage, so
that their memory and descriptors tell of leaks. Outcome, samples and plot are kept in DIRECTORY.
Exit status 0 when nothing was lost, doubled or leaked, 1 otherwise.

Next: tests.faults.samples
"""

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from schemas.rejects import Unavailable
from tests.faults import report
from tests.faults.plot import plot
from tests.faults.run import Run
from tests.faults.samples import STEADY, Samples

PERIOD_SECONDS = (15.0, 40.0)
FAULT_FREE_SHARE = 0.25
# Small, so that all that the worker holds is full before the end of the warm-up: a quarter of it
# is for hashes of user-days that exist, and some 600 a minute are added.
STATE_MAX_BYTES = 2 << 20
# More than the query service has clients for.
QUESTIONS_AT_ONCE = 16


def kill(name: str) -> Callable[[Run], None]:
    """Kill -9, once or a few times."""

    def injected(run: Run) -> None:
        for _ in range(run.rng.randint(1, 3)):
            run.kill(name)
            run.pause(1, 6)

    return injected


def stop(name: str, longest_seconds: float) -> Callable[[Run], None]:
    """SIGSTOP, and SIGCONT a while later."""

    def injected(run: Run) -> None:
        run.fault()
        run.system.signal(name, signal.SIGSTOP)
        run.pause(3, longest_seconds)
        run.system.signal(name, signal.SIGCONT)

    return injected


def hurt(engine: str, side: str, **toxics) -> Callable[[Run], None]:
    """A proxy hurts for a while; without toxics it is down."""

    def injected(run: Run) -> None:
        run.fault(f"{engine} of the {side}: {toxics or 'down'}")
        proxies = {"kafka": run.topology.kafka_proxies, "store": run.topology.clickhouse_proxies}
        proxy = proxies[engine][side]
        if toxics:
            proxy.hurt(**toxics)
        else:
            proxy.down()
        run.pause(3, 15)
        proxy.up()

    return injected


FAULTS: dict[str, Callable[[Run], None]] = {
    "kill worker": kill("worker-1"),
    "kill gateway": kill("gateway-1"),
    "kill ClickHouse": kill("clickhouse"),
    "kill Kafka": kill("kafka"),
    "stop worker": stop("worker-1", 20),
    "stop Kafka": stop("kafka", 15),
    "stop ClickHouse": stop("clickhouse", 15),
    "Kafka down for gateways": hurt("kafka", "gateway"),
    "Kafka down for workers": hurt("kafka", "worker"),
    "ClickHouse down for workers": hurt("store", "worker"),
    "ClickHouse down for gateways": hurt("store", "gateway"),
    "Kafka's answers lost": hurt("kafka", "gateway", answers_lost=True),
    "ClickHouse's answers lost": hurt("store", "worker", answers_lost=True),
    "ClickHouse's answers cut": hurt("store", "worker", answers_cut_after=150),
    "Kafka slow": hurt("kafka", "worker", latency_seconds=0.3),
    "ClickHouse silent": hurt("store", "worker", silent=True),
}


def warm_up(run: Run, minutes: float) -> None:
    """Backlogs larger than any to come, of the gateways and of one worker alone, and questions.

    Pools of threads and connections fill when they are first needed, and then stay.
    """
    run.fault("warm-up: Kafka of the gateways loses answers, and is down")
    gateways = run.topology.kafka_proxies["gateway"]
    gateways.hurt(answers_lost=True)
    run.pause(min(20.0, minutes * 3))
    gateways.down()
    run.pause(min(20.0, minutes * 3))
    gateways.up()
    run.healed()
    run.fault("warm-up: ClickHouse of the workers down, one worker stopped")
    proxy = run.topology.clickhouse_proxies["worker"]
    run.system.signal("worker-1", signal.SIGSTOP)
    proxy.down()
    run.pause(min(120.0, minutes * 6))
    proxy.up()
    run.pause(min(30.0, minutes * 6))
    run.system.signal("worker-1", signal.SIGCONT)
    run.healed()
    with ThreadPoolExecutor(QUESTIONS_AT_ONCE) as asking:
        for answered in asking.map(lambda _: _ask(run), range(4 * QUESTIONS_AT_ONCE)):
            run.expect(answered, "a question of the warm-up was not answered")


def _ask(run: Run) -> bool:
    headers = {"Authorization": f"Bearer {run.system.key}"}
    url = f"{run.topology.query_url}/v1/report"
    return httpx.get(url, headers=headers, timeout=60, trust_env=False).is_success


def soak(run: Run, samples: Samples, *, minutes: float) -> None:
    """The whole of it, with `samples` taken along the way."""
    run.start()
    samples.start()
    warm_up(run, minutes)
    until = time.monotonic() + minutes * 60
    counts: dict[str, int] = {}
    # Each kind once before any comes again: what it needs for the first time, it needs early.
    names = run.rng.sample(sorted(FAULTS), len(FAULTS))
    while time.monotonic() < until:
        run.pause(*PERIOD_SECONDS)
        if run.rng.random() < FAULT_FREE_SHARE:
            run.story.tell("a quiet period")
            continue
        name = names.pop() if names else run.rng.choice(sorted(FAULTS))
        counts[name] = counts.get(name, 0) + 1
        samples.mark(name)
        FAULTS[name](run)
        run.healed()
    run.outcome.figures["faults"] = counts
    samples.stop()
    run.finish()


def new_run(root: Path, seed: int) -> Run:
    """Two gateways and two workers."""
    return Run(
        "S1",
        root,
        seed,
        gateways=2,
        workers=2,
        batches_per_second=15.0,
        look_seconds=5.0,
        extra={"worker": {"USAGE_STATE_MAX_BYTES": str(STATE_MAX_BYTES)}},
    )


def perform(root: Path, seed: int, directory: Path, *, minutes: float) -> list[str]:
    """Run it and keep what it found; what is not as it must be."""
    run = new_run(root, seed)
    samples = Samples(run)
    try:
        soak(run, samples, minutes=minutes)
    except (AssertionError, TimeoutError, Unavailable) as error:
        run.outcome.failure = str(error) or type(error).__name__
    finally:
        if samples.is_alive():
            samples.stop()
        run.end()
    outcome = run.outcome.as_json()
    if samples.seconds:
        leaks = samples.leaks()
        outcome |= {"steady": samples.steady(), "samples": samples.as_json()}
        outcome["complaints"] += leaks
        outcome["verdict"] = "failed" if outcome["complaints"] else "passed"
        directory.mkdir(parents=True, exist_ok=True)
        plot(samples, directory / f"soak-{seed}.png")
    report.keep(directory, f"S1-whole-{seed}", outcome)
    return outcome["complaints"]


def keep_logs(place: Path, directory: Path) -> None:
    """What the processes said, for whoever looks for the cause."""
    for source in place.rglob("*.log"):
        if source.stem.isdigit():  # a segment of Kafka's log
            continue
        target = directory / source.relative_to(place)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--report", type=Path, default=Path("soak-report"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="usage-soak-") as place:
        wrong = perform(Path(place), given.seed, given.report, minutes=given.minutes)
        if wrong:
            keep_logs(Path(place), given.report / f"logs-{given.seed}")
    report.show(given.report)
    print(f"steady: {', '.join(STEADY)}; {wrong or 'passed'}; see {given.report}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
