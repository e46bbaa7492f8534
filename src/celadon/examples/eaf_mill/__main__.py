"""`python -m celadon.examples.eaf_mill DIR`: write the example plant into DIR."""

from __future__ import annotations

import argparse
from pathlib import Path

from celadon.examples.eaf_mill.calendar import YEARS
from celadon.examples.eaf_mill.generator import SEED, generate


def main() -> None:
    """Read the arguments and write the plant."""
    parser = argparse.ArgumentParser(prog="python -m celadon.examples.eaf_mill", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--year", type=int, choices=YEARS, default=2024)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--clean", action="store_true", help="without faults in the data")
    wanted = parser.parse_args()
    truth = generate(wanted.directory, wanted.year, wanted.seed, not wanted.clean)
    print(
        f"{wanted.directory}: {len(truth.meters)} meters, {truth.readings} readings, {len(truth.faults)} faults in truth.json"
    )


if __name__ == "__main__":
    main()
