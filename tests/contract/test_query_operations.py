"""What operators ask over HTTP: traces, books, checks and keys, and who may ask for them."""

import signal
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from sinks.clickhouse import connect
from sinks.keys import create_key, hashed_user_id
from sinks.migrate import migrate
from sinks.verify import verify
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.query_server import NOW, QueryServer
from tests.support.usage import event, insert_events, insert_rows, insert_usage


def insert_ledger(client, tenant, day, **counts):
    """One partition's books of a day of receipt."""
    names = ["accepted", "stored", "duplicate", "dead"]
    client.insert(
        "usage_ledger",
        [[tenant, day, 0, *(counts.get(name, 0) for name in names), 0, 7, 1]],
        column_names=[
            *("tenant", "received_day", "partition", *names),
            *("counted", "position", "fold_version"),
        ],
    )


def insert_progress(client, *moments):
    """How far each partition is folded and caught up with: (appended at, caught up at)."""
    client.insert(
        "progress",
        [[number, 7, *pair, 1] for number, pair in enumerate(moments)],
        column_names=["partition", "position", "appended_at", "caught_up_at", "fold_version"],
    )


def test_a_trace_leads_to_the_row(store_client, new_tenant):
    """An event's place in the log, and the row that it was counted in."""
    tenant, http, secret = new_tenant(scopes=["admin"])
    first, _ = insert_usage(store_client, tenant, [event(), event(clock="13:00:00")])
    found = http.get(f"/v1/events/trace?source=sample&id={first}").json()
    assert found["stored"] is True
    assert (found["partition"], found["seq"], found["others"]) == (0, 0, [])
    assert found["received_at"] == "2026-03-01T12:00:01.000Z"
    assert (found["user_id"], found["day"]) == (None, "2026-03-01")
    assert found["hashed_user_id"] == hashed_user_id(secret, "user-1")
    assert (found["row"]["launches"], found["row"]["tokens"]) == (2, "0")
    assert found["row"]["last_at"] == "2026-03-01T13:00:00.000Z"


def test_a_trace_of_nothing(store_client, new_tenant):
    """An event that was never stored, or is another tenant's, is not stored."""
    _, http, _ = new_tenant(scopes=["admin"])
    other, _, _ = new_tenant("other")
    (theirs,) = insert_usage(store_client, other, [event()])
    for wanted in ("no-such-event", theirs):
        found = http.get(f"/v1/events/trace?source=sample&id={wanted}").json()
        assert (found["stored"], found["row"]) == (False, None)


def test_one_identity_of_two_users(store_client, new_tenant):
    """An identity holds within a user's day: the trace shows the others too, and can narrow."""
    tenant, http, secret = new_tenant(scopes=["admin"])
    (first,) = insert_usage(store_client, tenant, [event()])
    store_client.command(
        "INSERT INTO usage_events SELECT * REPLACE ('user-2' AS user_id) "
        "FROM usage_events FINAL WHERE tenant = {tenant:String}",
        parameters={"tenant": tenant},
    )
    insert_rows(store_client, tenant, [event(), event(user_id="user-2")])
    place = f"/v1/events/trace?source=sample&id={first}"
    assert len(http.get(place).json()["others"]) == 1
    wanted = hashed_user_id(secret, "user-2")
    narrowed = http.get(f"{place}&user={wanted}&day=2026-03-01").json()
    assert (narrowed["hashed_user_id"], narrowed["others"]) == (wanted, [])
    assert http.get(f"{place}&day=2026-03-02").json()["stored"] is False


def test_recent_events_by_page(store_client, new_tenant):
    """The latest received first, each exactly once, without user ids."""
    tenant, http, secret = new_tenant(scopes=["admin"])
    days = [NOW.date() - timedelta(days=number) for number in range(12)]
    ids = insert_usage(store_client, tenant, [event(str(day), "01:00:00") for day in days])
    seen, cursor = [], ""
    while cursor is not None:
        body = http.get(f"/v1/events?limit=5{cursor and f'&cursor={cursor}'}").json()
        seen += body["events"]
        cursor = body["next_cursor"]
    assert [each["id"] for each in seen] == ids
    assert {each["user_id"] for each in seen} == {None}
    one = hashed_user_id(secret, "user-1")
    few = http.get(f"/v1/events?user={one}&from={days[3]}&to={days[1]}").json()["events"]
    assert [each["day"] for each in few] == [str(day) for day in days[1:4]]
    assert http.get("/v1/events?user=nobody").json()["events"] == []


def test_the_ledger_balances(store_client, new_tenant):
    """Accepted less duplicates is what is stored; an event that went missing is a difference."""
    tenant, http, _ = new_tenant(scopes=["admin"])
    events = [event("2026-05-02"), event("2026-05-02", user_id="user-2"), event("2026-05-03")]
    insert_usage(store_client, tenant, events)
    insert_ledger(store_client, tenant, date(2026, 5, 2), accepted=5, stored=2, duplicate=3)
    insert_ledger(store_client, tenant, date(2026, 5, 3), accepted=2, stored=2)
    body = http.get("/v1/ledger").json()
    assert [(day["received_day"], day["difference"]) for day in body["days"]] == [
        ("2026-05-02", 0),
        ("2026-05-03", 1),
    ]
    names = ["received_day", "accepted", "stored", "duplicate", "dead", "difference"]
    assert list(body["days"][0]) == names
    # No broker is there to be asked, and nobody waits for it.
    assert body["lag_records"] is None


