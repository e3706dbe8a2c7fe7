"""The supervisor behind `usage-report up`: the whole system on this machine, kept running.

The engines come up first, then the store and the log are made ready, then the three services.

Next: deploy.kafka
"""

import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy import children as child_processes
from deploy import connection, jars, plan
from deploy.children import Child
from deploy.connection import write_whole
from deploy.prepare import TENANT, first_key, prepare
from schemas.clickhouse_address import shown
from schemas.rejects import Unavailable
from schemas.settings import StoreSettings, read

START_SECONDS = 120.0
TICK_SECONDS = 0.1
LOGS_EVERY_SECONDS = 10.0


class AlreadyUp(Exception):  # noqa: N818 - named for what happened, as the style asks
    """Another `up` runs on the data directory."""


class NotStarted(Exception):  # noqa: N818 - named for what happened, as the style asks
    """A process did not become ready; the message has the end of its log."""


class StopAsked(BaseException):
    """SIGINT, SIGTERM or SIGHUP: not an error, so `except Exception` never takes it."""


@dataclass(frozen=True)
class Ready:
    """What `up` announces when everything answers; `pids` is None for an engine elsewhere."""

    ingest_url: str
    query_url: str
    kafka: str
    clickhouse_url: str
    tenant: str
    key: str
    data_dir: str
    pids: Mapping[str, int | None]


@dataclass(frozen=True)
class Words:
    """How `up` speaks: `step` of progress, `trouble` that a person should see, and `ready`."""

    step: Callable[[str], None]
    trouble: Callable[[str], None]
    ready: Callable[[Ready], None]


