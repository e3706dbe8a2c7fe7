"""Which changes of seats are stored: never one too many, and the state is as if all were."""

from hypothesis import given
from hypothesis import strategies as st

from query_service.directory_seats import changing

# Few values, so that changes meet at the same moment of the same path.
PATHS = st.fixed_dictionaries(
    {
        "user_id": st.just("user-1"),
        "product_id": st.just("product-1"),
        "team_id": st.just("team-1"),
        "access": st.just("subscription"),
        "assignment": st.just("group"),
        "group": st.sampled_from(["a", "b"]),
        "at": st.integers(0, 5),
        "assigned": st.booleans(),
    }
)
STORED = st.lists(PATHS, max_size=8)
NEW = st.lists(PATHS, max_size=8, unique_by=lambda change: (change["group"], change["at"]))


def numbered(changes, first):
    """The changes with versions from `first` on."""
    return [change | {"version": first + number} for number, change in enumerate(changes)]


def states(changes):
    """Whether each path is assigned after each moment."""
    ordered = sorted(changes, key=lambda change: (change["at"], change["version"]))
    last = {}
    for group in "ab":
        for moment in range(6):
            before = [c for c in ordered if c["group"] == group and c["at"] <= moment]
            last[group, moment] = bool(before) and before[-1]["assigned"]
    return last


@given(STORED, NEW)
def test_the_state_is_as_if_all_were_stored(stored, new):
    """At every moment of every path."""
    stored, new = numbered(stored, 0), numbered(new, 100)
    kept = changing(stored, new)
    assert states([*stored, *kept]) == states([*stored, *new])


@given(STORED, NEW)
def test_each_that_is_kept_changes_something(stored, new):
    """Without it, its moment would end in another state."""
    stored, new = numbered(stored, 0), numbered(new, 100)
    kept = changing(stored, new)
    for change in kept:
        others = [other for other in kept if other is not change]
        place = change["group"], change["at"]
        assert states([*stored, *others])[place] != change["assigned"]
