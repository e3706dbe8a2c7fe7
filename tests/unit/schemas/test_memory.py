"""Memory that a burst took is given back."""

import subprocess
import sys

# Some of what a burst makes lives on, between all that does not.
BURST = """
import os, sys, threading, time
from pathlib import Path
from schemas import memory

def resident_mib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

def burst():
    pieces = [bytes(size) for size in range(2_000, 42_000)]
    kept.append(pieces[::400])

memory._TIDY_SECONDS = 0.1
if "give back" in sys.argv:
    memory.give_back()
kept = []
before = resident_mib()
threads = [threading.Thread(target=burst) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
time.sleep(0.5)
print(resident_mib() - before)
"""
KEPT_MIB = 4 * sum(range(2_000, 42_000, 400)) >> 20


def test_what_a_burst_took_is_given_back():
    """Of a burst by several threads only what lives on is held, and as it is nearly all."""
    left = {}
    for how in ("as it is", "give back"):
        command = [sys.executable, "-c", BURST, how]
        ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        left[how] = int(ended.stdout)
    assert left["give back"] < KEPT_MIB + 10 < left["as it is"], left
