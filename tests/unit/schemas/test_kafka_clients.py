"""A client that finds no broker leaves nothing behind."""

import gc
import logging
import threading
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from schemas.kafka_clients import connect

NOBODY = "127.0.0.1:1"


@pytest.fixture(autouse=True)
def _unlogged():
    """No record of the log that keeps an error, and with it its sockets."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def held():
    """Threads and descriptors of this process, without what only waits to be collected."""
    gc.collect()
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


def fail_to_connect(kind):
    """One attempt."""
    with pytest.raises(KafkaError):
        connect(kind, NOBODY, bootstrap_timeout_ms=200)


# A warning that is kept keeps the socket that it is about.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_nothing_is_left_of_a_client_that_finds_nobody(kind):
    """Neither a thread nor a socket, however often it is tried."""
    fail_to_connect(kind)
    before = held()
    for _ in range(3):
        fail_to_connect(kind)
    assert held() == before
