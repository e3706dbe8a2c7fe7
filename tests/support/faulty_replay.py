"""`usage-report` that dies between the broker's acknowledgement and the mark of a page of letters.

USAGE_FAULT_DIE_AT=2 is a kill -9 before the marks of the second page.

Next: deploy.replay_letters
"""

import itertools
import os
import signal

from deploy.cli import main
from sinks import dead_letters


def dying(mark, at: int):
    """The same `mark`, before whose call number `at` the process dies."""
    calls = itertools.count(1)

    def mark_or_die(*arguments, **named):
        if next(calls) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        mark(*arguments, **named)

    return mark_or_die


if __name__ == "__main__":
    dead_letters.mark_replayed = dying(
        dead_letters.mark_replayed, int(os.environ["USAGE_FAULT_DIE_AT"])
    )
    main()
