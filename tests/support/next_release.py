"""A release after this one: a copy of the packages with a migration more, run from its own place.

Next: tests.support.worker_world
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "sinks", "aggregators", "ingest", "query_service", "deploy")
MIGRATION = "9999_next_release.sql"
# What a migration may do while older code runs: it adds.
_SQL = """-- A release after this one.

ALTER TABLE usage_daily ADD COLUMN IF NOT EXISTS next_note String DEFAULT 'next';
ALTER TABLE usage_events ADD COLUMN IF NOT EXISTS next_note String DEFAULT 'next';
ALTER TABLE progress ADD COLUMN IF NOT EXISTS next_note String DEFAULT 'next';
ALTER TABLE keys ADD COLUMN IF NOT EXISTS next_note String DEFAULT 'next';
"""


def next_release(directory: Path) -> Path:
    """The directory of its code; its workers say so when they start."""
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, directory / package, ignore=ignored)
    (directory / "sinks" / "migrations" / MIGRATION).write_text(_SQL)
    worker = directory / "aggregators" / "__main__.py"
    text = worker.read_text()
    changed = text.replace('log.info("started", ', 'log.info("started", release="next", ')
    assert changed != text
    worker.write_text(changed)
    return directory


def migrate(code: Path, *, clickhouse_dsn: str, kafka: str, partitions: int) -> str:
    """`usage-report migrate` of that release; what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "migrate"],
        cwd=code,
        env=os.environ
        | {
            "CLICKHOUSE_DSN": clickhouse_dsn,
            "KAFKA_BOOTSTRAP": kafka,
            "USAGE_PARTITIONS": str(partitions),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
