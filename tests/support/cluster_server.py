"""Two shards in one embedded engine: what of a cluster can be run without a server binary.

Both shards are this process and share their tables, so each is told to see its own users alone.
There is no queue for ON CLUSTER and no Keeper to replicate by: both are taken off each statement.

Next: tests.support.clickhouse_process
"""

import re
from pathlib import Path
from tempfile import mkdtemp

import chdb

from deploy import chdb_engine, clickhouse

CLUSTER = "pair"
_SHARD = "<shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host>"
_CONFIG = f"""<clickhouse><tcp_port>9000</tcp_port><remote_servers><{CLUSTER}>
{_SHARD}<port>9000</port></replica></shard>{_SHARD}<port>9000</port></replica></shard>
</{CLUSTER}></remote_servers></clickhouse>"""
_OWN_USERS = "(cityHash64(tenant, user_id) % 2) + 1 = shardNum()"
_ON_CLUSTER = re.compile(rf" ON CLUSTER (?:{CLUSTER}\b|`{CLUSTER}`)")
_REPLICATED = re.compile(r"ENGINE = Replicated(\w+)\('[^']*', '[^']*'(?:, )?")
_DEDUPLICATION = re.compile(r"\s*SETTINGS replicated_deduplication_window = 0$")


def single(sql: str) -> str:
    """A statement without what needs other servers."""
    return _DEDUPLICATION.sub("", _REPLICATED.sub(r"ENGINE = \1(", _ON_CLUSTER.sub("", sql)))


class Shards(chdb_engine.Session):
    """A session in which a shard sees its own users alone."""

    def use(self, database, settings):
        """As the engine's, and with each shard's filter."""
        super().use(database, settings)
        filters = ", ".join(
            f"'{database}.{table}_local': '{_OWN_USERS}'"
            for table in ("usage_events", "usage_daily")
        )
        if "readonly" not in settings:
            super().run(f"SET additional_table_filters = {{{filters}}}")

    def run(self, sql, **how):
        """As the engine's."""
        return super().run(single(sql), **how)


def main() -> None:
    """As deploy.clickhouse, over a configuration with a cluster of two shards."""
    config = Path(mkdtemp()) / "config.xml"
    config.write_text(_CONFIG)
    connect = chdb.connect
    chdb.connect = lambda address: connect(f"{address}&config-file={config}")
    chdb_engine.Session = Shards
    clickhouse.main()


if __name__ == "__main__":
    main()
