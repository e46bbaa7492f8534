"""What `celadon rulebooks` counts: clauses, cases by who vouches for them, factor rows by confidence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from celadon.cli import main
from celadon.cli.shapes import problems
from celadon.core.text import same
from celadon.rules.coverage import ClauseCoverage, coverage
from celadon.rules.rulebook import load_rulebook, shipped_ids
from tests.rules.books import ABOUT, write_book

CASES = """
- {name: a, vouched: {by: S-1 Annex B}, period: 2023-05, expect: [{quantity: emission, value: 1}, {quantity: emission, value: 1}]}
- {name: b, vouched: {by: constructed}, period: 2023-05, expect: [{quantity: carrier_emission, value: 1}, {quantity: emission, value: 1}]}
- {name: c, vouched: {by: recomputed}, period: 2023-05, expect: [{finding: factor.gap}]}
"""
GAP = "not_modelled: [{clause: S-1 9, what: {zh: 甲, en: x}, why: {zh: 乙, en: y}}]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_book(tmp_path / "b", about=ABOUT + GAP, cases=CASES)


def test_what_is_counted(folder: Path) -> None:
    found = coverage(load_rulebook(folder))
    # Case a counts once for emission, case b once for each of the two quantities of the clause.
    assert found.clauses == (
        ClauseCoverage(
            same("S-1 1 eq.(1)"), same("amount times factor"), ("carrier_emission", "emission"), 3
        ),
    )
    assert found.to_json() == {
        "clauses": 1,
        "not_modelled": 1,
        "cases": {"published": 1, "recomputed": 1, "constructed": 1},
        "factor_rows": {"official": 0, "verified2": 1, "verified1": 1, "recalled": 1, "declared": 0},
        "recalled": 1 / 3,
    }


def test_a_rulebook_without_tables_and_cases(tmp_path: Path) -> None:
    folder = write_book(tmp_path / "b", table=None, quantities="facts: {}\n", cases="just text\n")
    assert coverage(load_rulebook(folder)).recalled is None


def test_it_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rulebooks", str(folder), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert problems(body) == []
    assert body["clauses"][0] == {
        "clause": "S-1 1 eq.(1)", "clause_label": {"zh": "S-1 1 eq.(1)", "en": "S-1 1 eq.(1)"},
        "text": "amount times factor", "says": {"zh": "amount times factor", "en": "amount times factor"}, "quantities": ["carrier_emission", "emission"], "cases": 3,
    }  # fmt: skip
    assert main(["rulebooks", str(folder), "--lang", "zh"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "条款 1 已建模，1 未建模；算例：发布 1、复算 1、自拟 1；因子行：verified2 1, verified1 1, recalled 1（未核实 33%）"
        in said
    )


def test_every_shipped_rulebook_has_its_clauses_and_cases_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rulebooks", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert problems(body) == []
    heads = {head["id"]: head["counts"] for head in body["rulebooks"]}
    assert list(heads) == shipped_ids()
    assert all(head["clauses"] and sum(head["cases"].values()) for head in heads.values())
    energy = heads["cn_gbt_2589_2020"]
    assert energy["cases"]["published"] > 0
    assert sum(energy["factor_rows"].values()) == 94  # rows of its five tables
