"""A system that runs, with its supervisor: what ends is started again, except with status 78.

Next: tests.faults.topology
"""

import os
import signal
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime

import httpx
import orjson

from deploy import topics as log_topics
from deploy.children import Child
from schemas.kafka_address import KafkaAddress
from schemas.rejects import PersonNeeded, Unavailable
from sinks import keys
from sinks.clickhouse import connect
from sinks.migrate import migrate
from tests.faults.story import Story
from tests.faults.topology import Topology

TENANT = "sample-faults"
START_SECONDS = 120.0
_TICK_SECONDS = 0.05
_STOP_ORDER = ("gateway", "worker", "query", "clickhouse", "kafka")


class System:
    """Everything of a topology as processes; `held` ones are not started again until let go."""

    def __init__(self, topology: Topology, story: Story) -> None:
        self.topology = topology
        self.story = story
        self.children: dict[str, Child] = {}
        self.endings: list[tuple[str, int]] = []
        self.key = ""
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self) -> None:
        """Start everything, and return when it answers."""
        for proxy in (*self.topology.kafka_proxies.values(), *self._clickhouse_proxies()):
            proxy.up()
        self._add(*self.topology.engines())
        self._keeper.start()
        self.until_ready(*self.children)
        self._prepare()
        names = [*self.topology.names("gateway"), *self.topology.names("worker"), "query"]
        self._add(*(self.topology.service(name) for name in names))
        self.until_ready(*names)
        self.story.tell("everything answers")

    def _clickhouse_proxies(self):
        return self.topology.clickhouse_proxies.values()

    def _prepare(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with closing(connect(self.topology.dsn)) as client:
                    migrate(client)
                    if not self.key:
                        _, self.key = keys.create_key(
                            client, tenant=TENANT, scopes=keys.SCOPES, teams=(), now=_now()
                        )
                self.make_topics()
            except Unavailable:
                assert time.monotonic() < deadline, "the engines went away while starting"
                time.sleep(0.2)
            else:
                return

    def make_topics(self) -> None:
        """Create the log's topics where they are missing."""
        log_topics.ensure(
            KafkaAddress(self.topology.bootstrap),
            partitions=self.topology.partitions,
            replication_factor=self.topology.replication_factor,
        )

    def add(self, name: str) -> None:
        """One more service, e.g. `worker-2`."""
        self.story.tell(f"start {name}")
        self._add(self.topology.service(name))

    def remove(self, name: str) -> None:
        """SIGTERM, and it is not started again."""
        self.story.tell(f"stop {name}")
        with self._lock:
            child = self.children.pop(name)
        child.stop()

    def _add(self, *children: Child) -> None:
        with self._lock:
            self.children |= {child.name: child for child in children}

    def until_ready(self, *names: str, seconds: float = START_SECONDS) -> None:
        """Wait until they answer."""
        deadline = time.monotonic() + seconds
        for name in names:
            child = self.children[name]
            while not (child.pid and child.ready()):
                assert not child.needs_person, f"{name} needs a person: {child.last_lines()}"
                assert time.monotonic() < deadline, f"{name} does not answer: {child.last_lines()}"
                time.sleep(0.1)

    def pid(self, name: str) -> int | None:
        """The pid while it lives."""
        return self.children[name].pid

    def signal(self, name: str, number: signal.Signals) -> bool:
        """Send a signal; False when there is no such process now."""
        pid = self.pid(name)
        if not pid:
            return False
        self.story.tell(f"{number.name} {name}")
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            return True
        return False

    def kill(self, name: str) -> bool:
        """Kill -9; the supervisor starts it again."""
        return self.signal(name, signal.SIGKILL)

    def hold(self, name: str) -> None:
        """Kill -9, and keep it down until `let_go`."""
        self._held.add(name)
        self.kill(name)

    def let_go(self, name: str) -> None:
        """Let the supervisor start it again."""
        self.story.tell(f"let {name} come back")
        self._held.discard(name)

    def start_again(self, name: str) -> None:
        """Start one that stopped for a person, as that person does."""
        self.story.tell(f"start {name} again")
        self.children[name].needs_person = False

    def status_of(self, name: str) -> list[int]:
        """The exit statuses it ended with so far; a signal is negative."""
        return [status for who, status in self.endings if who == name]

    def metrics(self, name: str) -> str:
        """The text of its /metrics; empty while it does not answer."""
        with suppress(httpx.TransportError), httpx.Client(trust_env=False, timeout=2) as client:
            return client.get(f"http://127.0.0.1:{self.topology.port(name)}/metrics").text
        return ""

    def needs_person(self, name: str) -> bool:
        """Whether it stopped with 78 and is not started again."""
        return self.children[name].needs_person

    def logged(self, name: str, event: str) -> list[dict]:
        """The lines of its log about an event."""
        log = self.topology.root / "logs" / f"{name}.log"
        found = []
        for text in log.read_bytes().splitlines() if log.exists() else ():
            with suppress(orjson.JSONDecodeError):
                found.append(orjson.loads(text))
        return [entry for entry in found if isinstance(entry, dict) and entry.get("event") == event]

    def stop(self) -> None:
        """Stop everything in order; nothing is started again."""
        self._stopped.set()
        if self._keeper.is_alive():
            self._keeper.join()
        for kind in _STOP_ORDER:
            for name, child in self.children.items():
                if name.split("-")[0] == kind and child.pid:
                    with suppress(ProcessLookupError):
                        os.kill(child.pid, signal.SIGCONT)
                        os.kill(child.pid, signal.SIGKILL)
                    child.process.wait()
        for proxy in (*self.topology.kafka_proxies.values(), *self._clickhouse_proxies()):
            proxy.down()

    def _keep(self) -> None:
        """The supervisor's loop. Its thread is the children's parent: they die with it."""
        while not self._stopped.wait(_TICK_SECONDS):
            with self._lock:
                children = list(self.children.values())
            for child in children:
                if child.process is None and child.name in self._held:
                    continue
                self._tend(child)

    def _tend(self, child: Child) -> None:
        status = child.tend(time.monotonic())
        if status is not None:
            self.endings.append((child.name, status))
            self.story.tell(f"ended {child.name} with {status}")
            if status == PersonNeeded.EXIT_STATUS:
                self.story.tell(f"needs a person: {child.name}")


def _now() -> datetime:
    return datetime.now(UTC)
