"""One process under the supervisor: restarted, not restarted, never left behind.

Next: deploy.children
"""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from deploy import children
from deploy.children import Child, stop_leftover

REST = "import time; time.sleep(600)"


@pytest.fixture
def child_of(tmp_path):
    """Makes a child that runs a piece of Python; it is stopped in the end."""
    made = []

    def make(code: str, name: str = "sample") -> Child:
        child = Child(
            name=name,
            command=[sys.executable, "-c", code],
            environment=dict(os.environ),
            log=tmp_path / "logs" / f"{name}.log",
            lock=tmp_path / "run" / f"{name}.lock",
            ready=lambda: True,
        )
        made.append(child)
        return child

    yield make
    for child in made:
        child.stop()


def end_of(child: Child, now: float) -> int:
    """Start the child at `now` and wait for its end; the exit status."""
    assert child.tend(now) is None
    while (status := child.tend(now)) is None:
        time.sleep(0.01)
    return status


def alive(pid: int) -> bool:
    """Whether a process of this pid runs (a zombie does not)."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_pid_is_the_programs(child_of):
    """The pid is the program's own, so that a kill of it hits nothing else."""
    child = child_of(REST)
    child.tend(0.0)
    command = Path(f"/proc/{child.pid}/cmdline")
    while not child.lock.read_text() or b"leash" in command.read_bytes():
        time.sleep(0.01)
    assert int(child.lock.read_text()) == child.pid


def test_one_that_ends_is_started_again_after_growing_pauses(child_of):
    """A quick end is answered by a pause that doubles up to its limit, then a new start."""
    child = child_of("raise SystemExit(1)")
    now, pauses = 100.0, []
    for _ in range(8):
        assert end_of(child, now) == 1
        pauses.append(child._due - now)
        assert child.tend(now + pauses[-1] / 2) is None
        assert child.pid is None
        now = child._due
    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0])


def test_one_that_lived_long_is_started_again_at_once(child_of):
    """After a steady life the first pause is the shortest, whatever happened before."""
    child = child_of("raise SystemExit(1)")
    now = 100.0
    for _ in range(5):
        end_of(child, now)
        now = child._due
    child.tend(now)
    child.process.wait()
    later = now + children.STEADY_SECONDS + 1
    assert child.tend(later) == 1
    assert child._due - later == pytest.approx(children.FIRST_PAUSE_SECONDS)


def test_one_that_needs_a_person_is_not_started_again(child_of):
    """Exit status 78 is final."""
    child = child_of("print('remedy: ask'); raise SystemExit(78)")
    assert end_of(child, 0.0) == 78
    assert child.needs_person
    assert child.tend(1e9) is None
    assert child.pid is None
    assert child.last_lines() == ["remedy: ask"]


def test_stop_is_clean_first(child_of):
    """A stop is a SIGTERM that the program may answer, and it waits for its end."""
    child = child_of(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit('stopped cleanly'))\n"
        "print('armed', flush=True)\n" + REST
    )
    child.tend(0.0)
    while "armed" not in child.last_lines():
        time.sleep(0.01)
    child.stop()
    assert child.last_lines() == ["armed", "stopped cleanly"]


def test_it_dies_with_its_supervisor(tmp_path):
    """`kill -9` of the supervisor kills the child too: nothing goes on unseen."""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    pid = int(supervisor.stdout.readline())
    assert alive(pid)
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    while alive(pid):
        time.sleep(0.01)


SUPERVISOR = textwrap.dedent(f"""
    import os, pathlib, sys, time
    from deploy.children import Child
    place = pathlib.Path(sys.argv[1])
    child = Child("sample", [sys.executable, "-c", {REST!r}], dict(os.environ),
                  place / "log", place / "lock", lambda: True)
    child.tend(0.0)
    while not (place / "lock").read_text():
        time.sleep(0.01)
    print(child.pid, flush=True)
    time.sleep(600)
""")


def test_a_leftover_is_found_by_its_lock(child_of):
    """What still runs from an earlier supervisor is stopped, by the pid in the lock it holds."""
    child = child_of(REST)
    child.tend(0.0)
    pid = child.pid
    while not child.lock.read_text():
        time.sleep(0.01)
    assert stop_leftover(child.lock) == pid
    assert not alive(pid)


def test_a_pid_without_a_lock_is_left_alone(child_of):
    """A pid in the file of a dead child may be anybody's by now: only a held lock counts."""
    child = child_of("")
    assert end_of(child, 0.0) == 0
    child.lock.write_text(str(os.getpid()))
    assert stop_leftover(child.lock) is None


def test_logs_are_bounded(child_of, monkeypatch):
    """A log that is too long becomes the one older part, and the child goes on writing."""
    monkeypatch.setattr(children, "LOG_BYTES", 1000)
    child = child_of(
        "import sys, time\nwhile True: print('x' * 100, flush=True); time.sleep(0.001)"
    )
    child.tend(0.0)
    for _ in range(3):
        while not child.log.exists() or child.log.stat().st_size < 1000:
            time.sleep(0.01)
        child.bound_log()
    older = child.log.with_suffix(".log.1")
    assert older.exists()
    assert sorted(path.name for path in child.log.parent.iterdir()) == ["sample.log", older.name]
    while not child.log.stat().st_size:
        time.sleep(0.01)
    assert b"\0" not in child.log.read_bytes()
