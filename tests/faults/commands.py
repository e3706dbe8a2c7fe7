"""`usage-report` against the system of a run, as an operator would type it.

Next: deploy.cli
"""

import os
import subprocess
import sys

import orjson

from tests.faults.run import Run

COMMAND_SECONDS = 180.0


def usage_report(run: Run, *arguments: str, status: int = 0, as_json: bool = True) -> dict:
    """Run a command, which must end with `status`; what it says in JSON."""
    run.story.tell(f"usage-report {' '.join(arguments)}")
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments, *(["--json"] if as_json else [])],
        env={
            **os.environ,
            "CLICKHOUSE_DSN": run.topology.dsn,
            "KAFKA_BOOTSTRAP": run.topology.bootstrap,
            "USAGE_QUERY_URL": run.topology.query_url,
            "USAGE_INGEST_URL": run.topology.gateway_urls[0],
            "USAGE_KEY": run.system.key,
            "USAGE_PARTITIONS": str(run.topology.partitions),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )
    said = f"{done.stdout}{done.stderr}"
    run.expect(done.returncode == status, f"{' '.join(arguments)}: {done.returncode}, {said}")
    return orjson.loads(done.stdout) if as_json and done.stdout.strip() else {}
