"""A fact that another rulebook calculates follows that rulebook's folder while a plant stays open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plant import small
from tests.rules.books import CHAPTER, QUANTITIES, write_book

PURCHASED = QUANTITIES.replace("  fuel:", "  energy_purchased:")
TABLE = """carrier,value,unit,valid_from,valid_to,published,source,clause,confidence,note
electricity,0.5,tCO2/MWh,2020-01-01,,2020-06-01,Notice 1,A.1,verified2,
"""
DERIVED = "derived:\n  - {{quantity: carbon_emission, rulebook: {book}, of: emission}}\n"


def test_a_derived_fact_follows_a_changed_folder_while_the_plant_is_open(tmp_path: Path) -> None:
    chapter = CHAPTER.replace("fuel", "energy_purchased")
    book = write_book(tmp_path / "book", quantities=PURCHASED, chapter=chapter, table=TABLE)
    plant = small.loaded(tmp_path / "plant", plant=small.PLANT + DERIVED.format(book=book))

    def emission() -> float | None:
        found = plant.account("cn_carbon_efficiency_grade", "2024-01", quantities=("carbon_emission",))
        return next(row.value for row in found.rows if row.quantity == "carbon_emission")

    assert emission() == pytest.approx(7.44 * 0.5)  # 744 h × 10 kWh
    table = book / "tables" / "factors.csv"
    table.write_text(TABLE.replace("0.5,", "0.75,"), encoding="utf-8")
    assert emission() == pytest.approx(7.44 * 0.75)
    (book / "s1_small.py").write_text(chapter.replace("* factor", "* factor * 2"), encoding="utf-8")
    assert emission() == pytest.approx(2 * 7.44 * 0.75)
    # A folder that no longer loads answers nothing; mended, it answers again.
    (book / "s1_small.py").write_text("while True: pass\n", encoding="utf-8")
    found = plant.account("cn_carbon_efficiency_grade", "2024-01", quantities=("carbon_emission",))
    assert [row.value for row in found.rows] == [None]
    assert "rulebook.chapter-refused" in {finding.code for finding in found.findings}
    (book / "s1_small.py").write_text(chapter, encoding="utf-8")
    table.write_text(TABLE, encoding="utf-8")
    assert emission() == pytest.approx(7.44 * 0.5)
