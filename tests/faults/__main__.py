"""Runs rows of the catalogue by hand: `python -m tests.faults W1 C3 --seed 7 [--without guard]`.

Without names, all rows. Outcomes are kept as JSON in --report, and printed as a table.
Exit status 0 when every run passed (with a part left out: when every run reported it).

Next: tests.faults.catalogue
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.faults import report
from tests.faults.perform import CONTROLS, perform
from tests.faults.rows import ROWS


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--without", choices=sorted(CONTROLS))
    parser.add_argument("--report", type=Path)
    parser.add_argument("--keep", action="store_true", help="keep the runs' directories")
    given = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="usage-faults-"))
    directory = given.report or place / "report"
    good = []
    for name in given.rows or ROWS:
        outcome = perform(
            name, place / name, given.seed, directory, without=given.without, keep=given.keep
        )
        good.append(outcome.reported if given.without else not outcome.complaints())
        print(name, outcome.complaints() or "passed", file=sys.stderr, flush=True)
    report.show(directory)
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
