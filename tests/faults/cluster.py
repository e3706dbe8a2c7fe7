"""Three brokers instead of one, each voter and broker; every record on two of them at least.

Next: tests.faults.rows_cluster
"""

import subprocess
import sys
from dataclasses import dataclass, field

from deploy import jars, kafka, ports
from deploy.children import Child
from tests.faults.topology import Topology

NODES = (1, 2, 3)
CLUSTER_ID = "sampleClusterOfThree00"
# Every topic, the group's offsets among them, lives on three and is acknowledged by two.
REPLICATED = """\
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
unclean.leader.election.enable=false
broker.session.timeout.ms=6000
"""


@dataclass
class ThreeBrokers(Topology):
    """No proxies before Kafka: clients are told the brokers' own ports."""

    replication_factor: int = 3
    ports: dict[int, int] = field(default_factory=lambda: {node: ports.free() for node in NODES})
    controllers: dict[int, int] = field(
        default_factory=lambda: {node: ports.free() for node in NODES}
    )

    @property
    def bootstrap(self) -> str:
        """All three."""
        return ",".join(f"127.0.0.1:{port}" for port in self.ports.values())

    def bootstrap_of(self, kind: str) -> str:
        """The same for everyone."""
        return self.bootstrap

    def engines(self) -> list[Child]:
        """Three brokers, and ClickHouse."""
        *_, clickhouse = super().engines()
        return [*(self._broker(node) for node in NODES), clickhouse]

    def _broker(self, node: int) -> Child:
        place = self.root / f"kafka-{node}"
        place.mkdir(parents=True, exist_ok=True)
        voters = ",".join(f"{n}@127.0.0.1:{port}" for n, port in self.controllers.items())
        own, controller = self.ports[node], self.controllers[node]
        (place / "overrides.properties").write_text(
            f"node.id={node}\n"
            f"controller.quorum.voters={voters}\n"
            f"listeners=BROKER://127.0.0.1:{own},CONTROLLER://127.0.0.1:{controller}\n"
            f"{REPLICATED}"
        )
        self._format(place, own)
        return self._child(
            f"kafka-{node}",
            [
                *(sys.executable, "-m", "deploy.kafka", "start"),
                *("--data-dir", str(place), "--port", str(own)),
            ],
            ready=lambda: kafka.answers(own),
        )

    @staticmethod
    def _format(place, port) -> None:
        """Under one cluster's id, before `deploy.kafka` would take one of its own."""
        (place / "formatted").touch()
        kafka.prepare(place, port)
        subprocess.run(
            [
                *(jars.java(), "-cp", f"{jars.jars()}/*", "kafka.tools.StorageTool", "format"),
                *("-t", CLUSTER_ID, "-c", "server.properties"),
            ],
            cwd=place,
            capture_output=True,
            check=True,
        )