def test_verify_finds_every_kind_of_difference(store_client, new_tenant):
    """Equal rows are none; a changed, a missing and a surplus row are one each."""
    tenant, http, secret = new_tenant(scopes=["admin"])
    good = [event(user_id=f"user-{number}") for number in range(4)]
    insert_usage(store_client, tenant, good)
    body = http.get("/v1/verify").json()
    assert (body["rows"], body["differences"], body["examples"]) == (4, 0, [])
    insert_events(
        store_client, tenant, [event(user_id="missing"), event(clock="11:00:00", user_id="user-1")]
    )
    insert_rows(store_client, tenant, [event(user_id="surplus")])
    body = http.get("/v1/verify").json()
    assert (body["rows"], body["differences"]) == (6, 3)
    found = {example["hashed_user_id"]: example for example in body["examples"]}
    missing = found[hashed_user_id(secret, "missing")]
    assert (missing["stored"], missing["counted"]["launches"]) == (None, 1)
    assert found[hashed_user_id(secret, "surplus")]["counted"] is None
    changed = found[hashed_user_id(secret, "user-1")]
    assert (changed["stored"]["launches"], changed["counted"]["launches"]) == (1, 2)
    assert changed["counted"]["first_at"] == "2026-03-01T11:00:00.000Z"


def test_verify_looks_again_before_it_complains(store_client, new_tenant):
    """Events are stored before their rows: rows that follow a moment later are no difference."""
    tenant, _, _ = new_tenant()
    uses = [event(tokens=Decimal("0.25"), access="flex"), event()]
    insert_events(store_client, tenant, uses)

    def rows_follow(_):
        insert_rows(store_client, tenant, uses)

    found = verify(store_client, today=NOW.date(), tenant=tenant, sleep=rows_follow)
    assert (found.checked, found.differences) == (2, 0)


@pytest.fixture
def engine(tmp_path):
    """A migrated store of this test alone, which may be hurt."""
    engine = ClickHouseProcess(tmp_path / "clickhouse").start()
    client = connect(engine.dsn)
    migrate(client)
    client.close()
    yield engine
    engine.kill()


@pytest.fixture
def own_client(engine):
    """A client of this test's store."""
    client = connect(engine.dsn)
    yield client
    client.close()


@pytest.fixture
def own_http(engine, own_client, tmp_path):
    """An HTTP client of a query service over this test's store, with a key of tenant `sample`."""
    _, key = create_key(own_client, tenant="sample", scopes=["read"], teams=[], now=NOW)
    server = QueryServer(engine.dsn, tmp_path, now=NOW).start()
    yield server.client(key)
    server.stop()


def test_complete_up_to_is_the_least_of_all_partitions(own_client, own_http):
    """Null while a partition is silent; then the least of the later of its two moments."""
    http = own_http
    early, late = NOW - timedelta(seconds=50), NOW - timedelta(seconds=2)
    insert_progress(own_client, (early, late))
    assert http.get("/v1/report").json()["complete_up_to"] is None
    insert_progress(own_client, (early, late), (early, early))
    assert http.get("/v1/daily").json()["complete_up_to"] == "2026-05-31T15:29:10.123Z"
    insert_progress(own_client, (early, late), (early, late))
    assert http.get("/v1/report").json()["complete_up_to"] == "2026-05-31T15:29:58.123Z"


def test_clickhouse_away(engine, own_client, own_http):
    """503 with Retry-After while it is killed or does not answer, numbers again when it is back."""
    http = own_http
    insert_usage(own_client, "sample", [event()])
    assert http.get("/v1/report").json()["totals"]["launches"] == 1
    engine.process.send_signal(signal.SIGSTOP)
    assert_unavailable(http)
    engine.process.send_signal(signal.SIGCONT)
    assert http.get("/v1/report").json()["totals"]["launches"] == 1
    engine.kill()
    assert_unavailable(http)
    engine.start()
    assert http.get("/v1/report").json()["totals"]["launches"] == 1
    assert http.get("/health/ready").status_code == 200


def assert_unavailable(http):
    """Every question that needs the store is told to come back; the process itself lives."""
    for path in ("/v1/report", "/v1/daily", "/health/ready"):
        answer = http.get(path)
        assert (answer.status_code, answer.json()["reason"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
    assert http.get("/health/live").status_code == 200


def test_before_the_first_migration(tmp_path):
    """A store without tables is one to wait for, not a mistake."""
    engine = ClickHouseProcess(tmp_path / "clickhouse").start()
    server = QueryServer(engine.dsn, tmp_path, now=datetime.now(UTC)).start()
    try:
        assert server.client("").get("/health/ready").status_code == 503
    finally:
        server.stop()
        engine.kill()
