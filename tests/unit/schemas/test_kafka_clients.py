"""A client that finds no broker leaves nothing behind."""

import subprocess
import sys

import pytest

# In a process of its own, where nobody else opens or closes anything.
ATTEMPTS = """
import gc, logging, threading
from pathlib import Path
import kafka
from kafka.errors import KafkaError
from schemas.kafka_address import KafkaAddress
from schemas.kafka_clients import connect

logging.disable()
held = []
for _ in range(4):
    try:
        connect(kafka.{kind}, KafkaAddress("127.0.0.1:1"), bootstrap_timeout_ms=200)
    except KafkaError:
        pass
    gc.collect()
    held.append((threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))))
print(len(set(held[1:])))
"""


@pytest.mark.parametrize("kind", ["KafkaAdminClient", "KafkaConsumer", "KafkaProducer"])
def test_nothing_is_left_of_a_client_that_finds_nobody(kind):
    """Neither a thread nor a socket, however often it is tried."""
    script = ATTEMPTS.format(kind=kind)
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout == "1\n"


# A broker that takes connections and never says a word.
SILENT = """
import logging, socket, time
import kafka
from kafka.errors import KafkaError
from schemas import kafka_clients
from schemas.kafka_address import KafkaAddress

logging.disable()
listening = socket.create_server(("127.0.0.1", 0))
made = []
get_connection = kafka_clients._Manager.get_connection

def remember(manager, *args, **options):
    connection = get_connection(manager, *args, **options)
    for _ in range(100):
        get_connection(manager, *args, **options)
    made.append(len(connection.init_future._errbacks or []))
    return connection

kafka_clients._Manager.get_connection = remember
port = listening.getsockname()[1]
try:
    kafka_clients.connect(
        kafka.KafkaProducer, KafkaAddress(f"127.0.0.1:{port}"), bootstrap_timeout_ms=500
    )
except KafkaError:
    print(len(made) > 0, max(made) < 20)
"""


def test_asking_again_for_a_connection_that_is_under_way_leaves_nothing():
    """A producer asks thousands of times while a broker is silent."""
    ended = subprocess.run(
        [sys.executable, "-c", SILENT], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout == "True True\n"
