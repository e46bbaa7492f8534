"""Make the region's code lists from the reference lists: industries (GB/T 4754-2017) and regions (GB/T 2260).

    python tools/import_region_lists.py [REFERENCE_FOLDER]     writes src/celadon/region/tables/*.csv
    python tools/import_region_lists.py --check [FOLDER]       writes nothing; exit 1 where a list is out of step

The reference folder is `../shared/reference/programmes`, or under CELADON_SHARED. Codes, names, sources and confidence are
copied; the columns of programmes that no region question asks for are left out. `grid_region` is ISO 3166-2's code of the
province, which the tables of grid factors are keyed by.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "src" / "celadon" / "region" / "tables"
COLUMNS = {
    "industries": ("code", "level", "name_zh", "name_en", "high_energy_sector", "source", "clause", "confidence"),
    "regions": ("code", "level", "name_zh", "name_en", "parent_code", "grid_region", "source", "clause", "confidence"),
}  # fmt: skip
# The first two digits of an administrative code -> ISO 3166-2:CN.
PROVINCES = {
    "11": "BJ", "12": "TJ", "13": "HE", "14": "SX", "15": "NM", "21": "LN", "22": "JL", "23": "HL", "31": "SH", "32": "JS",
    "33": "ZJ", "34": "AH", "35": "FJ", "36": "JX", "37": "SD", "41": "HA", "42": "HB", "43": "HN", "44": "GD", "45": "GX",
    "46": "HI", "50": "CQ", "51": "SC", "52": "GZ", "53": "YN", "54": "XZ", "61": "SN", "62": "GS", "63": "QH", "64": "NX",
    "65": "XJ", "71": "TW", "81": "HK", "82": "MO",
}  # fmt: skip


def reference_folder() -> Path:
    """Where the reference lists are."""
    named = os.environ.get("CELADON_SHARED")
    return (Path(named) if named else ROOT.parent / "shared") / "reference" / "programmes"


def text(name: str, folder: Path) -> str:
    """The list `name` as this project keeps it (KeyError for a province without a code)."""
    out = io.StringIO()
    columns = COLUMNS[name]
    writer = csv.DictWriter(out, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if name == "regions":
                row["grid_region"] = f"CN-{PROVINCES[row['code'][:2]]}"
            writer.writerow(row)
    return out.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Writes the lists, or with --check says which are out of step (exit status 1)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=reference_folder())
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args(arguments)
    stale = 0
    for name in COLUMNS:
        path, made = TABLES / f"{name}.csv", text(name, asked.folder)
        if asked.check:
            if not path.is_file() or path.read_text("utf-8") != made:
                sys.stdout.write(f"{path.relative_to(ROOT)}: out of step\n")
                stale = 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())
