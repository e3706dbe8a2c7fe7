"""A worker with a part left out, to show that a harness can see what that part prevents.

USAGE_FAULT_<PART>=off leaves out: GUARD (rule 2), FIRST_SEEN (rule 1), SEQ (a stamp is a position
alone), NOACK_TAKE (Faust's `take` and its own commits instead of ours), INSERT_BEFORE_ACK (offsets
are committed before the batch is stored). And one that dies at a named point:
USAGE_FAULT_DIE_AFTER=usage_daily:0.05 is a kill -9 after 5 % of the inserts into usage_daily,
which a kill from outside seldom hits.

Next: aggregators.__main__
"""

import os
import random
import signal

import faust

from aggregators import fold
from aggregators.__main__ import main
from aggregators.flush import Flush
from aggregators.membership import GroupMember
from aggregators.state import SEQ_BITS, Row
from sinks.inserts import Inserts

OFF = "off"


def leave_out(environ) -> list[str]:
    """Patch this process as the environment asks; the names of what is left out."""
    left_out = [name for name in PARTS if environ.get(f"USAGE_FAULT_{name}") == OFF]
    for name in left_out:
        PARTS[name]()
    if point := environ.get("USAGE_FAULT_DIE_AFTER"):
        table, share = point.split(":")
        Inserts.insert = dying(Inserts.insert, table, float(share))
        left_out.append(f"life after {table}")
    return left_out


def dying(insert, table, share):
    """The same `insert`, after which the process sometimes dies."""

    def insert_and_die(self, into, frame):
        insert(self, into, frame)
        if into == table and not frame.is_empty() and random.random() < share:
            os.kill(os.getpid(), signal.SIGKILL)

    return insert_and_die


def without_guard() -> None:
    """Every record is taken for a new one."""
    add = Row.add

    def add_always(self, position, *what):
        highest = max(position, self.position)
        self.position = -1
        add(self, position, *what)
        self.position = highest

    Row.add = add_always


def without_first_seen() -> None:
    """Every event is a first one."""
    fold._is_first = lambda _known, _identity, _stamp: True


def without_seq() -> None:
    """Two copies of an event in one record have one stamp."""
    fold._stamps = lambda judged: [p << SEQ_BITS for p in judged["position"].to_list()]


def without_noack_take() -> None:
    """What is taken is acknowledged when the agent's body ends, whatever became of the batch."""
    topic = faust.App.topic

    def topic_with_acks(self, *names, acks, **options):
        assert acks is False
        return topic(self, *names, **options)

    faust.App.topic = topic_with_acks
    noack_take = faust.Stream.noack_take

    async def take(self, *given, **named):
        # As Faust's own `take` does, which yields values where the agent wants their events.
        async for events in noack_take(self, *given, **named):
            try:
                yield events
            finally:
                for event in events:
                    await self.ack(event)

    async def committed(*_, **__) -> bool:
        return True

    faust.Stream.noack_take = take
    GroupMember.commit = committed


def without_insert_before_ack() -> None:
    """The offsets are committed first, and then the batch is stored."""
    run = Flush.run

    async def commit_first(self, changes, session):
        offsets = {partition: done.offset + 1 for partition, done in changes.progress.items()}
        await self._commits.commit(offsets, generation=session.generation)
        await run(self, changes, session)

    Flush.run = commit_first


PARTS = {
    "GUARD": without_guard,
    "FIRST_SEEN": without_first_seen,
    "SEQ": without_seq,
    "NOACK_TAKE": without_noack_take,
    "INSERT_BEFORE_ACK": without_insert_before_ack,
}


if __name__ == "__main__":
    assert leave_out(os.environ), "a faulty worker without a fault"
    main()
