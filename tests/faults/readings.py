"""What a reader sees of the rows, in the end and all along the way."""

import threading
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from schemas.rejects import Unavailable
from sinks.clickhouse import connect
from tests.faults.load import Place
from tests.support.up_process import UpProcess

READ_SECONDS = 0.5


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


class Reader(threading.Thread):
    """Reads every row again and again: what a reader has seen must never become less."""

    def __init__(self, up: UpProcess) -> None:
        super().__init__(daemon=True)
        self._up = up
        self._stopped = threading.Event()
        self._seen: dict[tuple, Decimal] = {}
        self.looks = 0
        self.falls = 0

    def run(self) -> None:
        """Look until stopped; a store that is away is no look."""
        while not self._stopped.wait(READ_SECONDS):
            with suppress(Unavailable, ClickHouseError, HTTPError, OSError):
                self._look()

    def stop(self) -> tuple[int, int]:
        """How often it looked, and how many rows it saw fall."""
        self._stopped.set()
        self.join()
        return self.looks, self.falls

    def _look(self) -> None:
        with closing(connect(self._up.ready["clickhouse_url"])) as client:
            rows = query_rows(client, self._up.ready["tenant"])
        self.falls += sum(rows.get(key, 0) < tokens for key, tokens in self._seen.items())
        self._seen = rows
        self.looks += 1
