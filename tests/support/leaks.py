"""Finds somebody's data in an answer, however it is wrapped: escaped, encoded, packed, in a file.

Next: tests.support.private_tenant
"""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from urllib.parse import quote, quote_plus

import pyarrow.parquet as pq

# As long as the shortest thing to be found would be.
_PIECE = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_DEEPEST = 2


def found_in(content: bytes, secrets: Iterable[str]) -> set[str]:
    """Those of `secrets` that are somewhere in `content`, in any case and spelling."""
    text = "\n".join(texts_in(content))
    return {secret for secret in secrets if any(spelling in text for spelling in spellings(secret))}


@cache
def spellings(secret: str) -> set[str]:
    """The ways to write it that formats have, case-folded."""
    escaped = {
        secret,
        json.dumps(secret)[1:-1],
        html.escape(secret),
        html.escape(secret, quote=False),
        secret.replace('"', '""'),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        ascii(secret)[1:-1],
    }
    return {text.casefold() for text in escaped}


def texts_in(content: bytes) -> Iterator[str]:
    """Everything that can be read in it: as it is, unpacked, and decoded, even twice."""
    for inner in (content, *_unpacked(content)):
        yield from _decoded(inner)


def _unpacked(content: bytes) -> Iterator[bytes]:
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in packed.namelist():
                yield name.encode()
                yield packed.read(name)
    elif content[:4] == b"PAR1":
        table = pq.read_table(io.BytesIO(content))
        yield repr(table.schema.metadata).encode()
        yield json.dumps(table.to_pylist(), default=str, ensure_ascii=False).encode()


def _decoded(content: bytes, depth: int = 0) -> Iterator[str]:
    yield content.decode("utf-8", "replace").casefold()
    if depth < _DEEPEST:
        for inner in _from_base64(content):
            yield from _decoded(inner, depth + 1)


def _from_base64(content: bytes) -> Iterator[bytes]:
    """What the long runs of letters would say, wherever in them base64 begins."""
    pieces = [piece.translate(_FROM_URL) for piece in _PIECE.findall(content)]
    for start in range(4):
        yield b"\n".join(_from_piece(piece[start:]) for piece in pieces)


def _from_piece(text: bytes) -> bytes:
    # A single letter at the end says nothing.
    whole = text if len(text) % 4 != 1 else text[:-1]
    return base64.b64decode(whole + b"=" * (-len(whole) % 4))
