"""ClickHouse alone on the data directory of an `up` that does not run, for a command's moment.

Next: deploy.plan
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy import children, local, plan
from schemas.rejects import Unavailable
from schemas.settings import CommonSettings, read

START_SECONDS = 60.0


@contextmanager
def clickhouse(data_dir: Path) -> Iterator[str]:
    """The DSN of the server while the block runs; the directory is made where it is missing.

    Raises local.AlreadyUp when an `up` runs there, and Unavailable when the server does not start.
    """
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True)
    with local.alone(data_dir):
        children.stop_leftover(plan.lock_of(data_dir, "clickhouse"))
        environ = {k: v for k, v in os.environ.items() if k != "CLICKHOUSE_DSN"}
        chosen = plan.make_plan(data_dir, {}, read(CommonSettings), environ)
        server = next(c for c in plan.children(chosen, environ) if c.name == "clickhouse")
        try:
            _start(server)
            yield chosen.connection.clickhouse_dsn
        finally:
            server.stop()


def _start(server: children.Child) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (server.pid and server.ready()):
        if time.monotonic() > deadline:
            raise Unavailable("ClickHouse", "\n".join(["it does not start", *server.last_lines()]))
        server.tend(time.monotonic())
        time.sleep(local.TICK_SECONDS)
