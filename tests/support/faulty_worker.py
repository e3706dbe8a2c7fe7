"""A worker with a part left out, to show that a harness can see what that part prevents.

USAGE_FAULT_GUARD=off leaves out rule 2, USAGE_FAULT_FIRST_SEEN=off rule 1. And one that dies at a
named point: USAGE_FAULT_DIE_AFTER=usage_daily:0.05 is a kill -9 after 5 % of the inserts into
usage_daily, which a kill from outside seldom hits.

Next: aggregators.__main__
"""

import os
import random
import signal

from aggregators import fold
from aggregators.__main__ import main
from aggregators.state import Row
from sinks.inserts import Inserts

OFF = "off"


def leave_out(environ) -> list[str]:
    """Patch this process as the environment asks; the names of what is left out."""
    left_out = []
    if environ.get("USAGE_FAULT_GUARD") == OFF:
        Row.add = unguarded(Row.add)
        left_out.append("guard")
    if environ.get("USAGE_FAULT_FIRST_SEEN") == OFF:
        fold._is_first = lambda _known, _identity, _stamp: True
        left_out.append("first seen")
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


def unguarded(add):
    """The same `add`, which takes every record for a new one."""

    def add_always(self, position, *what):
        highest = max(position, self.position)
        self.position = -1
        add(self, position, *what)
        self.position = highest

    return add_always


if __name__ == "__main__":
    assert leave_out(os.environ), "a faulty worker without a fault"
    main()
