"""The README tells the truth: its links resolve, its walk is the one that the modules name."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
STEP = re.compile(r"^1\. \[([\w.]+)\]\(([\w/]+)\.py\): .+\.$", re.MULTILINE)
FIRST, LAST = "ingest.app", "query_service.routes.report"


def next_of(module: str) -> str | None:
    """The module that a module's docstring names as the next one."""
    text = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
    found = re.search(r"^Next: ([\w.]+)", text.split('"""')[1], re.MULTILINE)
    return found[1] if found else None


def test_every_link_resolves():
    """Each link within the project leads to a file or directory that is there."""
    inside = [target for _, target in LINK.findall(README) if "://" not in target]
    assert len(inside) > 20
    assert [target for target in inside if not (ROOT / target).exists()] == []


def test_the_walk_follows_the_modules():
    """From socket to answer: each step of the walk is the one that the step before names."""
    steps = [name for name, _ in STEP.findall(README)]
    assert (steps[0], steps[-1]) == (FIRST, LAST)
    assert [next_of(name) for name in steps[:-1]] == steps[1:]


def test_the_walk_links_the_modules_it_names():
    """A step's link is its module's file."""
    assert all(name == target.replace("/", ".") for name, target in STEP.findall(README))


@pytest.mark.parametrize("command", sorted({*cli.COMMANDS, *cli.GROUPS}))
def test_every_command_is_named(command):
    """No command is missing on the first page."""
    table = README[README.index("| command") : README.index("Every command explains itself")]
    assert f"`{command}`" in table


@pytest.mark.parametrize("command", sorted({*cli.COMMANDS, *cli.GROUPS}))
def test_every_command_explains_itself(command):
    """`--help` works for each command that the README names."""
    done = CliRunner().invoke(cli.app_for(command), [command, "--help"])
    assert done.exit_code == 0
    assert "Usage:" in done.output


def test_everyone_who_names_a_next_module_names_a_real_one():
    """`Next:` never leads into the void, in no module of the product."""
    packages = ("ingest", "aggregators", "schemas", "sinks", "query_service", "deploy")
    files = [file for package in packages for file in (ROOT / package).rglob("*.py")]
    modules = {str(file.relative_to(ROOT).with_suffix("")).replace("/", ".") for file in files}
    known = modules | {name.removesuffix(".__init__") for name in modules}
    named = {module: next_of(module) for module in modules if not module.endswith("__init__")}
    lost = {module: target for module, target in named.items() if target not in known}
    assert lost == {}
