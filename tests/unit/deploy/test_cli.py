"""The command line loads what was asked for, and no more."""

import subprocess
import sys

import pytest
import typer

from deploy.cli import COMMANDS, GROUPS, app_for


def names(asked):
    """The commands that there are when `asked` is."""
    return set(typer.main.get_command(app_for(asked)).commands)


@pytest.mark.parametrize("asked", ["", "--help", "no-such-command"])
def test_whoever_asks_for_none_is_shown_all(asked):
    """For the help, and for what is misspelt."""
    assert names(asked) == {*COMMANDS, *GROUPS}


@pytest.mark.parametrize("asked", sorted({*COMMANDS, *GROUPS}))
def test_each_is_there_under_its_name(asked):
    """The one that is asked for, alone, as a command of a group."""
    assert names(asked) == {asked}


def test_a_small_command_does_not_load_a_large_one():
    """Keys are made without the libraries of reports: half a second less."""
    code = "import sys; from deploy.cli import app_for; app_for('keys'); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "deploy.commands.keys" in loaded
    assert not {"fastapi", "polars", "deploy.commands.report"} & set(loaded)
