"""One run of a row: a system, load on it, two who look on, a fault, quiet, and what was found.

Next: tests.faults.checks
"""

import random
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from schemas.topics import EVENTS
from sinks.clickhouse import connect
from tests.faults.checks import Broker, Found, examine, seconds_until_committed, until_quiet
from tests.faults.load import LoadThreads, Plan, event_of, today_of
from tests.faults.oracle import Event, Ledger
from tests.faults.probes import READ_SECONDS, Commits, Looks, Questions
from tests.faults.recount import events_on
from tests.faults.story import Story
from tests.faults.system import TENANT, System
from tests.faults.topology import Topology

PERSON_NEEDED = 78
_STORED = "SELECT id FROM usage_events FINAL WHERE tenant = {tenant:String}"


@dataclass
class Outcome:
    """What a run did and found; `expected_stops` names who had to end with 78, and why."""

    id: str
    seed: int
    within_seconds: float = 60.0
    recoveries: list[float] = field(default_factory=list)
    sends: int = 0
    retried: int = 0
    rejected: int = 0
    faults: int = 0
    destroyed: int = 0
    looks: int = 0
    falls: int = 0
    answered: int = 0
    failed: int = 0
    late: int = 0
    slowest_seconds: float = 0.0
    wrong: int = 0
    found: Found = field(default_factory=Found)
    stops: int = 0
    expected_stops: int = 0
    figures: dict[str, Any] = field(default_factory=dict)
    story: list[tuple[float, str]] = field(default_factory=list)
    failure: str = ""

    @property
    def recovery_seconds(self) -> float:
        """The longest recovery."""
        return max(self.recoveries, default=0.0)

    @property
    def reported(self) -> bool:
        """Whether events were lost or doubled, or the product stopped before that could be."""
        oracle = self.found.oracle
        return oracle.lost > 0 or oracle.doubled > 0 or self.stops > self.expected_stops

    def complaints(self) -> list[str]:
        """Everything that is not as it must be; empty: passed."""
        oracle = self.found.oracle
        checks = {
            self.failure: bool(self.failure),
            f"{oracle.lost} lost": oracle.lost > 0,
            f"{oracle.doubled} doubled": oracle.doubled > 0,
            f"{oracle.strangers} rows nobody sent": oracle.strangers > 0,
            "nothing was acked": oracle.acked == 0,
            f"{self.falls} rows seen to fall": self.falls > 0,
            f"{self.wrong} wrong answers": self.wrong > 0,
            f"verify {self.found.verify_differences}": self.found.verify_differences != 0,
            f"ledger {self.found.ledger_difference}": self.found.ledger_difference != 0,
            f"recount {self.found.recount_differences}": self.found.recount_differences > 0,
            f"recovered in {self.recovery_seconds:.0f} s": self.recovery_seconds
            > self.within_seconds,
            f"{self.stops} stops, {self.expected_stops} expected": self.stops
            != self.expected_stops,
        }
        return [what for what, wrong in checks.items() if wrong]

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        oracle = self.found.oracle
        return {
            **asdict(self),
            "recovery_seconds": round(self.recovery_seconds, 1),
            "acked": oracle.acked,
            "unknown": oracle.unknown,
            "lost": oracle.lost,
            "doubled": oracle.doubled,
            "complaints": self.complaints(),
            "reported": self.reported,
            "verdict": "failed" if self.complaints() else "passed",
        }


