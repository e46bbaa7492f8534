"""Sources and clauses of factor tables in both languages: each in use, none without, said in findings and traces."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import duckdb
import pytest

from celadon.engine.explain import explain
from celadon.engine.trace import notes
from celadon.rules.factors import FactorRow
from celadon.rules.rulebook import SHIPPED, load_rulebook, shipped_ids
from celadon.rules.titles import noted, titled
from celadon.testing import Case, case_facts, case_plant, case_request, run_case

NAMES = {"ASHRAE 34"}
"""A number is its own name."""


def all_rows() -> Iterator[FactorRow]:
    return (
        row for book in shipped_ids() for table in load_rulebook(book).tables.values() for row in table.rows
    )


@pytest.fixture(scope="module")
def used() -> set[str]:
    return {words for row in all_rows() for words in (row.source, row.clause) if words}


def test_every_one_has_a_chinese_name(used: set[str]) -> None:
    worded = {words for words in used if re.search(r"[A-Za-z]{3,}", words)} - NAMES
    assert [words for words in sorted(worded) if not re.search("[\u4e00-\u9fff—]", titled(words).zh)] == []


def test_every_name_is_in_use_and_keeps_the_numbers(used: set[str]) -> None:
    """A standard's number and its year stand in both."""
    with (SHIPPED / "titles.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pieces = {piece.strip() for row in all_rows() for piece in row.note.split(";")}
    assert {row["en"] for row in rows} <= used | pieces
    assert len({row["en"] for row in rows}) == len(rows)
    for row in rows:
        numbers = re.findall(r"GB(?:/T)? [\d.]+-\d{4}|〔\d{4}〕\d+号|\(EU\) \d{4}/\d+", row["en"])
        assert all(number in row["zh"] for number in numbers), row


def test_notes_of_the_sector_texts_are_in_chinese() -> None:
    """Piece by piece; what is a number or a formula alone needs no words."""
    books = [name for name in shipped_ids() if "32151" in name or "ndrc" in name or "lime" in name]
    rows = [row for name in books for table in load_rulebook(name).tables.values() for row in table.rows]
    worded = {row.note for row in rows if re.search(r"[A-Za-z]{4,}", row.note)}
    assert {note for note in worded if not re.search("[\u4e00-\u9fff]", noted(note).zh)} == {
        "coefficient type PFPB"
    }
    assert noted("multiply by purity (98 %)").zh == "须乘以纯度（98 %）"


def test_a_finding_and_a_trace_name_the_source_in_the_reader_s_language() -> None:
    book = load_rulebook("cn_ndrc_2013_magnesium")
    body = {
        "name": "x",
        "period": "2023-01",
        "site": {"id": "S", "region": "CN-SD"},
        "facts": [{"quantity": "material_consumed", "material": "dolomite", "value": 10, "unit": "t"}],
        "expect": [{"quantity": "dolomite_emission"}],
        "vouched": {"by": "constructed"},
    }
    case = Case("x", "", {}, body)
    result = run_case(book, case).result
    assert result is not None
    told = next(item for item in result.findings if item.code == "factor.unchecked")
    assert "国家发展改革委镁冶炼企业指南（试行，2013）" in told.says("zh")
    assert "NDRC guideline, magnesium smelters (trial, 2013)" in told.says("en")
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        trace = explain(con, book, plant, request, "dolomite_emission", {})
    leaf = next(node for node in trace.root.walk() if node.quantity == "process_factor")
    assert "国家发展改革委镁冶炼企业指南（试行，2013）" in "\n".join(notes(leaf, "zh"))
    assert "NDRC guideline, magnesium smelters (trial, 2013)" in "\n".join(notes(leaf, "en"))
    assert titled("the supplier's certificate").zh == "the supplier's certificate"
