"""A store of two shards in one engine: worker, repair and reports as on one node.

What needs several servers (replication, quorum, ON CLUSTER) is not run: deploy/clusters.md.
"""

import os
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from deploy import server_backup
from deploy.maintenance import NotNow, backing_up
from schemas import topics
from schemas.rejects import PersonNeeded
from sinks.clickhouse import CLUSTER_SETTINGS, connect
from sinks.migrate import migrate, migrations
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.cluster_server import CLUSTER

pytestmark = pytest.mark.timeout(900)

# The first reads numbers over HTTP and compares them with the definitions in plain Python.
REPORTS = ("test_query_numbers.py", "test_query_operations.py")
ROOT = Path(__file__).parents[2]
FOLDED = (
    "SELECT shardNum() AS shard, sum(launches) FROM usage_daily FINAL GROUP BY shard ORDER BY shard"
)
AHEAD = topics.position(1, 1 << 40)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two shards, empty."""
    directory = tmp_path_factory.mktemp("shards")
    process = ClickHouseProcess(directory, module="tests.support.cluster_server").start()
    with closing(connect(process.dsn)) as client:
        assert migrate(client, cluster=CLUSTER) == [each.name for each in migrations()]
    yield process
    process.kill()


def test_a_store_keeps_the_form_it_was_made_in(store):
    """Migrating again does nothing; for one node, or for another cluster, it is refused."""
    with closing(connect(store.dsn)) as client:
        assert migrate(client, cluster=CLUSTER) == []
        for other in ("", "another"):
            with pytest.raises(PersonNeeded, match="USAGE_CLUSTER"):
                migrate(client, cluster=other)


def test_a_store_of_one_node_is_not_made_a_cluster(clickhouse_dsn):
    """Its tables have the names that the distributed ones would get."""
    with closing(connect(clickhouse_dsn)) as client, pytest.raises(PersonNeeded, match="one node"):
        migrate(client, cluster=CLUSTER)


def test_a_client_sends_what_a_cluster_needs_without_being_told(store):
    """What the store is it says itself; no process can forget to be told."""
    asked = ", ".join(f"toString(getSetting('{name}'))" for name in CLUSTER_SETTINGS)
    with closing(connect(store.dsn)) as client:
        found = client.query(f"SELECT {asked}").result_rows[0]
    wanted = {1: "true", 0: "false"}
    for (name, value), stored in zip(CLUSTER_SETTINGS.items(), found, strict=True):
        assert stored in {str(value), wanted.get(value)}, name


def test_clickhouses_own_backup_is_of_all_shards(store):
    """The node that is asked has the rows of its own shard alone. By `restore` it is refused."""
    place = f"File('{store.data_dir}/backups/shards')"
    with closing(connect(store.dsn)) as client, backing_up(store.dsn) as lease:
        server_backup.take(client, place, lease=lease)
        client.command("CREATE DATABASE draft")
    asked = (store.data_dir / "query_log.jsonl").read_text()
    assert f"BACKUP DATABASE `usage` ON CLUSTER `{CLUSTER}` TO File" in asked
    with (
        closing(connect(store.dsn.replace("/usage", "/draft"))) as draft,
        pytest.raises(NotNow, match=r"clusters\.md"),
    ):
        server_backup.from_server(place, "usage")(draft)


def test_a_worker_and_a_rebuild_over_two_shards(world):
    """Duplicates are found again after a restart, the books balance, a wrong row is repaired."""
    first = world.worker()
    world.send(range(200))
    world.until_counted(200)
    world.until(lambda: sum(world.committed().values()) > 0)
    assert first.terminate() == 0
    world.worker()
    world.send(range(100, 300))
    world.until_counted(300)

    shards = world.client.query(FOLDED).result_rows
    assert [shard for shard, _ in shards] == [1, 2]
    assert sum(launches for _, launches in shards) == 300
    world.until(lambda: world.unbalanced() == 0)
    assert world.verified() == 0

    key = ["acme", "user-1", "product-1", "1", "team-1", "flex", date(2026, 3, 1)]
    names = ["tenant", "user_id", "product_id", "product_version", "team_id", "access", "day"]
    wrong = [*key, 7, AHEAD, 1]
    world.client.insert(
        "usage_daily", [wrong], column_names=[*names, "launches", "position", "fold_version"]
    )
    assert world.verified() == 1
    done = world.command("rebuild", "--all", "--json")
    assert done.returncode == 0, done.stderr
    assert world.verified() == 0
    assert world.counted() == (300, 300)


def test_every_number_over_two_shards(store):
    """The contract's own tests, which take any server: reports add up over the shards."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(f"tests/contract/{name}" for name in REPORTS),
            # Months are settled on one node alone.
            *("-k", "not months"),
        ],
        cwd=ROOT,
        env=os.environ
        | {
            "CLICKHOUSE_DSN": store.dsn,
            "USAGE_CLUSTER": CLUSTER,
            "USAGE_ORACLE_QUESTIONS": "25",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout
