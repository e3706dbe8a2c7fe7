"""Rows K7 to K10: what happens to the log itself, and to the workers' place in it.

Next: tests.faults.rows_clickhouse
"""

import os

from kafka import TopicPartition
from kafka.admin import ConfigResource, NewPartitions
from kafka.errors import KafkaError, NoError
from kafka.structs import OffsetAndMetadata

from schemas.topics import CONSUMER_GROUP, EVENTS, EVENTS_CONFIG
from tests.faults.catalogue import SECONDS, row
from tests.faults.commands import usage_report
from tests.faults.run import Run

# Retention at work within seconds, for a topic that asks for it.
SWIFT = "log.retention.check.interval.ms=500\nlog.segment.delete.delay.ms=100"
WAIT_SECONDS = 60.0


@row("K7", stops=1, kafka_overrides=SWIFT)
def retention(run: Run) -> None:
    """Retention takes records before they are folded: a stop that names the gap, not a restart."""
    run.start()
    run.pause(3, 5)
    run.system.hold("worker-1")
    run.pause(3, 5)
    run.stop_load()
    run.destroyed(run.unfolded())
    run.fault("retention of a second")
    _retain(run, milliseconds=1000)
    ends = run.broker.offsets().ends
    run.until(lambda: run.broker.offsets().starts == ends, "everything deleted")
    _retain(run, milliseconds=int(EVENTS_CONFIG["retention.ms"]))
    run.system.let_go("worker-1")
    stop = stopped(run, "log_start_passed")
    run.expect("were deleted before they were folded" in stop["detail"], "the gap is named")
    usage_report(run, "replay", "--accept-loss")
    run.system.start_again("worker-1")
    run.load_again()
    run.pause(3)
    run.healed()
    run.finish(recounted=False)


def stopped(run: Run, reason: str, name: str = "worker-1") -> dict:
    """Wait for a stop with 78 for this reason, as log and metric tell it; no restart follows."""
    metric = f'usage_stopped{{reason="{reason}"}} 1.0'
    run.until(lambda: metric in run.system.metrics(name), f"the metric {metric}", WAIT_SECONDS)
    run.until(lambda: run.system.needs_person(name), f"{name} stops for a person", WAIT_SECONDS)
    stop = run.system.logged(name, "stopped")[-1]
    run.expect(stop["reason"] == reason, str(stop))
    run.expect("usage-report" in stop["remedy"], f"the remedy names a command: {stop['remedy']}")
    run.pause(3)
    run.expect(run.system.needs_person(name), "it is not started again")
    return stop


def _retain(run: Run, *, milliseconds: int) -> None:
    wanted = {"retention.ms": str(milliseconds), "segment.ms": "1000"}
    with run.broker.client() as client:
        client.alter_configs([ConfigResource("topic", EVENTS, configs=wanted)])


@row("K8-topic-created-again")
def topic_created_again(run: Run) -> None:
    """A new life of the log, with nothing left in the old one and then with an unfolded tail."""
    run.start()
    for tail in (False, True):
        run.pause(3, 5)
        run.stop_load()
        run.quiet()
        store = run.topology.clickhouse_proxies["worker"]
        if tail:
            # The worker sees how far the log reaches, and can't fold it.
            store.down()
            for _ in range(5):
                run.load.deliver(run.plan.batch())
            run.pause(3)
            run.destroyed(run.unfolded())
        run.fault("the topic is deleted and created again")
        _create_again(run)
        store.up()
        run.load_again()
        run.pause(3)
        run.healed()
    run.until(lambda: run.system.logged("worker-1", "log_tail_lost"), "the tail is reported", 10)
    told = usage_report(run, "lag")["lost_records"]
    run.outcome.figures["records_told_lost"] = told
    run.expect(told > 0, "usage-report lag tells of the tail")
    run.finish(recounted=False)


def _create_again(run: Run) -> None:
    with run.broker.client() as client:
        client.delete_topics([EVENTS])
        run.until(lambda: EVENTS not in client.list_topics(), "the topic is gone")
    run.pause(0, 2)
    run.system.make_topics()


