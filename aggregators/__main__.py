"""Entry point of the worker: settings, metrics and the lock on its id; then it runs until told.

Next: aggregators.app
"""

import os

# Arrow's own allocator keeps for each thread what it once took, 40 MiB after some bursts, and so
# does that of Polars (jemalloc), 10 MiB, in a pool that no later thread may use. Both are told when
# their libraries are loaded: before any other import.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1")

import asyncio
import fcntl
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, NoReturn

import structlog
import uvloop
from prometheus_client import start_http_server

from aggregators.agents import or_die
from aggregators.app import Worker, create_worker
from aggregators.maintenance import Maintenance
from aggregators.stop import Stop
from schemas import failpoints
from schemas.kafka_clients import KafkaRefuses
from schemas.memory import give_back
from schemas.metrics import WorkerMetrics, new_registry
from schemas.rejects import Unavailable
from schemas.settings import WorkerSettings, read
from schemas.telemetry import configure_logging
from sinks.leases import Leases

log = structlog.get_logger()

_START_SECONDS = 60.0
_DRAIN_SECONDS = 10.0
_STOP_SECONDS = 5.0
_FIRST = asyncio.FIRST_COMPLETED
_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})
# No exit status: maintenance is under way, and a new process waits for its end.
AGAIN = -1


def main() -> None:
    """Run the worker; exit status 0 when told to stop, 1 to be restarted, 78 for a person."""
    settings = read(WorkerSettings)
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    failpoints.arm(settings.failpoints)
    lock = lock_worker_id(settings.state_dir, settings.worker_id)
    registry = new_registry()
    metrics = WorkerMetrics(registry)
    give_back()
    # Millions of long-lived rows and identities have no cycles; at its defaults the collector
    # walks over them again and again, a quarter of the fold.
    gc.set_threshold(50_000, 20, 100)
    start_http_server(settings.worker_port, settings.worker_host, registry)
    with uvloop_runner() as runner:
        status = runner.run(serve(settings, metrics, Stop(settings, metrics, registry)))
        lock.close()
        sys.stderr.flush()
        if status == AGAIN:
            begin_anew()
        # Threads may still wait for a broker that is away; everything is stored by now.
        os._exit(status)


def uvloop_runner() -> asyncio.Runner:
    """A runner over uvloop, which makes Faust 20 to 35 % faster."""
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


def lock_worker_id(state_dir: Path, worker_id: str) -> IO[str]:
    """Hold the worker id for this process: two static members of one name fence each other.

    Exits with status 1 when another process holds it.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    lock = (state_dir / f"worker-{worker_id}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.critical("worker_id_taken", worker_id=worker_id, state_dir=str(state_dir))
        sys.exit(1)
    return lock


async def serve(settings: WorkerSettings, metrics: WorkerMetrics, stop: Stop) -> int:
    """Run until SIGTERM or SIGINT (then drain: 0), until Faust crashes (1), or until AGAIN."""
    told = listen(stop)
    maintenance = Maintenance(Leases(settings.clickhouse_dsn))
    # Before the group is joined: nothing may be folded while a command is at work.
    if not await _unless(told, or_die(maintenance.over(), stop)):
        return 0
    worker = await _let_in(partial(create_worker, settings, metrics, maintenance, stop), told)
    if worker is None:
        return 0 if told.is_set() else 1
    watching = asyncio.ensure_future(or_die(maintenance.watch(settings.watch_seconds), stop))
    worker.app.finalize()
    stopping = asyncio.ensure_future(told.wait())
    # Faust waits for twenty minutes for a broker that takes connections and does not answer.
    starting = asyncio.ensure_future(or_die(worker.app.start(), stop))
    await asyncio.wait({stopping, starting, watching}, timeout=_START_SECONDS, return_when=_FIRST)
    if not starting.done():
        return _not_started(told, maintenance)
    log.info("started", worker_id=settings.worker_id)
    ended = asyncio.ensure_future(worker.app.wait_until_stopped())
    await asyncio.wait({stopping, ended, watching}, return_when=_FIRST)
    if told.is_set():
        await _stop(worker)
        return 0
    if ended.done():
        log.critical("faust_stopped", error=repr(worker.app.crash_reason))
        return 1
    return await _make_way(worker, settings.worker_id, told)


async def _let_in(make: Callable[[], Worker], told: asyncio.Event) -> Worker | None:
    """A worker whose store answers, and that Kafka does not refuse; None after `told`, or a line.

    Faust would take a refusal for an absence. A new start reads certificates and password again.
    """
    try:
        worker = make()
        return worker if await _unless(told, _greet(worker)) else None
    except (Unavailable, KafkaRefuses) as error:
        log.error("not_started", error=str(error))  # noqa: TRY400 - the message says it all
    return None


async def _greet(worker: Worker) -> None:
    with suppress(Unavailable):  # Faust waits for it
        await asyncio.to_thread(worker.broker.greet)


def listen(stop: Stop) -> asyncio.Event:
    """The event that SIGTERM and SIGINT set, one that came while a process began anew included."""
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.told.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    return stop.told


async def _unless(told: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether `work` came to its end before `told`."""
    stopping, working = asyncio.ensure_future(told.wait()), asyncio.ensure_future(work)
    await asyncio.wait({stopping, working}, return_when=_FIRST)
    if not working.done():
        working.cancel()
        return False
    stopping.cancel()
    await working
    return True


def _not_started(told: asyncio.Event, maintenance: Maintenance) -> int:
    if told.is_set():
        return 0
    if maintenance.seen.is_set():
        return AGAIN
    log.error("not_started", error="Kafka does not answer")
    return 1


async def _stop(worker: Worker) -> None:
    """Drain and stop, both within seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(worker.pipeline.drain(), _DRAIN_SECONDS)
    with suppress(TimeoutError):
        await asyncio.wait_for(worker.app.stop(), _STOP_SECONDS)
    log.info("drained")


async def _make_way(worker: Worker, worker_id: str, told: asyncio.Event) -> int:
    """Let the flush in flight end, however long it takes, and leave the group.

    A command that waits for this worker must not go on while something of it may still be stored.
    """
    if not await _unless(told, worker.pipeline.drain()):
        return 0
    await _stop(worker)
    with suppress(Unavailable):  # then the broker finds out, when the session is over
        await asyncio.to_thread(worker.broker.leave, worker_id)
    return 0 if told.is_set() else AGAIN


def begin_anew() -> NoReturn:
    """Become a new process in place, with the same pid and nothing in memory.

    Signals wait until it can hear them.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    arguments = [sys.executable, *sys.orig_argv[1:]]
    os.execv(arguments[0], arguments)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
