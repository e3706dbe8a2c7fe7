"""A real broker of its own for a test: a fresh directory, a free port, and ways to hurt it.

With KAFKA_BOOTSTRAP set, fixtures may use a broker that is already there instead.

Next: tests.contract.test_kafka_server
"""

import atexit
import os
import shutil
import signal
import tempfile
from functools import cache
from pathlib import Path
from typing import Self

from deploy import ports
from deploy.kafka import KafkaServer, prepare


@cache
def _formatted() -> Path:
    """A data directory whose storage is formatted: a java of its own does that."""
    place = Path(tempfile.mkdtemp(prefix="usage-kafka-formatted-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    prepare(place, ports.free())
    return place


class KafkaProcess(KafkaServer):
    """`KafkaServer` with a free port by default, pauses, and an end of its `with` block."""

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        super().__init__(data_dir, port or ports.free())

    def start(self) -> None:
        """As every broker starts, but for the first time with storage that is formatted already."""
        if not self.data_dir.exists():
            self.data_dir.mkdir(parents=True)
            shutil.copytree(_formatted() / "log", self.data_dir / "log")
            (self.data_dir / "formatted").touch()
        super().start()

    def pause(self) -> None:
        """SIGSTOP: the broker hangs, and its sockets stay open."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def lose_tail(self, topic: str, partitions: int, *, share: float) -> None:
        """Kill -9, and this share of the bytes at the end of each partition is gone for good."""
        self.kill()
        for partition in range(partitions):
            directory = self.data_dir / "log" / f"{topic}-{partition}"
            (segment,) = directory.glob("*.log")
            os.truncate(segment, int(segment.stat().st_size * (1 - share)))
            for index in (*directory.glob("*.index"), *directory.glob("*.timeindex")):
                index.unlink()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
