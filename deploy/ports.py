"""Ports on 127.0.0.1 for the processes of one machine: the usual ones, or free ones near them.

A chosen port is held by a file lock until this process ends, so two starts never choose the same.

Next: deploy.local
"""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below the range the kernel gives to outgoing connections (32768 and up on Linux, 49152
# elsewhere). From within it, a client that retries against a stopped server can be given the
# server's own port, connect to itself, and keep the server from coming back.
LOWEST, HIGHEST = 15000, 32767
STEP = 100  # 8080, 8180, 8280 …: the last digits still tell which process it is

_held: dict[int, int] = {}  # port: file descriptor of its lock


def free() -> int:
    """A free port, held by this process from now on."""
    candidates = random.sample(range(LOWEST, HIGHEST), 200)
    return _first(candidates)


def near(wanted: int) -> int:
    """The wanted port, or the next free one in steps of 100; held by this process from now on."""
    return _first(list(range(wanted, HIGHEST, STEP)))


def hold(port: int) -> bool:
    """Hold this very port; False when it is taken, by a listener or by another start."""
    if port in _held:
        return True
    directory = Path(tempfile.gettempdir()) / f"usage-report-ports-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(directory / str(port), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _bind(port)
    except OSError:
        os.close(lock)
        return False
    _held[port] = lock
    return True


def release(port: int) -> None:
    """Hold it no longer."""
    os.close(_held.pop(port))


def _bind(port: int) -> None:
    with socket.socket() as probe:
        # As servers do: connections of an earlier run that still wind down are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def _first(candidates: list[int]) -> int:
    for port in candidates:
        if port not in _held and hold(port):
            return port
    raise RuntimeError(f"no free port among {len(candidates)} from {candidates[0]} on")
