"""The first kill loop: processes of a running `up` die by kill -9 under load; then the oracle.

    python -m tests.faults.kill_loop --minutes 3 --seed 7 [--guard off] [--first-seen off]
    python -m tests.faults.kill_loop --all-at-once 3 --seed 7
    python -m tests.faults.kill_loop --die-after usage_daily:0.05 [--guard off]

With a part left out it must fail, or the harness is blind. A kill from outside seldom falls between
the insert of the rows and the commit, the only place where the guard matters; --die-after makes the
worker kill itself there: the control without the guard needs it, and the real one must pass it.
What is killed when, and what is sent, follow from the seed.
Exit status 0 when nothing was lost or doubled, 1 otherwise.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sinks.clickhouse import connect
from tests.faults.load import LoadThreads, Plan, place_of, today_of
from tests.faults.oracle import Ledger, Verdict, check, read_ledger
from tests.faults.readings import Reader, read_rows
from tests.support.up_process import UpProcess

ROOT = Path(__file__).parents[2]
VICTIMS = ("worker", "worker", "worker", "ingest", "ingest", "clickhouse", "clickhouse", "kafka")
PAUSE_SECONDS = (1.0, 8.0)
QUIET_SECONDS = 180.0
BATCHES_PER_SECOND = 20.0


@dataclass
class Outcome:
    """What a run did and found."""

    seed: int
    faults: dict[str, str]
    kills: dict[str, int] = field(default_factory=dict)
    looks: int = 0
    falls: int = 0
    acked_sends: int = 0
    retried: int = 0
    rejected: int = 0
    seconds_until_quiet: float = 0.0
    oracle: Verdict = field(default_factory=Verdict)
    verify: dict = field(default_factory=dict)
    ledger_differences: int = -1

    @property
    def passed(self) -> bool:
        """Nothing lost, nothing doubled, and the product's own checks agree."""
        own_checks = self.verify.get("differences") == 0 and self.ledger_differences == 0
        return self.oracle.passed and own_checks and self.falls == 0

    def killed(self, name: str) -> None:
        """Count a kill, and tell the run's story."""
        self.kills[name] = self.kills.get(name, 0) + 1
        say(f"killed {name}")

    def as_json(self) -> dict:
        """For machines."""
        return {**asdict(self), "oracle": self.oracle.as_json(), "passed": self.passed}


class FaultyUp(UpProcess):
    """`up` whose worker has a part left out."""

    def command(self) -> list[str]:
        """The test-only entry, which is not installed."""
        return [sys.executable, "-m", "tests.support.faulty_up", *super().command()[3:]]


def make_up(data_dir: Path, faults: dict[str, str]) -> UpProcess:
    """The real `up`, or one with the faulty worker, which reads `faults` from its environment."""
    if not faults:
        return UpProcess(data_dir)
    return FaultyUp(data_dir, environment={**faults, "PYTHONPATH": str(ROOT)})


def run(seed: int, *, minutes: float, faults: dict[str, str], at_once: int, root: Path) -> Outcome:
    """One run in an empty directory: load and kills, quiet, checks."""
    rng = random.Random(seed)
    outcome = Outcome(seed, faults)
    up = make_up(root / "data", faults)
    up.start()
    try:
        ledger = Ledger(root / "ledger.ndjson")
        today = today_of()
        load = LoadThreads(
            Plan(seed),
            ledger,
            lambda: (up.ready["ingest_url"], up.ready["key"]),
            today=today,
            batches_per_second=BATCHES_PER_SECOND,
        )
        load.start()
        reader = Reader(up)
        reader.start()
        if at_once:
            kill_all_at_once(up, rng, at_once, outcome)
        else:
            kill_in_turn(up, rng, time.monotonic() + minutes * 60, outcome)
        load.stop()
        ledger.close()
        outcome.acked_sends, outcome.retried = load.acked, load.retried
        outcome.rejected = load.rejected
        outcome.seconds_until_quiet = wait_until_quiet(up)
        outcome.looks, outcome.falls = reader.stop()
        examine(up, outcome, root / "ledger.ndjson", today)
    finally:
        up.stop()
    return outcome


def kill_in_turn(up: UpProcess, rng: random.Random, until: float, outcome: Outcome) -> None:
    """Kill -9 a random process after a random pause; the supervisor starts it again."""
    while time.monotonic() < until:
        time.sleep(rng.uniform(*PAUSE_SECONDS))
        name = rng.choice(VICTIMS)
        if kill(up.pids().get(name)):
            outcome.killed(name)


