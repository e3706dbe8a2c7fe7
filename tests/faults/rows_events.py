"""Rows E1 to E4: events at the edges of windows, days and sizes, and clocks that are wrong.

Next: tests.faults.soak
"""

import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta

from kafka import KafkaProducer

from schemas import topics
from sinks.clickhouse import connect
from tests.faults.catalogue import SECONDS, row
from tests.faults.clocks import Clock
from tests.faults.memory import MEGABYTE, own_bytes
from tests.faults.others import TENANT, Others, launch
from tests.faults.rows_log import reset_offsets
from tests.faults.run import Run
from tests.support.histories import line

DAY = timedelta(days=1)
FOLDED = ("usage_events", "usage_daily", "usage_ledger", "progress")


@row("E1")
def window_edges(run: Run) -> None:
    """Late, early, out of order: judged once, at the gateway, and the same when counted anew."""
    run.start()
    others = Others(run)
    sent = _around_the_edges(run, others)
    run.pause(2, 4)
    run.kill("worker-1")
    run.healed()
    run.stop_load()
    run.quiet()
    run.expect(others.launches_by_day() == sent, f"{others.launches_by_day()} is not {sent}")
    run.fault("everything that was folded is thrown away, and the log is folded again")
    run.system.hold("worker-1")
    with (
        run.looks.blind(),
        run.questions.blind(),
        closing(connect(run.topology.dsn)) as client,
    ):
        for table in FOLDED:
            client.command(f"TRUNCATE TABLE {table}")
    reset_offsets(run, dict.fromkeys(range(run.topology.partitions), 0))
    run.system.let_go("worker-1")
    run.healed()
    run.finish()
    run.expect(others.launches_by_day() == sent, f"{others.launches_by_day()} is not {sent}")


def _around_the_edges(run: Run, others: Others) -> dict[str, int]:
    """Send what is just within and just without the window; what must be counted, by day."""
    now = datetime.now(UTC)
    margin = timedelta(seconds=90)
    cases = [
        (now - 35 * DAY + margin, None),
        (now - 35 * DAY - margin, "time_too_old"),
        (now - 36 * DAY, "time_too_old"),
        (now + timedelta(minutes=5) - margin, None),
        (now + timedelta(minutes=5) + margin, "time_in_future"),
        *((now - number * DAY, None) for number in range(35)),
    ]
    run.rng.shuffle(cases)
    answer = others.send([launch(n, time=at) for n, (at, _) in enumerate(cases)])
    verdicts = {reject["index"]: reject["reason"] for reject in answer["rejected"]}
    wrong = {n: why for n, (_, why) in enumerate(cases) if verdicts.get(n) != why}
    run.expect(not wrong, f"verdicts {verdicts}, wrong {wrong}")
    return dict(Counter(f"{at:%Y-%m-%d}" for at, why in cases if why is None))


@row("E2")
def clocks_jump(run: Run) -> None:
    """Gateway and worker find themselves a day later, a day earlier, and right again."""
    clocks = {kind: Clock(run.root / f"{kind}.clock") for kind in ("gateway", "worker")}
    run.topology.extra |= {kind: clock.environment for kind, clock in clocks.items()}
    run.start()
    for offset in ("+1d", "-1d", "+0"):
        for kind, clock in clocks.items():
            run.pause(1, 3)
            run.fault(f"the {kind}'s clock: {offset}")
            clock.set(offset)
        run.pause(max(4.0, SECONDS / 6))
        run.healed()
    run.finish()


