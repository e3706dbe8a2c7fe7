"""Opening a client of kafka-python, so that nothing is left of one that finds nobody.

Its constructors start a thread, wait for a broker, and when none comes raise without an end to
the thread, its selector or its sockets: a worker that asks again through a long outage would run
out of descriptors. Seen with kafka-python 3.0.12.

Next: schemas.connections
"""

from collections.abc import Callable
from typing import Any, TypeVar

from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

_CONNECT_MS = 5_000

Client = TypeVar("Client")


def connect(kind: Callable[..., Client], bootstrap: str, **settings: Any) -> Client:
    """A KafkaAdminClient, KafkaConsumer or KafkaProducer; raises KafkaError after five seconds.

    `bootstrap` has addresses with commas between; `settings` are the client's own.
    """
    opened: list[KafkaNetClient] = []

    def network(**options: Any) -> KafkaNetClient:
        opened.append(KafkaNetClient(**options))
        return opened[-1]

    waits = {"bootstrap_timeout_ms": _CONNECT_MS} | settings
    try:
        return kind(bootstrap_servers=bootstrap.split(","), kafka_client=network, **waits)
    except KafkaError:
        for client in opened:
            client.close()
        raise
