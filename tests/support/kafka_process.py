"""A real broker of its own for a test: a fresh directory, a free port, and ways to hurt it.

With KAFKA_BOOTSTRAP set, fixtures may use a broker that is already there instead.

Next: tests.contract.test_kafka_server
"""

import os
import signal
from pathlib import Path
from typing import Self

from deploy import ports
from deploy.kafka import KafkaServer


class KafkaProcess(KafkaServer):
    """`KafkaServer` with a free port by default, pauses, and an end of its `with` block."""

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        super().__init__(data_dir, port or ports.free())

    def pause(self) -> None:
        """SIGSTOP: the broker hangs, and its sockets stay open."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
