"""The rules of the directory, one field wrong at a time."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from schemas.directory import ENTITIES, identity_of, is_deleted, laid_over
from schemas.rejects import Reason, Rejected
from tests.support.directory import VALID, entry

LONG_ID, LONG_TEXT = "x" * 129, "x" * 257
CHARACTERS = ("a\u0000", "a\n", "a\u007f", "a\u0085", "a\ud800")

USER_IDS = [*CHARACTERS, "", LONG_TEXT, 1, True, [], {}]
IDS = [*CHARACTERS, "", LONG_ID, 1, True, [], {}]
DAYS = ["", "2026-02-30", "2026-1-1", "20260101", "2026-01-01T00:00:00Z", "1969-12-31", 0, True]
DAYS += ["2300-01-01", "\uff12026-01-01", " 2026-01-01"]
BOOLEANS = [0, 1, "true", "", []]
AMOUNTS = ["", "x", "1,5", "1.00001", "1e-5", "100000000000000", "1e15", "NaN", "Infinity", "-1"]
AMOUNTS += [True, [], Decimal("0.00001"), -1, " 1", "0x1", "1_000"]
MOMENTS = ["", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T24:01:00Z", "2026-13-01T00:00:00Z"]
MOMENTS += [0, True, "1969-12-31T23:59:59Z", "2300-01-01T00:00:00Z", "2026-01-01 00:00:00Z"]

WRONG = {
    ("teams", "team_id"): IDS,
    ("teams", "name"): USER_IDS,
    ("teams", "personal_data"): BOOLEANS,
    ("team_members", "team_id"): IDS,
    ("team_members", "user_id"): USER_IDS,
    ("users", "user_id"): USER_IDS,
    ("users", "first_name"): USER_IDS,
    ("users", "last_name"): USER_IDS,
    ("users", "email"): USER_IDS,
    ("products", "product_id"): IDS,
    ("products", "kind"): ["", "bundle", 1, []],
    ("subscriptions", "subscription_id"): IDS,
    ("subscriptions", "team_id"): IDS,
    ("subscriptions", "product_id"): IDS,
    ("subscriptions", "seats"): [-1, 1 << 32, "1", Decimal("1.5"), True, []],
    ("subscriptions", "starts_on"): DAYS,
    ("subscriptions", "ends_on"): [*DAYS, "2025-12-31"],
    ("assignments", "user_id"): USER_IDS,
    ("assignments", "product_id"): IDS,
    ("assignments", "team_id"): IDS,
    ("assignments", "access"): ["", "free", 1],
    ("assignments", "at"): MOMENTS,
    ("assignments", "assignment"): ["", "other", 1],
    ("assignments", "assigned"): BOOLEANS,
    ("assignments", "group"): ["a group of a direct assignment"],
    ("token_packs", "pack_id"): IDS,
    ("token_packs", "team_id"): IDS,
    ("token_packs", "tokens"): [*AMOUNTS, 0, "0.0"],
    ("token_packs", "purchased_on"): DAYS,
    ("token_packs", "starts_on"): DAYS,
    ("token_packs", "ends_on"): [*DAYS, "2025-12-31"],
    ("prices", "product_id"): IDS,
    ("prices", "valid_from"): DAYS,
    ("prices", "annual_price"): AMOUNTS,
    ("prices", "tokens_per_day"): [*AMOUNTS, 0],
    ("prices", "token_price"): AMOUNTS,
    ("prices", "currency"): ["", "eur", "EURO", 1, "EU\n"],
}
REQUIRED = {
    "teams": {"team_id"},
    "team_members": {"team_id", "user_id"},
    "users": {"user_id"},
    "products": {"product_id"},
    "subscriptions": {
        *("subscription_id", "team_id", "product_id", "seats", "starts_on", "ends_on"),
    },
    "assignments": {"user_id", "product_id", "team_id", "at", "assignment", "assigned"},
    "token_packs": {"pack_id", "tokens", "purchased_on", "starts_on", "ends_on"},
    "prices": {
        *("product_id", "valid_from", "annual_price", "tokens_per_day", "token_price"),
        "currency",
    },
}


def judged(name, given, stored=()):
    """The whole entry, as the service judges it."""
    identity_of(ENTITIES[name], given)
    return laid_over(ENTITIES[name], dict(stored), given)


def refused(name, given, stored=()):
    """Why an entry is refused."""
    with pytest.raises(Rejected) as found:
        judged(name, given, stored)
    return found.value


@pytest.mark.parametrize("name", ENTITIES)
def test_a_valid_entry_is_taken(name):
    """Every field of every entity, as JSON has it."""
    assert set(dict(judged(name, VALID[name]))) == set(ENTITIES[name].fields) == set(VALID[name])


@pytest.mark.parametrize(("place", "values"), WRONG.items(), ids=[".".join(p) for p in WRONG])
def test_one_field_is_wrong(place, values):
    """The reject names the field and never repeats the value."""
    name, field = place
    for value in values:
        why = refused(name, entry(name, **{field: value}))
        assert (why.reason, why.field) == (Reason.INVALID_FIELD, field), value
        assert not isinstance(value, str) or len(value) < 6 or value not in why.detail
        json.dumps([why.field, why.detail], ensure_ascii=False).encode()


@pytest.mark.parametrize("name", ENTITIES)
def test_every_field_has_its_rules_tried(name):
    """No field was forgotten above."""
    tried = {field for entity, field in WRONG if entity == name}
    assert set(ENTITIES[name].fields) - tried <= {"members", "name"}


@pytest.mark.parametrize("name", ENTITIES)
def test_what_is_required(name):
    """A required field may be neither absent nor null; any other one may."""
    for field in ENTITIES[name].fields:
        absent = {other: value for other, value in entry(name).items() if other != field}
        for given in (absent, absent | {field: None}):
            if field not in REQUIRED[name]:
                judged(name, given)
                continue
            why = refused(name, given)
            assert (why.reason, why.field) == (Reason.MISSING_FIELD, field)


@pytest.mark.parametrize("name", ENTITIES)
def test_unknown_fields_are_refused(name):
    """By their name, where that is one that can be shown."""
    why = refused(name, entry(name, colour="red"))
    assert (why.reason, why.field) == (Reason.INVALID_FIELD, "colour")
    for strange in ("\ud800", "x" * 129, "a\n"):
        assert refused(name, entry(name, **{strange: 1})).field is None


@pytest.mark.parametrize("given", [None, 1, "team-1", [], ["team_id"], True])
def test_an_entry_is_an_object(given):
    """Anything else is refused, of no field."""
    with pytest.raises(Rejected) as found:
        identity_of(ENTITIES["teams"], given)
    assert found.value.field is None


def test_members_are_of_a_collection():
    """Only a collection has members, itself not among them, each once."""
    assert refused("products", {"product_id": "p", "members": ["a"]}).field == "members"
    one = {"product_id": "p", "kind": "collection"}
    assert judged("products", {**one, "members": ["b", "a", "b"]}).members == ["b", "a"]
    assert refused("products", {**one, "members": ["p"]}).field == "members"
    assert refused("products", {**one, "members": ["a", 1]}).field == "members.1"
    assert refused("products", {**one, "members": "a"}).field == "members"
    assert refused("products", {**one, "members": ["a"] * 1001}).field == "members"


def test_a_group_is_of_an_assignment_by_group():
    """Required there, and refused for the other two."""
    why = refused("assignments", entry("assignments", assignment="group"))
    assert (why.reason, why.field) == (Reason.MISSING_FIELD, "group")
    judged("assignments", entry("assignments", assignment="group", group="design"))
    for assignment in ("direct", "default"):
        given = entry("assignments", assignment=assignment, group="design")
        assert refused("assignments", given).field == "group"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01t00:00:00z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:30:00+01:00", datetime(2025, 12, 31, 23, 30, tzinfo=UTC)),
        ("2026-01-01T00:00:00.1239999Z", datetime(2026, 1, 1, 0, 0, 0, 123_000, UTC)),
        ("2026-01-01T00:00:00.1Z", datetime(2026, 1, 1, 0, 0, 0, 100_000, UTC)),
    ],
)
def test_moments(text, moment):
    """RFC 3339 with a zone, cut to milliseconds, in UTC."""
    assert identity_of(ENTITIES["assignments"], entry("assignments", at=text)).at == moment


@pytest.mark.parametrize("amount", [1, "1", "1.5000", "1e3", Decimal("0.0001"), "99999999999999"])
def test_amounts(amount):
    """A number, or one in a string; exact."""
    assert judged("token_packs", entry("token_packs", tokens=amount)).tokens == Decimal(amount)


def test_a_price_may_be_nothing():
    """Free of charge is a price; no tokens a day is none."""
    judged("prices", entry("prices", annual_price=0, token_price=0))


def test_absent_keeps_and_null_clears():
    """What was sent is laid over what is stored, and the whole is judged."""
    stored = {"first_name": "A", "last_name": "B", "email": None}
    whole = judged("users", {"user_id": "u", "first_name": None, "email": "e"}, stored)
    assert dict(whole) == {"user_id": "u", "first_name": None, "last_name": "B", "email": "e"}
    kept = {"team_id": "t", "product_id": "p", "seats": 5}
    kept |= {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}
    assert judged("subscriptions", {"subscription_id": "s", "seats": 6}, kept).seats == 6
    late = {"subscription_id": "s", "starts_on": "2027-01-01"}
    assert refused("subscriptions", late, kept).field == "ends_on"


@pytest.mark.parametrize(("value", "deleted"), [(True, True), (False, False), (None, False)])
def test_deleted(value, deleted):
    """True removes; a value that is no boolean is refused."""
    assert is_deleted({"deleted": value}) is deleted
    with pytest.raises(Rejected, match="deleted"):
        is_deleted({"deleted": 1})
