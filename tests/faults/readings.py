"""What is in the rows, for the oracle and for those who look on.

Next: tests.faults.probes
"""

from decimal import Decimal
from pathlib import Path

from clickhouse_connect.driver.client import Client

from tests.faults.load import Place


def query_rows(client: Client, tenant: str) -> dict[tuple, Decimal]:
    """Tokens of each row of a tenant, by the other columns of its key."""
    sql = Path(__file__).with_name("rows.sql").read_text(encoding="utf-8")
    found = client.query(sql, parameters={"tenant": tenant}).result_rows
    return {tuple(key): tokens for *key, tokens in found}


def read_rows(client: Client, tenant: str, places: dict[Place, int]) -> dict[int, int]:
    """Tokens of each row in ten-thousandths; rows of no known place get negative numbers."""
    return {
        places.get(Place(*key), -1 - turn): int(tokens * 10_000)
        for turn, (key, tokens) in enumerate(query_rows(client, tenant).items())
    }
