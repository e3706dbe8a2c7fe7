"""How shares and times are written on the command line of `generate`."""

from datetime import UTC, datetime

import pytest
import typer

from deploy.commands.generate import moment, share


@pytest.mark.parametrize(("text", "number"), [("10%", 0.1), ("0.05", 0.05), ("0", 0.0)])
def test_shares(text, number):
    """A share is a fraction, or a percentage with its sign."""
    assert share(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["10", "100%", "-1%", "half", ""])
def test_other_shares_are_refused(text):
    """The whole or more, less than nothing, and words are no shares."""
    with pytest.raises(typer.BadParameter):
        share(text)


def test_times_have_a_zone():
    """A time says its zone, or is refused: it would mean another day elsewhere."""
    assert moment("2026-03-01T12:00:00Z") == datetime(2026, 3, 1, 12, tzinfo=UTC)
    for text in ("2026-03-01T12:00:00", "yesterday"):
        with pytest.raises(typer.BadParameter):
            moment(text)