@row("K8-partitions-added")
def partitions_added(run: Run) -> None:
    """Partitions added by hand stay empty and do no harm."""
    run.start()
    run.pause(3, 5)
    run.fault("two partitions more, by hand")
    with run.broker.client() as client:
        client.create_partitions({EVENTS: NewPartitions(run.topology.partitions + 2)})
    run.pause(SECONDS / 6)
    run.kill("worker-1")
    run.kill("gateway-1")
    run.healed()
    ends = run.broker.offsets().ends
    empty = [ends[number] for number in ends if number >= run.topology.partitions]
    run.expect(empty == [0, 0], f"nothing in the new partitions: {empty}")
    run.finish()


@row("K8-epoch-bump")
def epoch_bump(run: Run) -> None:
    """The operator's way to more partitions: hold the gateways, bump, start them with the new."""
    run.start()
    run.pause(3, 5)
    usage_report(run, "epoch", "bump", "--partitions", "14", status=1)
    run.stop_load()
    run.system.remove("gateway-1")
    run.quiet()
    run.fault()
    bumped = usage_report(run, "epoch", "bump", "--partitions", "14")
    run.expect(bool(bumped), str(bumped))
    run.topology.partitions = 14
    run.system.add("gateway-1")
    run.system.until_ready("gateway-1")
    run.load_again()
    run.pause(SECONDS / 6)
    run.healed()
    ends = run.broker.offsets().ends
    run.expect(ends[12] + ends[13] > 0, f"users are hashed to the new partitions: {ends}")
    run.finish()


@row("K9")
def reset_to_earliest(run: Run) -> None:
    """The group's offsets are set back to the beginning: everything comes again."""
    run.start()
    for _ in range(2):
        run.pause(3, 5)
        run.system.hold("worker-1")
        run.fault("offsets reset to the earliest")
        reset_offsets(run, dict.fromkeys(range(run.topology.partitions), 0))
        run.system.let_go("worker-1")
        run.healed()
    run.finish()


def reset_offsets(run: Run, offsets: dict[int, int]) -> None:
    """As kafka-consumer-groups does, which needs a group without members."""
    wanted = {
        TopicPartition(EVENTS, number): OffsetAndMetadata(offset, "", -1)
        for number, offset in offsets.items()
    }

    def done() -> bool:
        try:
            with run.broker.client() as client:
                answers = client.alter_group_offsets(CONSUMER_GROUP, wanted)
        except KafkaError:
            return False
        return all(answer is NoError for answer in answers.values())

    run.until(done, "Kafka takes the reset", 30)


@row("K10-forward", stops=1)
def reset_forward(run: Run) -> None:
    """Offsets set past what is folded would skip records: a stop, and the store's place again."""
    run.start()
    run.pause(3, 5)
    run.system.hold("worker-1")
    run.pause(3)
    run.fault("offsets reset to the ends")
    reset_offsets(run, run.broker.offsets().ends)
    run.system.let_go("worker-1")
    stop = stopped(run, "store_went_back")
    run.expect("replay --from progress" in stop["remedy"], stop["remedy"])
    usage_report(run, "replay", "--from", "progress")
    usage_report(run, "replay", "--from", "progress")
    run.system.start_again("worker-1")
    run.healed()
    run.finish()


@row("K10-log-cut", stops=1)
def log_cut(run: Run) -> None:
    """The broker comes back without the end of its log: a stop, and a new epoch from what is left.

    All of it was folded, so nothing that was counted may be lost or doubled.
    """
    run.start()
    run.pause(4, 6)
    run.stop_load()
    run.quiet()
    run.system.hold("kafka")
    run.until(lambda: run.system.pid("kafka") is None, "its end")
    run.fault("the log loses its end")
    for log in (run.root / "kafka" / "log").glob(f"{EVENTS}-*/*.log"):
        os.truncate(log, log.stat().st_size // 2)
    run.system.let_go("kafka")
    stop = stopped(run, "log_went_back")
    run.load_again()
    run.pause(3)
    command = stop["remedy"].split("`")[1].split()[1:]
    usage_report(run, *command)
    run.system.start_again("worker-1")
    run.healed()
    run.finish(recounted=False)
