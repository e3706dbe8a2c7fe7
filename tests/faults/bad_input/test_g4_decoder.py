"""The record decoder on good records that were damaged: bytes flipped, cut, doubled, grown deep.

Next: aggregators.decode
"""

import random
from collections import Counter

import pytest

from aggregators.decode import decode
from tests.support.fault_report import record
from tests.support.histories import BAD_LINES, delivered, line
from tests.support.histories import record as read

SEED = 20_260_531
SHORT_RUNS, LONG_RUNS = 400, 5_000
SPLICES = (
    b"\n",
    b"\r",
    b"\x00",
    b"\xef\xbb\xbf",
    b'"',
    b"\\",
    b"\\ud800",
    b"{",
    b"}",
    b"[" * 5_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b",",
    b":",
    b"null",
    b"NaN",
    b"1" * 5_000,
    b"1e999999999",
    b'"tenant":"other",',
    b"\xff\xfe{\x00",
    b"\xed\xa0\x80",
)

pytestmark = pytest.mark.timeout(900)


def damaged(rng: random.Random, text: bytes) -> bytes:
    """The text with one thing done to it."""
    begin, end = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    how = rng.randrange(6)
    if how == 0:
        return text[:begin] + bytes([rng.randrange(256)]) + text[begin + 1 :]
    if how == 1:
        return text[:begin] + text[end:]
    if how == 2:
        return text[:end] + text[begin:]
    if how == 3:
        return text[:begin]
    if how == 4:
        return rng.randbytes(rng.randrange(40)) + text[begin:]
    return text[:begin] + rng.choice(SPLICES) + text[begin:]


def a_line(rng: random.Random) -> bytes:
    """A good line, a line known to be bad, or one damaged up to three times."""
    text = rng.choice((line(id=str(rng.randrange(9))), line(user_id="é\u2028"), *BAD_LINES[:2]))
    for _ in range(rng.randrange(4)):
        text = damaged(rng, text)
    return text


def verdicts(records):
    """By (position, seq): the event that was decoded, or the bytes of a dead line."""
    lines = decode(records)
    positions = [each.position for each in records]
    good = lines.events.drop("record", "position", "partition", "user_day")
    places = [
        (positions[number], seq) for number, seq in lines.events.select("record", "seq").rows()
    ]
    dead = [((each.position, each.seq), each.raw) for each in lines.dead]
    found = [*zip(places, good.drop("seq").rows(), strict=True), *dead]
    assert not [place for place, times in Counter(place for place, _ in found).items() if times > 1]
    return dict(found)


def try_batch(rng: random.Random) -> int:
    """Decode some records together, then each line by itself; how many lines there were."""
    values = [
        b"\n".join(a_line(rng) for _ in range(rng.randint(1, 6))) for _ in range(rng.randint(1, 4))
    ]
    batch = [
        read(delivered(offset, [value]))
        for offset, value in enumerate(values)
        if value.strip(b"\n")
    ]
    found = verdicts(batch)
    lines = {
        (each.position, seq): text
        for each in batch
        for seq, text in enumerate(each.value.removesuffix(b"\n").split(b"\n"))
    }
    assert found.keys() == lines.keys()
    for place, text in lines.items():
        alone = verdicts([read(delivered(0, [text]))])
        assert list(alone.values()) == [found[place]], text
    return len(lines)


@pytest.mark.parametrize("runs", [SHORT_RUNS, pytest.param(LONG_RUNS, marks=pytest.mark.faults)])
def test_g4_decoder_judges_each_damaged_line_by_itself(runs):
    """Nothing raises, every line is an event or dead, and its company changes nothing."""
    rng = random.Random(SEED)
    lines = sum(try_batch(rng) for _ in range(runs))
    figures = {"decoder": {"seed": SEED, "batches": runs, "lines": lines}}
    record("G4", figures=figures, server_errors=0, crashes=0)
    assert lines > runs
