"""Months read from monthly rows: the same numbers, whatever is written, settled, lost or killed."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

from query_service.queries import report_query
from query_service.report import report
from query_service.settler import Settling
from query_service.view import look
from schemas.rejects import Unavailable
from sinks.clickhouse import connect
from sinks.settle import SETTINGS, Settled, Settler, due_months, settle, settled_months
from tests.support.directory_rows import insert_entry
from tests.support.query_server import NOW
from tests.support.settling import key_of, unmerged
from tests.support.usage import event, insert_rows, insert_usage

EVENTS = (
    event("2026-01-31", "23:59:59"),
    event("2026-02-01", "00:00:00", version="2027"),
    event("2026-02-28", "09:00:00", access="flex", tokens=Decimal(3)),
    event("2026-03-05", "10:00:00", user_id="user-2"),
)
MONTHS = {202601, 202602, 202603}
YEAR = "from=2025-06-01&to=2026-05-31"


@pytest.fixture
def settler_client(clickhouse_dsn):
    """A client as the settler has it."""
    client = connect(clickhouse_dsn, **SETTINGS)
    yield client
    client.close()


@pytest.fixture
def settled(store_client, new_tenant, months):
    """A tenant whose months are settled and stay so: its name, and a client."""
    with unmerged(store_client):
        tenant, http, _ = new_tenant()
        insert_usage(store_client, tenant, EVENTS)
        assert months.settle() >= MONTHS
        yield tenant, http


def answer(http, query=YEAR):
    """What a report says, without the cursor, which is another each time."""
    found = http.get(f"/v1/report?{query}&sort=product,user&limit=1000")
    assert found.status_code == 200, found.text
    return {name: value for name, value in found.json().items() if name != "next_cursor"}


def launches(http):
    """Launches in the year."""
    return answer(http)["totals"]["launches"]


def is_settled(client, month):
    """Whether it would be read from monthly rows now."""
    return month in settled_months(client).attempts


def test_a_late_event_is_in_the_next_report(store_client, settled, months, settler_client):
    """The month is read by the day until it is settled again, and says the same then."""
    tenant, http = settled
    assert launches(http) == 3
    insert_rows(store_client, tenant, [event("2026-02-14", user_id="user-3", team_id="team-2")])
    assert not is_settled(settler_client, 202602)
    from_days = answer(http)
    assert from_days["totals"]["launches"] == 4
    assert months.settle() >= MONTHS
    assert answer(http) == from_days


def test_rows_of_two_months_are_not_versions_of_one(store_client, settled):
    """Whoever reads `usage_monthly` sees all months, whatever its settings say of FINAL."""
    tenant, _ = settled
    read = "SELECT count() FROM usage_monthly{} WHERE tenant = {{tenant:String}}"
    once, all_rows = (
        store_client.query(
            read.format(final),
            parameters={"tenant": tenant},
            settings={"do_not_merge_across_partitions_select_final": 0},
        ).result_rows
        for final in (" FINAL", "")
    )
    assert once == all_rows
    assert all_rows[0][0] >= len(EVENTS)


def test_a_row_written_over_is_read(store_client, settled, months):
    """As by a rebuild: the old numbers are gone at once, a row of zeros is absent."""
    tenant, http = settled
    insert_rows(store_client, tenant, [EVENTS[3]] * 5)
    assert launches(http) == 7
    months.settle()
    assert launches(http) == 7
    zero(store_client, tenant, "user_id = 'user-2'")
    assert launches(http) == 2
    months.settle()
    assert launches(http) == 2
    assert "user-2" not in str(answer(http)["rows"])


def test_deleted_rows_are_gone(store_client, settled, months):
    """A mutation makes other parts, and the settled rows of before count no more."""
    tenant, http = settled
    # A mutation is work that `unmerged` stops.
    store_client.command("SYSTEM START MERGES usage_daily")
    store_client.command(
        "ALTER TABLE usage_daily DELETE WHERE tenant = {tenant:String} AND user_id = 'user-2'",
        parameters={"tenant": tenant},
        settings={"mutations_sync": 2},
    )
    assert launches(http) == 2
    months.settle()
    assert launches(http) == 2


def test_a_late_team_hides_names_at_once(store_client, settled, months):
    """A team that only use is known of hides a view, whether days or months tell of it."""
    tenant, http = settled
    insert_entry(store_client, tenant, "teams")
    assert answer(http)["personal_data"] == "shown"
    insert_rows(store_client, tenant, [event("2026-02-14", team_id="ghost")])
    assert answer(http)["hidden_by"] == ["ghost"]
    months.settle()
    assert answer(http)["hidden_by"] == ["ghost"]
    zero(store_client, tenant, "team_id = 'ghost'")
    assert answer(http)["personal_data"] == "shown"
    months.settle()
    assert answer(http)["personal_data"] == "shown"


def test_a_killed_attempt_never_counts(store_client, settled, settler_client):
    """Rows without a mark are not read, and dropped in time; the month is settled by the next."""
    tenant, http = settled
    insert_rows(store_client, tenant, [event("2026-02-14", user_id="user-3")])
    due = due_now(settler_client, 202602)
    with pytest.raises(ZeroDivisionError):
        settle(_Dying(settler_client, at="settle_mark"), due)
    assert not is_settled(settler_client, 202602)
    assert launches(http) == 4
    seconds = [0.0]
    other = Settler(quiet_seconds=0, clock=lambda: seconds[0])
    assert 202602 in other.round(settler_client, NOW.date())
    before = attempts(settler_client)
    counting = set(settled_months(settler_client).attempts.values())
    assert before > counting
    seconds[0] = other.idle_seconds - 1
    other.round(settler_client, NOW.date())
    assert attempts(settler_client) == before
    seconds[0] += 1
    other.round(settler_client, NOW.date())
    assert attempts(settler_client) == counting
    assert launches(http) == 4


def test_two_settlers_at_once_do_no_harm(store_client, settled, settler_client, clickhouse_dsn):
    """Both attempts count, one is read; the other is dropped in time."""
    tenant, http = settled
    insert_rows(store_client, tenant, [event("2026-02-14", user_id="user-3")])
    due = due_now(settler_client, 202602)
    second = connect(clickhouse_dsn, **SETTINGS)
    with ThreadPoolExecutor(2) as threads:
        assert all(threads.map(lambda client: settle(client, due), (settler_client, second)))
    second.close()
    assert answer(http)["totals"] == {"rows": 4, "users": 3, "launches": 4, "tokens_used": "3"}
    assert len(_marks(store_client, due)) == 2


def test_what_changed_meanwhile_does_not_count(store_client, settled, settler_client):
    """Rows that were made while the month changed, and rows that took too long, have no mark."""
    tenant, _ = settled
    insert_rows(store_client, tenant, [event("2026-02-14", user_id="user-3")])
    due = due_now(settler_client, 202602)
    insert_rows(store_client, tenant, [event("2026-02-15", user_id="user-3")])
    assert not settle(settler_client, due)
    assert not _marks(store_client, due)
    newer = due_now(settler_client, 202602)
    assert not settle(settler_client, replace(newer, mark_until=1))
    assert not _marks(store_client, newer)


def test_lost_rows_are_missed(store_client, settled, settler_client):
    """Monthly rows that are gone, as after a power cut, are not taken for none."""
    _, http = settled
    before = answer(http)
    attempt = settled_months(store_client).attempts[202602]
    store_client.command(f"ALTER TABLE usage_monthly DROP PARTITION {attempt}")
    assert not is_settled(settler_client, 202602)
    assert answer(http) == before
    assert 202602 in Settler(quiet_seconds=0).round(settler_client, NOW.date())
    assert answer(http) == before


def test_a_reader_that_slept_is_refused(query_server, settled):
    """What it looked at may have been dropped meanwhile: 503, never a smaller number."""
    _, http = settled
    view = look(query_server.wiring, key_of(query_server, http))
    query = report_query([("from", "2026-01-01"), ("to", "2026-04-30")], view)
    assert report(view, query)["totals"]["launches"] == 3
    slept = Settled(view.settled.attempts, usable_until=1)
    with pytest.raises(Unavailable):
        report(replace(view, settled=slept), query)


def test_totals_never_fall(store_client, settled, clickhouse_dsn):
    """While events come late and settlers settle, drop and merge, numbers only rise."""
    tenant, http = settled
    client = connect(clickhouse_dsn, **SETTINGS)

    def work():
        settler = Settler(quiet_seconds=0)
        for number in range(8):
            late = event(f"2026-02-{number + 2:02d}", user_id=f"late-{number}")
            insert_rows(client, tenant, [late])
            settler.round(client, NOW.date())
        store_client.command("SYSTEM START MERGES usage_daily")
        client.command("OPTIMIZE TABLE usage_daily PARTITION 202602 FINAL")
        settler.round(client, NOW.date())

    with ThreadPoolExecutor(1) as threads:
        working = threads.submit(work)
        found = [launches(http)]
        while not working.done():
            found.append(launches(http))
        working.result()
    client.close()
    assert found == sorted(found)
    assert launches(http) == 3 + 8
    assert len(found) > 3


def due_now(client, month):
    """The month as it is to be settled now."""
    found = due_months(client, NOW.date(), quiet_seconds=0)
    return next(due for due in found if due.month == month)


def zero(client, tenant, condition):
    """Write rows of zeros over some rows."""
    client.command(
        "INSERT INTO usage_daily SELECT * REPLACE (0 AS launches) FROM usage_daily FINAL"
        f" WHERE tenant = {{tenant:String}} AND {condition}",
        parameters={"tenant": tenant},
    )


def test_the_service_settles(store_client, settled, clickhouse_dsn):
    """A round of the query service settles what is due, and only that."""
    tenant, http = settled
    insert_rows(store_client, tenant, [event("2026-02-14", user_id="user-3")])
    insert_rows(store_client, tenant, [event("2026-05-14", user_id="user-3")])

    def make():
        return connect(clickhouse_dsn, **SETTINGS)

    Settling(make, Settler(quiet_seconds=3600), lambda: NOW).round()
    assert not is_settled(store_client, 202602)
    Settling(make, Settler(quiet_seconds=0), lambda: NOW).round()
    assert is_settled(store_client, 202602)
    assert not is_settled(store_client, 202605)
    assert launches(http) == 5


class _Dying:
    """A client whose process dies before a statement."""

    def __init__(self, client, *, at):
        self._client, self._at = client, at
        self.query = client.query

    def command(self, sql, **options):
        """Pass it on, or die."""
        if "INSERT INTO settled_months" in sql and self._at == "settle_mark":
            raise ZeroDivisionError
        return self._client.command(sql, **options)


def attempts(client):
    """Attempts that have rows."""
    rows = client.query(
        "SELECT DISTINCT toUInt64(partition) FROM system.parts WHERE active"
        " AND database = currentDatabase() AND table = 'usage_monthly'"
    ).result_rows
    return {attempt for (attempt,) in rows}


def _marks(client, due):
    return client.query(
        "SELECT attempt FROM settled_months FINAL WHERE month = {month:UInt32}"
        " AND parts = {parts:String}",
        parameters={"month": due.month, "parts": due.parts},
    ).result_rows
