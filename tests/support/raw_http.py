"""HTTP as bytes on a socket: what no client library would send.

Next: schemas.connections
"""

import re
import socket
from contextlib import suppress

STATUS = re.compile(rb"HTTP/1\.1 (\d\d\d) ")
GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


def opened(place: tuple[str, int], sent: bytes = b"") -> socket.socket:
    """A connection on which some bytes have been sent."""
    connection = socket.create_connection(place, timeout=30)
    if sent:
        connection.sendall(sent)
    return connection


def answers(connection: socket.socket, seconds: float) -> tuple[list[int], bool]:
    """Statuses of what comes until silence of so many seconds, and whether it was closed."""
    connection.settimeout(seconds)
    text = b""
    try:
        while piece := connection.recv(65_536):
            text += piece
    except TimeoutError:
        return statuses(text), False
    except ConnectionError:
        pass
    return statuses(text), True


def statuses(text: bytes) -> list[int]:
    """Statuses of the answers in a text, in their order."""
    return [int(code) for code in STATUS.findall(text)]


def exchanged(place: tuple[str, int], sent: bytes, seconds: float = 1.0) -> tuple[list[int], bool]:
    """Send all of it on a connection of its own; as `answers`."""
    with opened(place) as connection:
        with suppress(ConnectionError):  # it may be closed before it has all been read
            connection.sendall(sent)
        return answers(connection, seconds)


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has closed it; what it said first is read away."""
    connection.setblocking(False)
    try:
        while connection.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True
