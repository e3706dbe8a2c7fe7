"""What a form of the page sends becomes an address that says no more than it must."""

import pytest

from query_service.page.links import Address
from query_service.routes.page import tidy

DATES = "from=2026-03-01&to=2026-03-31"


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        # Nothing was touched, and then only a filter.
        ("preset=3m&shown_preset=3m&from=&to=&q=", "/"),
        ("team=a&preset=3m&shown_preset=3m&from=&to=", "/?team=a"),
        ("preset=6m&shown_preset=6m&from=&to=", "/?preset=6m"),
        # Another preset, over a preset and over dates that were shown.
        ("preset=6m&shown_preset=3m&from=&to=", "/?preset=6m"),
        (f"preset=6m&shown_preset=&{DATES}", "/?preset=6m"),
        (f"preset=3m&shown_preset=&{DATES}", "/"),
        # Dates, with or without their radio button.
        (f"preset=&shown_preset=3m&{DATES}", f"/?{DATES}"),
        (f"preset=3m&shown_preset=3m&{DATES}", f"/?{DATES}"),
        (f"preset=6m&shown_preset=6m&{DATES}", f"/?{DATES}"),
        (f"preset=&shown_preset=&{DATES}", f"/?{DATES}"),
        # One date alone is told to be one, not left out.
        ("preset=3m&shown_preset=3m&from=2026-03-01&to=", "/?from=2026-03-01"),
    ],
)
def test_the_range_is_what_was_touched_last(sent, address):
    """A form sends a preset always, and the dates that it shows."""
    assert str(tidy(Address.of(f"/?{sent}"))) == address
