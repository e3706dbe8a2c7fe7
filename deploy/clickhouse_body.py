"""Request bodies of the ClickHouse server: received whole before anything is run, then decoded.

A body that is cut short is never taken for a whole one.

Next: deploy.clickhouse_protocol
"""

from __future__ import annotations

import email.parser
import email.policy
import zlib
from collections.abc import Iterator
from typing import IO, Any, Protocol

import lz4.frame  # type: ignore[import-untyped]  # it ships no types
import zstandard

PIECE_BYTES = 256 * 1024


class BrokenBody(Exception):  # noqa: N818 - it names what was received
    """The body ended too early, or is not what its headers say."""


class Source(Protocol):
    """What a body is read from."""

    def read(self, size: int, /) -> bytes:
        """Exactly so many bytes, or fewer at the end."""

    def readline(self, size: int, /) -> bytes:
        """A line, with its end."""


def receive(source: Source, size: int | None, into: IO[bytes]) -> None:
    """Copy a body of `size` bytes, or a chunked one, into a spool; raises `BrokenBody`."""
    if size is None:
        _receive_chunks(source, into)
    else:
        _copy(source, size, into)
    into.seek(0)


def _receive_chunks(source: Source, into: IO[bytes]) -> None:
    while size := _chunk_size(source.readline(1024)):
        _copy(source, size, into)
        if source.read(2) != b"\r\n":
            raise BrokenBody
    while (trailer := source.readline(65536)) != b"\r\n":
        if not trailer:
            raise BrokenBody


def _chunk_size(line: bytes) -> int:
    digits = line.split(b";")[0].strip()
    if not line.endswith(b"\n") or not digits:
        raise BrokenBody
    return int(digits, 16)


def _copy(source: Source, size: int, into: IO[bytes]) -> None:
    while size:
        piece = source.read(min(size, PIECE_BYTES))
        if not piece:
            raise BrokenBody
        into.write(piece)
        size -= len(piece)


def decoded(raw: IO[bytes], encoding: str) -> Iterator[bytes]:
    """The pieces of a spooled body, decompressed; one that ends within a frame is `BrokenBody`."""
    if encoding in {"", "identity"}:
        while piece := raw.read(PIECE_BYTES):
            yield piece
        return
    try:
        yield from _decompressed(raw, encoding)
    except (RuntimeError, zlib.error, zstandard.ZstdError) as error:
        raise BrokenBody(str(error)) from None


def _decompressed(raw: IO[bytes], encoding: str) -> Iterator[bytes]:
    decompressor: Any = None
    while piece := raw.read(PIECE_BYTES):
        while piece:
            decompressor = decompressor or _decompressor(encoding)
            yield decompressor.decompress(piece)
            piece = b""
            # clickhouse-connect writes a frame for each block.
            if decompressor.eof:
                piece, decompressor = decompressor.unused_data or b"", None
    if decompressor is not None:
        raise BrokenBody("it ends within a compressed frame")


def _decompressor(encoding: str) -> Any:
    if encoding == "lz4":
        return lz4.frame.LZ4FrameDecompressor()
    if encoding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj()
    if encoding in {"gzip", "deflate"}:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    raise BrokenBody(f"unknown Content-Encoding {encoding}")


def form_fields(body: bytes, content_type: str) -> dict[str, str]:
    """The fields of a multipart form; a file among them is a `BrokenBody`."""
    header = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n"
    form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(header + body)
    fields = {}
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if part.get_filename() is not None:
            raise BrokenBody("external tables are not supported")
        content = part.get_payload(decode=True)
        fields[str(name)] = content.decode() if isinstance(content, bytes) else ""
    return fields
