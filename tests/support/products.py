"""Products that use the client: a place that nobody listens at, and processes of their own.

Next: ingest.client
"""

import subprocess
import sys
import time

from tests.support.sources import ROOT

NOWHERE = "http://127.0.0.1:9"
PLACE = {"team_id": "sample-team", "product_id": "sample-product"}


def until(holds):
    """Wait until it does."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def run(program, *arguments):
    """A product of its own, to its end; what it printed."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    return done.stdout
