"""Named places where a process kills itself when told to: the worst moments, for tests to hit.

`USAGE_FAILPOINTS=stored_usage_daily:3` is a kill -9 of its own the third time it comes there.
Unset, a place costs one look at an empty dict.

Next: aggregators.flush
"""

import os
import signal

# In the order of an event's way.
GATEWAY_POINTS = ("judged", "sent", "acknowledged")
WORKER_POINTS = (
    *("taken", "folded", "stored_usage_events", "stored_usage_daily", "stored_usage_ledger"),
    *("stored_progress", "committed"),
)
# After each step of an erasure.
COMMAND_POINTS = ("erase_step",)
_POINTS = frozenset((*GATEWAY_POINTS, *WORKER_POINTS, *COMMAND_POINTS))

_armed: dict[str, int] = {}


def arm(text: str) -> None:
    """Arm the places in `text`, `name:count` separated by commas.

    Raises ValueError for an unknown place or a count below 1.
    """
    _armed.clear()
    for part in filter(None, text.split(",")):
        name, _, count = part.partition(":")
        if name not in _POINTS or int(count) < 1:
            raise ValueError(f"no failpoint: {part}")
        _armed[name] = int(count)


def reach(name: str) -> None:
    """The process is at this place: it dies here, if it was armed and has come often enough."""
    if _armed:
        _count_down(name)


def _count_down(name: str) -> None:
    left = _armed.get(name, 0)
    _armed[name] = left - 1
    if left == 1:
        os.kill(os.getpid(), signal.SIGKILL)
