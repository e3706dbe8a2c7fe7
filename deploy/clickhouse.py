"""A ClickHouse server for one machine: chDB, the same engine as a library, behind its HTTP port.

It listens on localhost only, and is never used where CLICKHOUSE_DSN points elsewhere.
Next: deploy.clickhouse_http
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from deploy.chdb_engine import Engine, identifier
from deploy.clickhouse_exchange import Service
from deploy.clickhouse_http import ClickHouseServer
from deploy.query_log import QueryLog

THREADS = 2
MEMORY_BYTES = 4 * 1024**3
QUERIES_AT_ONCE = 64
STEP_SECONDS = 2.0

log = structlog.get_logger()


class AlreadyServed(Exception):  # noqa: N818 - it names the state of the directory
    """Another server has this data directory open."""


def serve(
    *,
    data_dir: Path,
    host: str = "127.0.0.1",
    port: int,
    user: str = "default",
    password: str = "",
    database: str = "usage",
) -> None:
    """Serve `data_dir` until SIGTERM or SIGINT; port 0 takes a free one.

    The port is written to `<data_dir>/clickhouse.port`. Raises `AlreadyServed`, or `OSError` if
    the port is taken. To be called in the main thread.
    """
    data_dir = data_dir.absolute()
    tmp = data_dir / "tmp"
    tmp.mkdir(parents=True, exist_ok=True)
    with _locked(data_dir), ThreadPoolExecutor(QUERIES_AT_ONCE) as query_threads:
        service = Service(
            engine=Engine(data_dir / "chdb", threads=THREADS, memory_bytes=MEMORY_BYTES),
            query_threads=query_threads,
            query_log=QueryLog(data_dir),
            tmp=tmp,
            user=user,
            password=password,
            database=database,
        )
        with service.engine.session() as session:
            session.run(f"CREATE DATABASE IF NOT EXISTS {identifier(database)}")
        with ClickHouseServer((host, port), service=service) as server:
            _serve_until_signal(server, data_dir / "clickhouse.port")
        service.engine.close()


@contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    with (data_dir / "clickhouse.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServed(str(data_dir)) from None
        yield


def _serve_until_signal(server: ClickHouseServer, port_file: Path) -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    listener = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    listener.start()
    new = port_file.with_suffix(".new")
    new.write_text(f"{server.server_port}\n")
    new.replace(port_file)
    log.info("clickhouse is ready", port=server.server_port, pid=os.getpid())
    stop.wait()
    server.shutdown()
    listener.join()
    _finish(server)
    log.info("clickhouse is stopped", unfinished=len(server.active))


def _finish(server: ClickHouseServer) -> None:
    """Let what is under way end by itself, then cancel it, then close its connection."""
    _wait_for_active(server)
    server.service.engine.cancel()
    _wait_for_active(server)
    # Who is still there does not take its answer.
    for connection in list(server.active.values()):
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    _wait_for_active(server)


def _wait_for_active(server: ClickHouseServer) -> None:
    deadline = time.monotonic() + STEP_SECONDS
    while server.active and time.monotonic() < deadline:
        time.sleep(0.02)


def main() -> None:
    """`python -m deploy.clickhouse --data-dir D --port P`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8123, help="0 takes a free one")
    parser.add_argument("--user", default="default")
    parser.add_argument("--password", default="")
    parser.add_argument("--database", default="usage")
    serve(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
