"""ClickHouse: client, migrations, keys and the checks on what is stored."""
