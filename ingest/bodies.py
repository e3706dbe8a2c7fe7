"""The body of a request: what form it has, read within its limit, and decompressed.

No body is read, and none is unpacked, past its limit.

Next: ingest.events
"""

import zlib
from collections.abc import AsyncIterator, Callable
from enum import Enum
from typing import Any

import zstandard

from ingest.budget import Budget
from schemas.rejects import Reason, Rejected


class Form(Enum):
    """How a body holds events."""

    ONE = "one"
    MANY = "many"
    LINES = "lines"
    BINARY = "binary"


_FORMS = {
    "application/cloudevents+json": Form.ONE,
    "application/cloudevents-batch+json": Form.MANY,
    "application/json": Form.MANY,
    "application/x-ndjson": Form.LINES,
}
_CHARSETS = ("", "utf-8", "utf8", "us-ascii")

# Small bodies may unpack to this much whatever the ratio: a few alike events pack very well.
_RATIO_FREE_BYTES = 64 * 1024
# A zstd block of 4 bytes may hold 128 KiB: what one step unpacks past the limit stays bounded.
_STEP_BYTES = 512
_ZSTD_MAX_WINDOW_BYTES = 8 << 20
# Empty ones take a few bytes each, and 40 microseconds of zstd: half a minute in a large body.
MEMBERS_MAX = 1000


def form_of(content_type: str, *, has_specversion: bool) -> Form:
    """The form that the headers announce; `has_specversion`: there is a ce-specversion header.

    Raises Rejected(unsupported_media_type).
    """
    media_type, _, parameters = content_type.partition(";")
    media_type = media_type.strip().lower()
    if has_specversion and not media_type.startswith("application/cloudevents"):
        return Form.BINARY
    form = _FORMS.get(media_type)
    if form is None or _charset(parameters) not in _CHARSETS:
        raise Rejected(
            Reason.UNSUPPORTED_MEDIA_TYPE,
            f"Send one of {', '.join(_FORMS)}, in UTF-8, or CloudEvents binary mode.",
        )
    return form


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""


async def read_body(chunks: AsyncIterator[bytes], *, limit_bytes: int, budget: Budget) -> bytes:
    """The whole body; raises Rejected(body_too_large) as soon as it is above the limit.

    What has been read so far counts against `budget`; the caller gives the body's length back.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async for chunk in chunks:
            budget.take(len(chunk))
            size += len(chunk)
            parts.append(chunk)
            check_size(size, limit_bytes)
    except BaseException:
        budget.give(size)
        raise
    return parts[0] if len(parts) == 1 else b"".join(parts)


def check_size(size_bytes: int, limit_bytes: int, how: str = "unpacked") -> None:
    """Raise Rejected(body_too_large) for a body of `size_bytes` above `limit_bytes`."""
    if size_bytes > limit_bytes:
        raise Rejected(Reason.BODY_TOO_LARGE, f"A body has at most {limit_bytes} bytes, {how}.")


def unpack(body: bytes, encoding: str, *, limit_bytes: int, max_ratio: int) -> bytes:
    """`body` without its Content-Encoding.

    Raises Rejected: unsupported_media_type, bad_encoding, or body_too_large (also for a body
    more than `max_ratio` times as large as it was packed).
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in _DECOMPRESSORS:
        raise Rejected(
            Reason.UNSUPPORTED_MEDIA_TYPE, "Content-Encoding is gzip, zstd or not there."
        )
    ratio_bytes = max(_RATIO_FREE_BYTES, max_ratio * len(body))
    how = "unpacked" if limit_bytes <= ratio_bytes else f"unpacked from {len(body)}"
    try:
        return _unpack(body, _DECOMPRESSORS[encoding], min(limit_bytes, ratio_bytes), how)
    except (zlib.error, zstandard.ZstdError) as error:
        raise _broken(encoding) from error


_DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "zstd": lambda: zstandard.ZstdDecompressor(
        max_window_size=_ZSTD_MAX_WINDOW_BYTES
    ).decompressobj(),
}


def _unpack(body: bytes, new: Callable[[], Any], limit_bytes: int, how: str) -> bytes:
    """All members (gzip) or frames (zstd) of `body`, one after the other."""
    unpacked = bytearray()
    stream = new()
    members = 1
    for start in range(0, len(body), _STEP_BYTES):
        packed = body[start : start + _STEP_BYTES]
        while packed:
            if stream.eof:
                stream = new()
                members += 1
            unpacked += stream.decompress(packed)
            packed = stream.unused_data
            check_size(len(unpacked), limit_bytes, how)
            if members > MEMBERS_MAX:
                raise Rejected(Reason.BAD_ENCODING, f"A body has at most {MEMBERS_MAX} members.")
    if body and not stream.eof:
        raise Rejected(Reason.BAD_ENCODING, "The compressed body ends too early.")
    return bytes(unpacked)


def _broken(encoding: str) -> Rejected:
    return Rejected(Reason.BAD_ENCODING, f"The body is not valid {encoding}.")