@row("E3")
def days_end(run: Run) -> None:
    """Midnight after a leap day, by the gateway's clock: each event counts on its own UTC day."""
    clock = Clock(run.root / "gateway.clock")
    run.topology.extra |= {"gateway": clock.environment}
    run.start()
    others = Others(run)
    midnight = datetime(2028, 3, 1, tzinfo=UTC)
    clock.set(f"+{int((midnight - datetime.now(UTC)).total_seconds()) - 10}")
    run.fault("ten seconds to the end of 2028-02-29")
    # The load's events lie years back then: they are refused, and none of them is counted.
    run.stop_load()
    edges = [midnight - timedelta(milliseconds=1), midnight, midnight - DAY, midnight - 29 * DAY]
    edges += [midnight - DAY - timedelta(milliseconds=1)]
    answer = others.send([launch(n, time=at) for n, at in enumerate(edges)])
    run.expect(answer["rejected"] == [], str(answer))
    number = len(edges)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        run.expect(others.send([launch(number)])["accepted"] == 1, "accepted")
        number += 1
        run.pause(0.1)
    clock.set("+0")
    run.load_again()
    run.healed()
    run.finish()
    found = others.launches_by_day()
    run.outcome.figures["launches_by_day"] = found
    run.expect(sum(found.values()) == number, f"{number} sent, {found}")
    expected = {"2028-02-28": 1, "2028-02-01": 1}
    run.expect(expected.items() <= found.items(), f"{found}")
    run.expect(found["2028-02-29"] > 2 and found["2028-03-01"] > 2, f"both sides: {found}")
    run.expect(_misdated(run) == 0, "each event without a time lies on the day it arrived")


def _misdated(run: Run) -> int:
    sql = (
        "SELECT count() FROM usage_events FINAL"
        " WHERE tenant = {tenant:String} AND time = received_at AND day != toDate(received_at)"
    )
    with closing(connect(run.topology.dsn)) as client:
        return client.query(sql, parameters={"tenant": TENANT}).result_rows[0][0]


@row("E4", extra={"worker": {"USAGE_STATE_MAX_BYTES": str(64 * MEGABYTE)}})
def hot_and_wide(run: Run) -> None:
    """Nine in ten events are one user's; then each event is a row of its own: memory is bounded."""
    run.start()
    events = int(1_000_000 * min(1.0, SECONDS / 60))
    hot = [line(id=str(n), tenant=TENANT, user_id="hot") for n in range(events // 10)]
    wide = [
        line(id=str(n), tenant=TENANT, user_id=f"wide-{n // 4}", product_id=f"product-{n % 4}")
        for n in range(events)
    ]
    for name, lines in (("hot", hot), ("wide", wide)):
        run.fault(f"{len(lines)} events, {name}")
        _append(run, lines)
        peak = _peak_until_folded(run)
        run.outcome.figures[f"worker_peak_mib_{name}"] = peak // MEGABYTE
        run.expect(peak < 1200 * MEGABYTE, f"{name}: the worker took {peak} bytes")
    run.healed()
    run.finish(recounted=False)
    counted = sum(Others(run).launches_by_day().values())
    run.expect(counted == len(hot) + len(wide), f"{counted} launches of {len(hot) + len(wide)}")


def _append(run: Run, lines: list[bytes]) -> None:
    """Append as a gateway would, without its HTTP."""
    partitions = run.topology.partitions
    of: dict[int, list[bytes]] = {}
    users: dict[bytes, int] = {}
    for text in lines:
        user = text.split(b'"user_id": "', 1)[1].split(b'"', 1)[0]
        if user not in users:
            users[user] = topics.partition_of(TENANT, user.decode(), partitions)
        of.setdefault(users[user], []).append(text)
    producer = KafkaProducer(
        bootstrap_servers=run.topology.bootstrap, acks="all", compression_type="lz4", linger_ms=20
    )
    for partition, own in of.items():
        for first in range(0, len(own), topics.RECORD_MAX_EVENTS):
            some = own[first : first + topics.RECORD_MAX_EVENTS]
            headers = topics.events_headers(count=len(some), partitions=partitions, request_id="r")
            value = b"\n".join(some)
            producer.send(topics.EVENTS, value, partition=partition, headers=headers)
    producer.flush()
    producer.close()


def _peak_until_folded(run: Run) -> int:
    peak = 0
    ends = run.broker.offsets().ends

    def folded() -> bool:
        nonlocal peak
        peak = max(peak, own_bytes(run.system.pid("worker-1")))
        committed = run.broker.offsets().committed
        return all(committed.get(number, 0) >= end for number, end in ends.items())

    run.until(folded, "all of it is folded", 600)
    return peak
