"""A process that holds a lease, to be killed, paused or asked.

Next: sinks.leases
"""

import subprocess
import sys

# Takes the lease and says so; then each line of input makes it look whether it still holds it.
_PROGRAM = """
import sys
from sinks.leases import take
with take(sys.argv[1], holder="child", name=sys.argv[2], ttl_seconds=float(sys.argv[3])) as lease:
    print("held", flush=True)
    for _ in sys.stdin:
        lease.check()
        print("held", flush=True)
"""


class LeaseHolder:
    """Comes back when the lease is held, by "child"."""

    def __init__(self, dsn: str, *, name: str, ttl_seconds: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, dsn, name, str(ttl_seconds)],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout.readline() == "held\n"

    def look(self) -> str:
        """What it says when it has looked for its lease and ended."""
        return "".join(self.process.communicate("look\n", timeout=60))

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.communicate()
