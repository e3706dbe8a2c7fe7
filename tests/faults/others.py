"""Another tenant beside the load's: events of any time and shape, and its rows by day.

Next: tests.faults.rows_events
"""

from contextlib import closing
from datetime import UTC, datetime

import httpx
import orjson

from sinks import keys
from sinks.clickhouse import connect
from tests.faults.run import Run

TENANT = "sample-others"
_BY_DAY = (
    "SELECT toString(day), toInt64(sum(launches)) FROM usage_daily FINAL"
    " WHERE tenant = {tenant:String} GROUP BY day"
)


class Others:
    """Sends launches as another tenant of the run's system."""

    def __init__(self, run: Run) -> None:
        self._run = run
        with closing(connect(run.topology.dsn)) as client:
            _, self._key = keys.create_key(
                client, tenant=TENANT, scopes=["ingest"], teams=(), now=datetime.now(UTC)
            )

    def send(self, events: list[dict]) -> dict:
        """Post a batch until it is answered; the verdicts."""
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/cloudevents-batch+json",
        }
        url = f"{self._run.topology.gateway_urls[0]}/v1/events"
        answers: list[dict] = []

        def answered() -> bool:
            try:
                with httpx.Client(trust_env=False, timeout=15) as client:
                    answer = client.post(url, content=orjson.dumps(events), headers=headers)
            except httpx.TransportError:
                return False
            if answer.status_code in {202, 400}:
                answers.append(answer.json())
            return bool(answers)

        self._run.until(answered, "an answer")
        return answers[0]

    def launches_by_day(self) -> dict[str, int]:
        """What its rows say."""
        with closing(connect(self._run.topology.dsn)) as client:
            rows = client.query(_BY_DAY, parameters={"tenant": TENANT}).result_rows
        return dict(rows)


def launch(number: int, *, user: int = 0, time: datetime | None = None) -> dict:
    """A launch; without a time it is of the moment when it arrives."""
    event = {
        "specversion": "1.0",
        "id": f"launch-{number}",
        "source": "sample-machine/others",
        "type": "product.launched",
        "subject": f"sample-user-{user}",
        "data": {"team_id": "sample-team-1", "product_id": "sample-product-1"},
    }
    if time is not None:
        event["time"] = f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"
    return event
