"""ClickHouse's own BACKUP and RESTORE, for servers and clusters: to a disk or bucket of its own.

BACKUP freezes table after table, in an order of its own, while inserts go on: no snapshot of all
of them. So it is taken under the lease of maintenance, while no worker is at work.
Next: deploy.restore
"""

import re

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from deploy.maintenance import NotNow
from deploy.restore import Fill
from sinks.clickhouse import is_passing, reraise, statement
from sinks.cluster import stored
from sinks.leases import Lease

_DESTINATION = re.compile(
    r"(?:Disk|S3|AzureBlobStorage|File|Memory)\(\s*'[^'\\]*'(?:\s*,\s*'[^'\\]*')*\s*\)"
)


def is_destination(text: str) -> bool:
    """Whether this is a place that ClickHouse writes to, and no directory of ours."""
    return _DESTINATION.fullmatch(text) is not None


def take(client: Client, destination: str, *, lease: Lease) -> None:
    """Back the client's database up, of a cluster's all shards.

    To be called within `deploy.maintenance.maintenance`, whose lease is checked at the end: without
    it workers may have been at work. Raises NotNow when ClickHouse refuses, and Unavailable.
    """
    cluster = cluster_of(client)
    _do(client, _statement("server_backup", str(client.database), destination, cluster=cluster))
    lease.check()


def from_server(destination: str, database: str) -> Fill:
    """Out of a backup that ClickHouse wrote of `database`, on one server.

    A cluster's tables have the names of their databases in them, so that they can't be filled under
    another name: NotNow is raised.
    """

    def fill(client: Client) -> None:
        _do(client, _statement("server_restore", database, destination, draft=client.database))
        if cluster_of(client):
            raise NotNow("the backup is of a cluster: deploy/clusters.md says how it is restored")
        _do(client, statement("sinks.sql", "leases_forget"))

    return fill


def cluster_of(client: Client) -> str:
    """The cluster that the store's tables are made for; empty for one node."""
    found = stored(client)
    return found.cluster if found else ""


def _do(client: Client, sql: str) -> None:
    try:
        client.command(sql)
    except (ClickHouseError, HTTPError) as error:
        if is_passing(error):
            reraise(error)
        raise NotNow(f"ClickHouse refuses: {str(error).splitlines()[0][:300]}") from error


def _statement(
    name: str, database: str, destination: str, *, draft: str | None = None, cluster: str = ""
) -> str:
    words = {
        ":database": _quoted(database),
        ":draft": _quoted(draft or database),
        ":on_cluster": f" ON CLUSTER {_quoted(cluster)}" if cluster else "",
    }
    if not is_destination(destination):
        raise ValueError(f"no destination of ClickHouse: {destination}")
    sql = statement("sinks.sql", name)
    for word, text in words.items():
        sql = sql.replace(word, text)
    return sql.replace(":destination", destination)


def _quoted(name: str) -> str:
    if not re.fullmatch(r"[\w.-]+", name):
        raise ValueError(f"no name of a database: {name}")
    return f"`{name}`"
