"""How tokens are taken from packs, on examples and on random packs and days.

Next: query_service.packs
"""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from query_service.packs import (
    Burn,
    Pack,
    burn,
    last_days,
    projected,
    remaining,
    remaining_by_day,
    used_by_pack,
)

FIRST = date(2026, 5, 1)
TEAMS = ("team-1", "team-2", "team-3")


def pack(pack_id="a", **changed):
    """A shared pack of the year 2026, valid by default."""
    fields = {
        "team_id": None,
        "tokens": Decimal(100),
        "purchased_on": date(2025, 12, 1),
        "starts_on": date(2026, 1, 1),
        "ends_on": date(2026, 12, 31),
    }
    return Pack(pack_id, **(fields | changed))


def used(packs, usage):
    """What was taken from each pack, in plain numbers."""
    return {pack_id: int(tokens) for pack_id, tokens in used_by_pack(burn(packs, usage)).items()}


days = st.integers(0, 12).map(lambda number: FIRST + timedelta(days=number))
amounts = st.decimals("0.0001", "40", places=4)


@st.composite
def random_packs(draw):
    """Up to six packs that start and end within some days of each other."""
    return [
        pack(
            f"pack-{number}",
            team_id=draw(st.sampled_from((None, *TEAMS))),
            tokens=draw(st.sampled_from([Decimal(10), Decimal("20.5")]) | amounts),
            purchased_on=draw(days),
            starts_on=(start := draw(days)),
            ends_on=start + timedelta(days=draw(st.integers(0, 9))),
        )
        for number in range(draw(st.integers(0, 6)))
    ]


usages = st.dictionaries(st.tuples(days, st.sampled_from(TEAMS)), amounts, max_size=20)


def test_example_6():
    """Definitions, example 6: the earliest end, then the smaller one; a team's own first."""
    ends_on = date(2026, 6, 30)
    packs = [
        pack("A", ends_on=ends_on),
        pack("B", ends_on=ends_on, tokens=Decimal(50)),
        pack("C", tokens=Decimal(500)),
    ]
    usage = {(date(2026, 5, 4), "team-1"): Decimal(70), (date(2026, 5, 20), "team-1"): Decimal(50)}
    assert used(packs, usage) == {"B": 50, "A": 70}
    packs[2] = pack("C", tokens=Decimal(500), team_id="team-1")
    assert used(packs, usage) == {"C": 120}
    packs[2] = pack("C", tokens=Decimal(500), team_id="team-2")
    assert used(packs, usage) == {"B": 50, "A": 70}


def test_ties_go_to_the_earliest_purchase_then_the_lowest_id():
    """Packs of one end and quantity: as they were bought, then by id."""
    usage = {(FIRST, "team-1"): Decimal(150)}
    packs = [pack("b"), pack("c", purchased_on=date(2025, 1, 1)), pack("a")]
    assert burn(packs, usage) == [
        Burn(FIRST, "team-1", "c", Decimal(100)),
        Burn(FIRST, "team-1", "a", Decimal(50)),
    ]


def test_use_beyond_all_packs_is_kept():
    """Before a pack starts, after it ends, and when it is empty: overdrawn, under no pack."""
    packs = [pack(starts_on=FIRST, ends_on=FIRST)]
    usage = {(FIRST + timedelta(days=n), "team-1"): Decimal(60 + n) for n in (-1, 0, 1)}
    assert used(packs, usage) == {"a": 60, None: 120}
    assert used(packs, {(FIRST, team): Decimal(80) for team in TEAMS}) == {"a": 100, None: 140}


@given(random_packs(), usages)
def test_nothing_is_lost(packs, usage):
    """For every day and team, what was taken and what was overdrawn is what was used."""
    told = defaultdict(Decimal)
    burns = burn(packs, usage)
    for each in burns:
        assert each.tokens > 0
        told[each.day, each.team_id] += each.tokens
    assert told == usage
    by_id = {each.pack_id: each for each in packs}
    for pack_id, tokens in used_by_pack(burns).items():
        assert pack_id is None or tokens <= by_id[pack_id].tokens


@given(random_packs(), usages)
def test_each_token_comes_from_the_first_pack_that_has_one(packs, usage):
    """At every step no pack that comes before the one taken from had a token left."""
    left = {each.pack_id: each.tokens for each in packs}
    by_id = {each.pack_id: each for each in packs}

    def rank(each):
        return (each.team_id is None, each.ends_on, each.tokens, each.purchased_on, each.pack_id)

    for day, team_id, pack_id, tokens in burn(packs, usage):
        usable = [
            each
            for each in packs
            if each.starts_on <= day <= each.ends_on
            and each.team_id in {None, team_id}
            and left[each.pack_id] > 0
        ]
        assert by_id.get(pack_id) == min(usable, key=rank, default=None)
        if pack_id:
            left[pack_id] -= tokens


@given(random_packs(), usages)
def test_later_use_changes_no_earlier_day(packs, usage):
    """What was burned up to a day is the same, whatever is used after it."""
    middle = FIRST + timedelta(days=6)
    early = {place: tokens for place, tokens in usage.items() if place[0] <= middle}
    assert burn(packs, early) == [each for each in burn(packs, usage) if each.day <= middle]


@given(random_packs(), usages)
def test_the_burn_down_is_what_active_packs_hold(packs, usage):
    """Each day: tokens of the packs active on it less what was taken from them up to then."""
    burns = burn(packs, usage)
    span = [FIRST + timedelta(days=number) for number in range(-1, 25)]
    for day, left in remaining_by_day(packs, burns, span):
        active = {each.pack_id: each for each in packs if each.is_active(day)}
        taken = [b.tokens for b in burns if b.day <= day and b.pack_id in active]
        assert left == sum((each.tokens for each in active.values()), -sum(taken, Decimal(0)))
        assert left == remaining(packs, burns, day)


def test_states():
    """Both the first and the last day are active."""
    one = pack(starts_on=FIRST, ends_on=FIRST + timedelta(days=1))
    states = [one.state(FIRST + timedelta(days=number)) for number in range(-1, 3)]
    assert states == ["not_started", "active", "active", "ended"]


def test_the_last_30_days():
    """They end with the day itself."""
    usage = {(FIRST - timedelta(days=n), "team-1"): Decimal(10**n) for n in (-1, 0, 1)}
    usage[FIRST - timedelta(days=29), "team-2"] = Decimal(3)
    usage[FIRST - timedelta(days=30), "team-2"] = Decimal(4)
    assert last_days(usage, FIRST) == {"team-1": 11, "team-2": 3}


@given(usages, st.integers(0, 100))
def test_a_projection_adds_up(usage, ahead):
    """Every team uses its average: after 30 days the same as in the last 30."""
    day = FIRST + timedelta(days=8)
    future = projected(usage, day, day + timedelta(days=ahead))
    for team_id, total in last_days(usage, day).items():
        sums = [
            sum(
                (t for (on, team), t in future.items() if team == team_id and on <= until),
                Decimal(0),
            )
            for until in (day + timedelta(days=30), day + timedelta(days=ahead))
        ]
        assert ahead < 30 or sums[0] == total
        assert 0 <= total * ahead / 30 - sums[1] < Decimal("0.0001")
