"""The mark beside a file: an interrupted `send` goes on, and never skips what is unanswered."""

import pytest

from deploy.resume import Mark


@pytest.fixture
def events(tmp_path):
    """A file to send."""
    path = tmp_path / "sample.ndjson"
    path.write_text("{}\n" * 30)
    return path


def test_the_mark_waits_for_the_oldest_batch(events):
    """Answers out of order move the mark only up to the first line without an answer."""
    mark = Mark(events, target="a")
    for first in (1, 11, 21):
        mark.started(first, first + 9)
    mark.answered(11)
    assert mark.line == 0
    mark.answered(1)
    assert mark.line == 20
    mark.answered(21)
    assert mark.line == 30


def test_a_later_run_goes_on_from_the_mark(events):
    """What was saved is found again by the next run on the same file and target."""
    mark = Mark(events, target="a")
    mark.started(1, 10)
    mark.answered(1)
    mark.save()
    assert Mark(events, target="a").line == 10
    assert Mark(events, target="b").line == 0
    mark.remove()
    assert Mark(events, target="a").line == 0


def test_a_changed_file_starts_anew(events):
    """Another content under the same name is not skipped."""
    mark = Mark(events, target="a")
    mark.started(1, 10)
    mark.answered(1)
    mark.save()
    events.write_text("{}\n" * 31)
    assert Mark(events, target="a").line == 0


def test_a_broken_mark_starts_anew(events):
    """A torn file is no reason to fail: sending again is harmless."""
    events.with_name("sample.ndjson.sent").write_text("{")
    assert Mark(events, target="a").line == 0
