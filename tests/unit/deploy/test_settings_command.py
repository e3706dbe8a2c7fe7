"""`usage-report settings` in a terminal: every setting, as it would be set."""

from deploy.commands.settings import every_setting, page, readers_of, show
from schemas import settings as schemas_settings
from tests.support.sources import ROOT


def test_eighty_columns_hold_every_setting(capsys):
    """Each variable stands on a line of its own with its default; nothing is cut or too wide."""
    found = list(every_setting())
    show(found, 80)
    lines = capsys.readouterr().out.splitlines()
    for setting in found:
        assert f"{setting['variable']}={setting['default'] or ''}" in lines
    assert all(len(line) <= 80 for line in lines)
    words = " ".join(line.strip() for line in lines)
    assert all(setting["meaning"] in words for setting in found)


def test_each_reader_is_named_once(capsys):
    """Settings stand under the process that reads them."""
    show(list(every_setting()), 80)
    readers = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Read by")]
    processes = ("ingest", "worker", "query")
    assert readers == [f"Read by {who}" for who in ("all", *processes, "migrate", "commands")]


def test_the_reference_is_of_these_settings():
    """`make reference` writes deploy/configuration.md anew after a change of a setting."""
    written = (ROOT / "deploy" / "configuration.md").read_text(encoding="utf-8")
    assert written == page(list(every_setting()))


def test_every_setting_is_in_the_reference_once():
    """A line each, that says what it does and who reads it."""
    rows = [line for line in page(list(every_setting())).splitlines() if line.startswith("| `")]
    for setting in every_setting():
        (row,) = [row for row in rows if row.startswith(f"| `{setting['variable']}` |")]
        assert setting["meaning"]
        assert setting["meaning"].replace("|", "\\|") in row
        assert readers_of(setting["variable"])
    assert len(rows) == len(list(every_setting()))


def test_every_class_of_settings_is_listed():
    """A process that gets settings of its own is not forgotten."""
    declared = {
        name
        for model in vars(schemas_settings).values()
        if isinstance(model, type) and issubclass(model, schemas_settings.CommonSettings)
        for name in model.model_fields
    }
    listed = {setting["variable"].removeprefix("USAGE_").lower() for setting in every_setting()}
    assert declared <= listed