def kill_all_at_once(up: UpProcess, rng: random.Random, times: int, outcome: Outcome) -> None:
    """Kill -9 everything, the supervisor first, in mid-load; then `up` again."""
    for _ in range(times):
        time.sleep(rng.uniform(5, 15))
        pids = up.pids()
        up.kill()
        for pid in pids.values():
            kill(pid)
        outcome.killed("everything")
        up.start()
    time.sleep(rng.uniform(5, 10))


def kill(pid: int | None) -> bool:
    """Kill -9; False when there is no such process (any more)."""
    if not pid:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def wait_until_quiet(up: UpProcess) -> float:
    """Wait until nothing lags, as the broker and the store say; how long it took."""
    began = time.monotonic()
    while True:
        done = command(up, "lag")
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
        if answer.get("lag_records") == 0 and all(map(is_folded, answer["partitions"])):
            return time.monotonic() - began
        if time.monotonic() - began > QUIET_SECONDS:
            raise TimeoutError(f"still lagging: {done.stdout}{done.stderr}")
        time.sleep(1)


def is_folded(partition: dict) -> bool:
    """Whether the store has every record of a partition."""
    return partition["end"] in {partition["folded"] or 0, partition["start"]}


def examine(up: UpProcess, outcome: Outcome, ledger: Path, today: datetime) -> None:
    """Ask the oracle, and the product's own checks."""
    client = connect(up.ready["clickhouse_url"])
    expected = read_ledger(ledger)
    places = {place_of(row, today): row for row in expected}
    outcome.oracle = check(expected, read_rows(client, up.ready["tenant"], places))
    client.close()
    found = json.loads(command(up, "verify").stdout or "{}")
    outcome.verify = {name: found.get(name) for name in ("rows", "differences")}
    books = json.loads(command(up, "ledger", "--all").stdout or "{}")
    if "partitions" in books:
        outcome.ledger_differences = sum(row["difference"] for row in books["partitions"])


def command(up: UpProcess, *arguments: str) -> subprocess.CompletedProcess:
    """A command of `usage-report` against the running `up`."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments, "--json", "--data-dir", str(up.data_dir)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def say(what: str) -> None:
    """A line of the run's story, on standard error."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def show(outcome: Outcome) -> None:
    """The result as a table, then as JSON."""
    table = Table(title="Kill loop", title_justify="left", show_header=False)
    kills = ", ".join(f"{name} {count}" for name, count in outcome.kills.items())
    oracle = outcome.oracle
    for name, value in (
        ("seed", outcome.seed),
        ("faults", ", ".join(f"{k}={v}" for k, v in outcome.faults.items()) or "none built in"),
        ("killed", kills),
        ("acked", f"{oracle.acked} events in {oracle.rows} rows ({outcome.acked_sends} sends)"),
        ("unknown, rejected, retried", f"{oracle.unknown}, {outcome.rejected}, {outcome.retried}"),
        ("quiet after", f"{outcome.seconds_until_quiet:.0f} s"),
        ("lost", oracle.lost),
        ("doubled", oracle.doubled),
        ("rows nobody sent", oracle.strangers),
        ("rows seen to fall", f"{outcome.falls} in {outcome.looks} looks"),
        ("verify differences", outcome.verify.get("differences")),
        ("ledger differences", outcome.ledger_differences),
        ("passed", outcome.passed),
    ):
        table.add_row(name, str(value))
    Console().print(table)
    print(json.dumps(outcome.as_json()))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Kill -9 under load, then the oracle.")
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--guard", choices=["on", "off"])
    parser.add_argument("--first-seen", choices=["on", "off"])
    parser.add_argument("--die-after", metavar="TABLE:SHARE")
    parser.add_argument("--all-at-once", type=int, default=0, metavar="TIMES")
    given = parser.parse_args()
    asked = {name: getattr(given, name) for name in ("guard", "first_seen", "die_after")}
    faults = {
        f"USAGE_FAULT_{name.upper()}": value
        for name, value in asked.items()
        if value not in {None, "on"}
    }
    with tempfile.TemporaryDirectory(prefix="usage-kill-loop-") as place:
        outcome = run(
            given.seed,
            minutes=given.minutes,
            faults=faults,
            at_once=given.all_at_once,
            root=Path(place),
        )
    show(outcome)
    sys.exit(0 if outcome.passed else 1)


if __name__ == "__main__":
    main()
