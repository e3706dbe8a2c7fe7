"""Whatever range is asked for: the same use from days and from settled months."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from query_service.ranges import PRESETS, Range, preset_range
from query_service.settled import months_of
from query_service.store import compose
from query_service.view import look
from sinks.settle import Settled
from tests.support.query_server import NOW
from tests.support.settling import key_of, unmerged
from tests.support.usage import event, insert_usage

MIDNIGHT = datetime(2026, 2, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RANGES = [
    *(preset_range(name, NOW) for name in PRESETS),
    Range(date(2024, 2, 1), date(2024, 2, 29), NOW, None),
    Range(date(2024, 2, 29), date(2024, 3, 31), NOW, None),
    Range(date(2026, 2, 1), date(2026, 3, 31), NOW, None),
    Range(date(2026, 2, 2), date(2026, 3, 30), NOW, None),
    Range(date(2026, 3, 1), date(2026, 3, 1), NOW, None),
    Range(date(2026, 3, 31), date(2026, 3, 31), NOW, None),
    # as_of lies in a month, at its end, and just behind it.
    *(
        Range(date(2025, 12, 1), date(2026, 1, 31), MIDNIGHT + later, None)
        for later in (timedelta(days=40), -2 * SECOND, -SECOND, -SECOND / 1000, 0 * SECOND)
    ),
    # The 256th day of R, on every place in a month that R covers.
    *(
        Range(date(2025, 5, 1) + timedelta(days=n), date(2026, 4, 30), NOW, None)
        for n in range(-1, 34)
    ),
]


def uses(view, when):
    """The use that a report of the range `when` is made from, in some order."""
    parameters = {
        "from_day": when.start,
        "to_day": when.end,
        "as_of_day": when.as_of_day,
        "as_of": when.as_of,
        **months_of(view.settled, when),
    }
    rows = view.store.ask(view.key, "uses", parameters, sql=compose("uses", early="true"))
    return sorted(rows, key=lambda row: tuple(row.values()))


def test_every_range_is_the_same_from_days_and_from_months(
    store_client, query_server, new_tenant, months
):
    """Months that R covers, cuts, or leaves out; that as_of cuts; a leap day; over 256 days."""
    tenant, http, _ = new_tenant()
    days = [date(2024, 2, 28) + timedelta(days=n) for n in (0, 1, 2, 31)]
    days += [date(2025, 4, 1) + timedelta(days=n) for n in range(420)]
    used = [event(str(day), "23:59:59", version=f"{day:%d}") for day in days]
    used += [event(str(day), "00:00:00", user_id="user-2", access="flex") for day in days[::3]]
    used += [event(str(day), user_id="user-3", tokens=Decimal(1)) for day in days[::31]]
    with unmerged(store_client):
        insert_usage(store_client, tenant, used)
        months.settle()
        view = look(query_server.wiring, key_of(query_server, http))
        assert view.settled.attempts.keys() >= {int(f"{day:%Y%m}") for day in days} - {202605}
        for when in RANGES:
            from_months = uses(view, when)
            assert from_months == uses(replace(view, settled=Settled({})), when), when
            assert sum(row["launches"] for row in from_months) == sum(
                each.launches for each in used if when.start <= each.day <= when.end
            )
