"""What a changed table or a changed formula would do to past years, before it is adopted."""

from __future__ import annotations

import shutil
from pathlib import Path

from celadon.rules.rulebook import load_rulebook
from celadon.rules.scaffold import new_rulebook
from tests.plant import small


def test_a_copy_with_a_later_row_and_another_formula_is_compared_year_by_year(tmp_path: Path) -> None:
    """January 2024 burns 1.5 + 4 − 0.5 = 5 t of diesel: × 3 = 15 t, × 3.2 = 16 t; the copy's rule doubles it to 32 t."""
    plant = small.loaded(tmp_path / "plant")
    book, copy = tmp_path / "book", tmp_path / "copy"
    new_rulebook(book, "mine", "S 1-2024", "S 1")
    load_rulebook(book).publish()
    shutil.copytree(book, copy)
    table = copy / "tables" / "factors.csv"
    row = "diesel,net,3.2,kgCO2/kg,2024-01-01,,2026-02-01,Notice 2,,verified1,\n"
    table.write_text(table.read_text("utf-8") + row, "utf-8")

    found = plant.compare(str(book), "2023..2024", after={"rulebook": str(copy)}, per="year").comparison
    (line,) = found.lines
    assert (line.quantity, line.period, line.before, line.after) == ("emission", "2024", 15.0, 16.0)
    assert [(cause.kind, cause.name, cause.difference) for cause in line.causes] == [
        ("factor", "emission_factor", 1.0)
    ]

    chapter = copy / "s5_calculation.py"
    text = chapter.read_text("utf-8")
    chapter.write_text(
        text.replace("return used * emission_factor", "return used * emission_factor * 2"), "utf-8"
    )
    (line,) = plant.compare(
        str(book), "2023..2024", after={"rulebook": str(copy)}, per="year"
    ).comparison.lines
    assert [(cause.kind, cause.difference) for cause in line.causes] == [("factor", 1.0), ("rule", 16.0)]
    assert "; carrier_emission: " in line.causes[1].detail
    assert line.causes[1].detail.endswith("used * emission_factor * 2")

    # The same row within one rulebook: what it did when it was published.
    days = {"before": {"factors_as_of": small.START.date()}, "after": {}}
    assert plant.compare(str(copy), "2024", **days).comparison.lines[0].difference == 2.0  # 2 × 5 t × 0.2
