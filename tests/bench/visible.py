"""From arrival to the report: how long an event takes while the system is at half of full load.

Full load is what the whole system takes in and folds when senders never pause, all of it on this
machine. Probes are single events beside the load; one is visible when a report counts it, and the
report is asked again and again, so what the question takes is part of the delay, and half of the
pause between two of them.

Next: tests.bench.report_speed
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
from clickhouse_connect.driver.client import Client

from deploy import ports
from sinks.clickhouse import connect
from tests.bench.gateway_speed import BATCH, UNLIMITED, engines, finished, load, new_key
from tests.bench.results import Delay, percentile
from tests.support.cloud_events import event
from tests.support.gateway_process import GatewayProcess
from tests.support.query_process import QueryProcess
from tests.support.worker_world import WorkerProcess

PROBE_TEAM = "probe-team"
# Different users, so that every partition has some.
_PROBED = 16
_EVERY_SECONDS = 0.2
# Asked more often, the question itself takes a core.
_ASK_SECONDS = 0.25
_LATEST_SECONDS = 120.0


def measure(
    directory: Path, *, runs: int, seconds: float, kept: dict[str, list[float]]
) -> Iterator[Delay]:
    """Full load once, then half of it for so many seconds a run; `kept` gets every delay."""
    with ExitStack() as stack:
        system = System(directory / "visible", stack)
        full = system.full_load(seconds / 2)
        delays = [system.delays(full / 2, seconds) for _ in range(runs)]
    kept.update({f"run {number}": each for number, each in enumerate(delays, 1)})
    for percent, goal in ((50, 1.0), (99, 2.5)):
        ours = [percentile(each, percent) for each in delays]
        at = f"at half of {full:,.0f} events/s"
        yield Delay(f"arrival to report, p{percent}", at, ours, goal)


class System:
    """Every process of the product, once."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        clickhouse, kafka = engines(directory, stack)
        self._key = new_key(clickhouse.dsn)
        self._client = stack.enter_context(closing(connect(clickhouse.dsn)))
        environment = {
            **os.environ,
            "CLICKHOUSE_DSN": clickhouse.dsn,
            "KAFKA_BOOTSTRAP": kafka.bootstrap,
            "USAGE_STATE_DIR": str(directory / "worker"),
            "USAGE_WORKER_PORT": str(ports.free()),
            "USAGE_LOG_FORMAT": "json",
        }
        stack.callback(WorkerProcess(environment, directory / "worker.log").kill)
        gateway = GatewayProcess(
            directory, kafka=kafka.bootstrap, clickhouse_dsn=clickhouse.dsn, **UNLIMITED
        )
        stack.callback(gateway.kill)
        query = QueryProcess(clickhouse.dsn, directory).start()
        stack.callback(query.stop)
        self._gateway = gateway.start()
        headers = {"Authorization": f"Bearer {self._key}"}
        self._sender, self._reader = (
            stack.enter_context(httpx.Client(base_url=url, headers=headers, timeout=60))
            for url in (gateway.url, f"http://127.0.0.1:{query.port}")
        )
        self._probes = Counter[str]()
        self._probe()
        _until(lambda: self._visible() == self._probes)

    def full_load(self, seconds: float) -> float:
        """Events a second from the first one sent until the last one is stored."""
        before = stored(self._client)
        with load(self._gateway.port, self._key, events=BATCH, seconds=seconds) as sent:
            told = finished(sent)
        _until(lambda: stored(self._client) - before >= told["events"])
        return told["events"] / (time.time() - told["began"])

    def delays(self, rate: float, seconds: float) -> list[float]:
        """Seconds that each probe took, under a load of so many events a second."""
        warm_seconds = 2.0
        with load(
            self._gateway.port, self._key, events=BATCH, rate=rate, seconds=seconds + warm_seconds
        ) as sent:
            time.sleep(warm_seconds)
            found = Probes(self._probe, self._visible).delays(seconds)
            finished(sent)
        return found

    def _probe(self) -> tuple[str, int]:
        """Send a launch: its product, and how many launches that has now."""
        number = self._probes.total() % _PROBED
        product = f"probe-product-{number}"
        self._probes[product] += 1
        data = {"team_id": PROBE_TEAM, "product_id": product}
        probe = event(subject=f"probe-user-{number}", data=data)
        self._sender.post("/v1/events", json=[probe]).raise_for_status()
        return product, self._probes[product]

    def _visible(self) -> dict[str, int]:
        """Launches of each probed product, as a report has them."""
        asked = {"by": "product", "team": PROBE_TEAM, "preset": "30d"}
        answer = self._reader.get("/v1/report", params=asked)
        return {row["product_id"]: row["launches"] for row in answer.json()["rows"]}


class Probes:
    """Sends probes from a thread of its own, and sees which are visible meanwhile."""

    def __init__(
        self, send: Callable[[], tuple[str, int]], visible: Callable[[], dict[str, int]]
    ) -> None:
        self._send_one = send
        self._visible = visible
        self._sent: dict[tuple[str, int], float] = {}

    def delays(self, seconds: float) -> list[float]:
        """The delay of every probe that is sent in so many seconds."""
        delays: list[float] = []
        deadline = time.monotonic() + seconds + _LATEST_SECONDS
        with ThreadPoolExecutor(1) as threads:
            sending = threads.submit(self._send, seconds)
            while self._sent or not sending.done():
                delays += self._seen()
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{len(self._sent)} probes never came to be seen")
                time.sleep(_ASK_SECONDS)
            sending.result()
        return delays

    def _seen(self) -> list[float]:
        launches = self._visible()
        now = time.monotonic()
        seen = [each for each in list(self._sent) if launches.get(each[0], 0) >= each[1]]
        return [now - self._sent.pop(each) for each in seen]

    def _send(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (at := time.monotonic()) < end:
            self._sent[self._send_one()] = at  # before it was sent: the delay is rather too long
            time.sleep(_EVERY_SECONDS)


def stored(client: Client) -> int:
    """Events in the store; none is sent twice."""
    return client.query("SELECT count() FROM usage_events").result_rows[0][0]


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LATEST_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError("the system does not come to an end")
        time.sleep(_ASK_SECONDS)
