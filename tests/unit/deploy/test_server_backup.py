"""What ClickHouse is asked for: its own destinations alone, and nothing else slips in."""

import pytest

from deploy.server_backup import is_destination


@pytest.mark.parametrize(
    "text",
    [
        "Disk('backups', 'usage-2026-03-01')",
        "S3('https://bucket.example/usage', 'key', 'secret')",
        "File('/backups/one')",
    ],
)
def test_destinations(text):
    """As ClickHouse writes them."""
    assert is_destination(text)


@pytest.mark.parametrize(
    "text",
    [
        "/backups/one",
        "Disk",
        "Disk('a') SETTINGS async = 1",
        "Disk('a'), TABLE x",
        "Disk('a\\'b')",
        "url('https://a.example')",
        "Disk('a'); DROP DATABASE usage",
    ],
)
def test_what_is_none(text):
    """A directory of ours, or more than a destination."""
    assert not is_destination(text)
