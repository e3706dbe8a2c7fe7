"""How shares, times and files are written on the command line of `generate`."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from deploy.commands.generate import moment, share
from deploy.commands.terminal import writable


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


def test_a_file_that_cannot_be_written(tmp_path):
    """A directory, or a place that is not there, is refused before any work; - is no file."""
    (tmp_path / "old.csv").touch()
    for name in (tmp_path / "old.csv", tmp_path / "new.csv", Path("new.csv"), Path("-"), None):
        assert writable(name) == name
    for name in (tmp_path, tmp_path / "missing" / "new.csv"):
        with pytest.raises(typer.BadParameter):
            writable(name)
