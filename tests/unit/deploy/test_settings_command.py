"""`usage-report settings` in a terminal: every setting, as it would be set."""

from deploy.commands.settings import every_setting, show


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