class Run:
    """A system under load in the directory `root`; what happens when follows from the seed.

    `options` are the topology's; `worker_module` and `faults` make a worker with a part left out.
    """

    def __init__(
        self,
        row_id: str,
        root: Path,
        seed: int,
        *,
        within_seconds: float = 60.0,
        batches_per_second: float = 20.0,
        copies: int = 1,
        look_seconds: float = READ_SECONDS,
        topology: type[Topology] = Topology,
        **options: Any,
    ) -> None:
        self.rng = random.Random(f"{row_id}-{seed}")
        self.story = Story(row_id)
        self.outcome = Outcome(row_id, seed, within_seconds)
        self.root = root
        self.topology = topology(root, **options)
        self.system = System(self.topology, self.story)
        self.broker = Broker(self.topology.bootstrap)
        self.plan = Plan(seed)
        self._copies = copies
        self._look_seconds = look_seconds
        self._ended = False
        self._destroyed: set[Event] = set()
        self._batches_per_second = batches_per_second
        self._today = today_of()

    def start(self) -> None:
        """Start the system, the load and those who look on."""
        self.story.tell(f"seed {self.outcome.seed}")
        self.system.start()
        self.ledger = Ledger(self.root / "ledger.ndjson")
        self.load = self._new_load()
        self.looks = Looks(self.topology.dsn, TENANT, every_seconds=self._look_seconds)
        self.questions = Questions(
            self.topology.query_url, self.system.key, lambda: self.plan.units
        )
        self.commits = Commits(lambda: self.broker.offsets(patience_seconds=0))
        for thread in (self.load, self.looks, self.questions, self.commits):
            thread.start()

    def _new_load(self) -> LoadThreads:
        return LoadThreads(
            self.plan,
            self.ledger,
            self._gateway,
            today=self._today,
            batches_per_second=self._batches_per_second,
            copies=self._copies,
        )

    def load_again(self) -> None:
        """Go on sending after `stop_load`."""
        self._note_load()
        self.load = self._new_load()
        self.load.start()
        self.commits.forget()
        self.story.tell("load again")

    def _gateway(self) -> tuple[str, str]:
        return random.choice(self.topology.gateway_urls), self.system.key

    def pause(self, shortest: float, longest: float | None = None) -> None:
        """Let time pass, between the two, by seed."""
        time.sleep(self.rng.uniform(shortest, longest or shortest))

    def fault(self, what: str = "") -> None:
        """One more fault was injected."""
        self.outcome.faults += 1
        if what:
            self.story.tell(what)

    def kill(self, name: str) -> None:
        """Kill -9, if it lives now."""
        if self.system.kill(name):
            self.fault()

    def healed(self, *, within_seconds: float | None = None) -> float:
        """From here on nothing is wrong: how long until all that is on the log is committed."""
        limit = within_seconds or 3 * self.outcome.within_seconds
        took = seconds_until_committed(
            self.broker, within_seconds=limit, look=self._expect_no_more_stops
        )
        self.outcome.recoveries.append(round(took, 2))
        self.story.tell(f"recovered after {took:.1f} s")
        return took

    def expect(self, holds: bool, what: str) -> None:
        """A row's own condition."""
        if not holds:
            raise AssertionError(what)

    def _stopped(self) -> list[str]:
        """Who has ended with 78."""
        return [name for name, status in self.system.endings if status == PERSON_NEEDED]

    def _expect_no_more_stops(self) -> None:
        """What waits for a person heals no more: no use in waiting."""
        stopped = self._stopped()
        if len(stopped) > self.outcome.expected_stops:
            told = [entry.get("detail") for entry in self.system.logged(stopped[-1], "stopped")]
            raise AssertionError(f"{stopped[-1]} needs a person: {told[-1] if told else 'no why'}")

    def until(self, happened: Any, what: str, seconds: float = 60.0) -> None:
        """Wait until it happened."""
        deadline = time.monotonic() + seconds
        while not happened():
            self._expect_no_more_stops()
            self.expect(time.monotonic() < deadline, f"did not happen in {seconds:.0f} s: {what}")
            time.sleep(0.1)

    def stop_load(self) -> None:
        """Send no more, and wait for the answers."""
        self.load.stop()
        self.story.tell("load ended")

    def quiet(self) -> float:
        """Wait until everything is folded, stored and committed; how long it took."""
        return until_quiet(self.topology.dsn, self.broker, self._expect_no_more_stops)

    def unfolded(self) -> set[Event]:
        """Events that are on the log and not stored."""
        with closing(connect(self.topology.dsn)) as client:
            found = client.query(_STORED, parameters={"tenant": TENANT}).result_rows
        return events_on(self.topology.bootstrap, EVENTS) - {event_of(name) for (name,) in found}

    def destroyed(self, events: set[Event]) -> None:
        """The fault destroys these: whether they are counted is nobody's fault."""
        self._destroyed |= events
        self.outcome.destroyed = len(self._destroyed)
        self.story.tell(f"{len(events)} events will be destroyed")

    def finish(self, *, recounted: bool = True, one_more: bool = True) -> None:
        """End the load, let all be quiet, send one event more to each open row, and examine."""
        self.stop_load()
        self.outcome.figures["quiet_seconds"] = round(self.quiet(), 1)
        if one_more:
            self.load.deliver(self.plan.closing())
            self.quiet()
        self.ledger.close()
        self._note_load()
        self.outcome.found = examine(
            self.topology.dsn,
            self.broker,
            TENANT,
            self.root / "ledger.ndjson",
            self._today,
            destroyed=self._destroyed,
            recounted=recounted,
        )
        self.story.tell(f"examined: {self.outcome.found.oracle}")

    def _note_load(self) -> None:
        outcome, load = self.outcome, self.load
        outcome.sends += load.acked
        outcome.retried += load.retried
        outcome.rejected += load.rejected

    def end(self) -> None:
        """Stop everything, whatever state it is in, and complete the outcome; once."""
        if self._ended:
            return
        self._ended = True
        outcome = self.outcome
        if hasattr(self, "questions"):
            self.load.abandon()
            self.ledger.close()
            for thread in (self.looks, self.questions, self.commits):
                thread.stop()
            outcome.figures["longest_pause_seconds"] = round(self.commits.longest_seconds, 1)
            outcome.looks, outcome.falls = self.looks.looks, self.looks.falls
            asked = self.questions
            outcome.answered, outcome.failed = asked.answered, asked.failed
            outcome.late, outcome.wrong = asked.late, asked.wrong
            outcome.slowest_seconds = round(max(asked.seconds, default=0.0), 2)
        outcome.stops = len(self._stopped())
        endings: dict[str, int] = {}
        for name, status in self.system.endings:
            endings[f"{name} {status}"] = endings.get(f"{name} {status}", 0) + 1
        outcome.figures["endings"] = endings
        self.system.stop()
        outcome.story = self.story.lines