def up(
    data_dir: Path,
    *,
    asked_ports: Mapping[str, int | None],
    sample: bool,
    environ: Mapping[str, str],
    words: Words,
) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP, then stop everything in order and return.

    Raises AlreadyUp, plan.PortTaken, plan.NothingToSecure, NotStarted, or PersonNeeded when the
    store needs one.
    """
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True)
    with alone(data_dir):
        for name in plan.STOP_ORDER:
            if pid := child_processes.stop_leftover(plan.lock_of(data_dir, name)):
                words.trouble(f"stopped {name} (pid {pid}), left over from an earlier run")
        settings = read(StoreSettings)
        chosen = plan.make_plan(data_dir, asked_ports, settings, environ)
        _Supervisor(chosen, settings, environ, words).run(sample=sample)


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Keep any other `up` off the directory. Raises AlreadyUp when there is one."""
    path = data_dir / connection.LOCK
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = path.read_text().strip()
            raise AlreadyUp(
                f"`usage-report up` (pid {pid}) runs on {data_dir} already; "
                "stop it, or give this one a --data-dir of its own"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


class _Supervisor:
    def __init__(
        self,
        chosen: plan.Plan,
        settings: StoreSettings,
        environ: Mapping[str, str],
        words: Words,
    ) -> None:
        self._plan = chosen
        self._settings = settings
        self._words = words
        self._environ = environ
        self._children = {child.name: child for child in plan.children(chosen, environ)}
        self._running: list[Child] = []
        self._logs_bounded = 0.0

    def run(self, *, sample: bool) -> None:
        _raise_on_signals()
        try:
            self._start(sample=sample)
            while True:
                self._tick()
        except StopAsked:
            self._words.step("stopping")
        finally:
            _die_on_ctrl_c()
            for name in plan.STOP_ORDER:
                if name in self._children:
                    self._children[name].stop()
            (self._plan.data_dir / connection.ADDRESSES).unlink(missing_ok=True)

    def _start(self, *, sample: bool) -> None:
        if "kafka" in self._children and not jars.ready():
            self._words.step(f"fetching Apache Kafka {jars.KAFKA_VERSION}, once for this machine")
            jars.jars()
        self._run_until_ready(plan.ENGINES)
        self._words.step("preparing the store and the log")
        if sample and not (self._plan.data_dir / connection.KEY).exists():
            self._want_sample()
        key = self._patiently(self._prepare)
        self._run_until_ready(plan.MODULES)
        connection.write(self._plan.data_dir, self._plan.connection)
        self._load_sample()
        self._words.ready(self._ready(key))

    def _run_until_ready(self, names: Any) -> None:
        starting = [self._children[name] for name in names if name in self._children]
        self._words.step(f"starting {', '.join(child.name for child in starting)}")
        self._running += starting
        deadline = time.monotonic() + START_SECONDS
        for child in starting:
            while not child.needs_person and not (child.pid and child.ready()):
                if time.monotonic() > deadline:
                    raise NotStarted(_story(f"{child.name} did not start", child))
                self._tick()

    def _patiently(self, attempt: Callable[[], str]) -> str:
        """Until it succeeds: what was ready a moment ago may have crashed since."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return attempt()
            except Unavailable as away:
                if time.monotonic() > deadline:
                    raise NotStarted(str(away)) from away
            self._tick()

    def _prepare(self) -> str:
        prepare(self._plan.connection, self._settings)
        return first_key(self._plan.connection, self._plan.data_dir, now=datetime.now(UTC))

    @property
    def _sample_mark(self) -> Path:
        """While the sample is not whole: the moment that its events end at."""
        return self._plan.data_dir / "sample-until"

    def _want_sample(self) -> None:
        """Before there is a key: a start that crashes after it is not the first any more."""
        write_whole(self._sample_mark, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")

    def _load_sample(self) -> None:
        """A directory and three months of events; after a crash the same ones again."""
        mark = self._sample_mark
        if not mark.exists():
            return
        self._words.step("loading a sample directory and three months of sample events")
        loading = plan.sample(self._plan, self._environ, until=mark.read_text())
        self._children["sample"] = loading
        while (status := loading.tend(time.monotonic())) is None:
            self._tick()
        if status == 0:
            mark.unlink()
        else:
            self._words.trouble(_story("the sample is incomplete", loading))

    def _ready(self, key: str) -> Ready:
        places = self._plan.connection
        return Ready(
            ingest_url=places.ingest_url,
            query_url=places.query_url,
            kafka=places.kafka.bootstrap,
            clickhouse_url=shown(places.clickhouse_dsn),
            tenant=TENANT,
            key=key,
            data_dir=str(self._plan.data_dir),
            pids=self._pids(),
        )

    def _pids(self) -> dict[str, int | None]:
        found = {name: self._children.get(name) for name in plan.NAMES}
        return {name: child.pid if child else None for name, child in found.items()}

    def _tick(self) -> None:
        """Let a moment pass; start again what has ended."""
        time.sleep(TICK_SECONDS)
        now = time.monotonic()
        before = self._pids()
        for child in self._running:
            status = child.tend(now)
            if status is not None:
                self._words.trouble(_ending(child, status))
        if self._pids() != before:
            write_whole(self._plan.data_dir / "pids.json", json.dumps(self._pids()) + "\n")
        if now - self._logs_bounded > LOGS_EVERY_SECONDS:
            self._logs_bounded = now
            for child in self._running:
                child.bound_log()


def _ending(child: Child, status: int) -> str:
    if child.needs_person:
        return _story(f"{child.name} needs a person and is not started again", child)
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    return f"{child.name} ended ({how}), starting it again; its log is {child.log}"


def _story(what: str, child: Child) -> str:
    width = shutil.get_terminal_size().columns
    rule = "-" * min(width, 80)
    return "\n".join([rule, f"{what}. The end of {child.log}:", *child.last_lines(), rule])


def _raise_on_signals() -> None:
    def ask(*_: object) -> None:
        raise StopAsked

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup's wish
            signal.signal(number, ask)


def _die_on_ctrl_c() -> None:
    """While stopping, a second Ctrl-C ends everything at once, by the children's leashes."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
