"""Whatever is wrong with a rulebook becomes a Finding with its place; the good parts stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from celadon.core.findings import FindingError
from celadon.rules.check import check_rulebook
from celadon.rules.rulebook import find_rulebook, load_rulebook, shipped_ids
from celadon.testing import read_cases
from tests.rules.books import ABOUT, CHAPTER, QUANTITIES, TABLE, write_book


def codes(folder: Path) -> list[str]:
    return [finding.code for finding in check_rulebook(load_rulebook(folder))]


def test_the_small_rulebook_is_clean(tmp_path: Path) -> None:
    assert codes(write_book(tmp_path / "b")) == []


@pytest.mark.parametrize("name", shipped_ids())
def test_shipped_rulebooks_are_clean(name: str) -> None:
    errors = [str(finding) for finding in check_rulebook(load_rulebook(name)) if finding.severity == "error"]
    assert errors == []


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("fuel * factor", "fuel * fuel", "rule.dimension", "carrier_amount^2"),
        (
            'def carrier_emission(fuel, factor):\n    """Amount times factor."""\n    return fuel',
            'def carrier_emission(feul, factor):\n    """Amount times factor."""\n    return feul',
            "rule.unknown-name",
            "did you mean “fuel”",
        ),
        ('over="carrier"', 'over="product"', "rule.grain", "no product"),
        (
            'return total(carrier_emission, over="carrier")',
            "return carrier_emission",
            "rule.grain",
            "per carrier",
        ),
        (
            "return fuel * factor",
            "return fuel * factor * 2.5",
            "rulebook.chapter-refused",
            "numbers come from facts",
        ),
        ("return fuel * factor", "return fuel if fuel else factor", "rulebook.chapter-refused", "IfExp"),
        ("from celadon.rules import", "from os import", "rulebook.chapter-refused", "import from os"),
        ("return fuel * factor", "return fuel.__class__", "rulebook.chapter-refused", ".__class__"),
        ("return fuel * factor", 'return open("x")', "rulebook.chapter-refused", "open"),
        ('    """Sum over carriers."""\n', "", "rulebook.chapter-refused", "docstring"),
        ('document("S-1")', 'document("S-9")', "rulebook.chapter-refused", "not listed"),
        (
            'unit="tCO2", per="site, month", ',
            'unit="tCO3", per="site, month", ',
            "rulebook.chapter-refused",
            "tCO3",
        ),
        ('per="site, month", label', 'per="month", label', "rulebook.chapter-refused", "one place, one time"),
        ("return fuel * factor", "return fuel *", "rulebook.chapter-refused", "invalid syntax"),
        (
            "return fuel * factor",
            "return fuel * factor\n\n\nfor x in (1,):\n    pass",
            "rulebook.chapter-refused",
            "For",
        ),
    ],
)
def test_bad_chapters(tmp_path: Path, old: str, new: str, code: str, says: str) -> None:
    assert old in CHAPTER
    book = load_rulebook(write_book(tmp_path / "b", chapter=CHAPTER.replace(old, new, 1)))
    found = [finding for finding in check_rulebook(book) if finding.code == code]
    assert found, [str(finding) for finding in check_rulebook(book)]
    assert says in found[0].says("en")
    assert found[0].where.file == str(tmp_path / "b" / "s1_small.py")
    assert found[0].where.line is not None


def test_an_over_long_chapter_and_formula(tmp_path: Path) -> None:
    long_file = CHAPTER + "#" * 200_001
    with pytest.raises(FindingError) as refused:
        load_rulebook(write_book(tmp_path / "a", chapter=long_file))
    assert (
        str(refused.value.findings[0].says("en"))
        == f"bytes: {len(long_file.encode())}, and at most 200000 are read."
    )
    long_rule = CHAPTER.replace("fuel * factor", "fuel * factor" + " + fuel * factor" * 500)
    assert "rulebook.chapter-refused" in codes(write_book(tmp_path / "b", chapter=long_rule))


def test_rules_in_a_circle(tmp_path: Path) -> None:
    chapter = CHAPTER.replace(
        "def carrier_emission(fuel, factor)", "def carrier_emission(fuel, factor, emission)"
    )
    found = [
        f
        for f in check_rulebook(load_rulebook(write_book(tmp_path / "b", chapter=chapter)))
        if f.code == "rule.cycle"
    ]
    assert found[0].values["path"] == "carrier_emission → emission → carrier_emission"


def test_editions_overlap_and_gap(tmp_path: Path) -> None:
    second = CHAPTER.replace('per="site, month", label', 'per="site, month", since="{}", label')
    again = '''

@eq1.rule(unit="tCO2", per="site, month", until="{}", label={{"zh": "合计", "en": "Total"}})
def emission(carrier_emission):
    """The earlier edition."""
    return total(carrier_emission, over="carrier")
'''
    overlap = second.replace("{}", "2022-01-01") + again.format("2022-06-30")
    gap = second.replace("{}", "2022-03-01") + again.format("2021-12-31")
    right = second.replace("{}", "2022-01-01") + again.format("2021-12-31")
    assert codes(write_book(tmp_path / "a", chapter=overlap)) == ["rule.editions"]
    assert codes(write_book(tmp_path / "b", chapter=gap)) == ["rule.editions"]
    assert codes(write_book(tmp_path / "c", chapter=right)) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        (
            "diesel,3.2,kgCO2/kg,2023-01-01,,2023",
            "diesel,3.2,kgCO2/kg,2022-06-01,,2020",
            "factor-table.overlap",
            3,
        ),
        ("diesel,3.2,kgCO2/kg,2023-01-01", "diesel,3.2,kgCO2/kg,2023-03-01", "factor-table.gap", 3),
        ("diesel,3.2,", "diesel,3,2,", "factor-table.unreadable", 3),
        ("diesel,3.2,", "diesel,many,", "factor-table.value", 3),
        ("3.2,kgCO2/kg", "3.2,kgCO9/kg", "factor-table.value", 3),
        ("2023-01-01,,", "2023-13-01,,", "factor-table.value", 3),
        ("recalled", "certain", "factor-table.value", 3),
        ("valid_from", "valid_form", "factor-table.column", 1),
        ("carrier,value", "carrier,carrier", "factor-table.unreadable", 1),
    ],
)
def test_bad_tables(tmp_path: Path, old: str, new: str, code: str, line: int) -> None:
    folder = write_book(tmp_path / "b", table=TABLE.replace(old, new, 1))
    found = [finding for finding in check_rulebook(load_rulebook(folder)) if finding.code == code]
    assert found
    assert found[0].where.line == line
    assert found[0].where.file == str(folder / "tables" / "factors.csv")


def test_a_table_that_is_missing(tmp_path: Path) -> None:
    assert "rulebook.unreadable" in codes(write_book(tmp_path / "b", table=None))


@pytest.mark.parametrize(
    ("about", "quantities", "says"),
    [
        (ABOUT + "colour: green\n", QUANTITIES, "unknown key “colour”"),
        (ABOUT.replace("default: net", "default: none"), QUANTITIES, "no choice"),
        (ABOUT, QUANTITIES.replace("clause: S-1 3", 'doc: ""'), "needs the clause"),
        (ABOUT, QUANTITIES.replace("on_missing: not_applicable", "on_missing: zero"), "not zero"),
        (
            ABOUT,
            QUANTITIES.replace("on_missing: not_applicable", "due_with: exports"),
            "due_with names no fact: “exports”",
        ),
        (ABOUT, QUANTITIES.replace("unit: carrier_unit, grain", "grain", 1), "unit is missing"),
        (ABOUT, QUANTITIES.replace("clause: S-1 A", "on_gap: guess"), "latest_earlier"),
    ],
)
def test_bad_keys(tmp_path: Path, about: str, quantities: str, says: str) -> None:
    book = load_rulebook(write_book(tmp_path / "b", about=about, quantities=quantities))
    found = [finding for finding in check_rulebook(book) if finding.code == "rulebook.key"]
    assert found
    assert says in found[0].says("en")


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    quantities = QUANTITIES.replace("  export:", "  emission:")
    assert "rule.name-taken" in codes(write_book(tmp_path / "b", quantities=quantities))


@pytest.mark.parametrize("about", ["a: [", "- 1\n", "documents: []\nid: x\n"])
def test_an_unusable_about(tmp_path: Path, about: str) -> None:
    with pytest.raises(FindingError) as caught:
        load_rulebook(write_book(tmp_path / "b", about=about))
    assert caught.value.findings[0].code == "rulebook.unreadable"


def test_unknown_rulebook() -> None:
    with pytest.raises(FindingError) as caught:
        find_rulebook("cn_gbt_2589_2021")
    assert caught.value.findings[0].code == "rulebook.unknown"
    assert "cn_gbt_2589_2020" in caught.value.findings[0].says("en")


def test_a_case_that_cannot_be_read(tmp_path: Path) -> None:
    for number, text in enumerate(
        (
            "- {name: a, expect: [], vouched: {by: x}}\n",
            "- {name: a, colour: 1, expect: [1], vouched: {by: x}}\n",
        )
    ):
        folder = write_book(tmp_path / f"b{number}", cases=text)
        with pytest.raises(FindingError) as caught:
            read_cases(folder)
        assert caught.value.findings[0].code == "case.unreadable"


def test_loading_touches_no_other_rulebook_and_is_quick_to_repeat() -> None:
    first, second = load_rulebook("cn_gbt_2589_2020"), load_rulebook("cn_gbt_2589_2020")
    assert first.digest == second.digest
    assert len(first.digest) == 64
