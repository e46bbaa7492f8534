"""How little a plan holds: what the facts settle is neither joined nor grouped, and the values stay the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from celadon.core.carriers import CARRIERS
from celadon.engine.run import Result, run
from celadon.rules.rulebook import load_rulebook
from celadon.testing import Case, case_facts, case_plant, case_request
from tests.rules.books import CHAPTER, TABLE, write_book

HEAD = TABLE.splitlines()[0]
SOLID = [name for name, carrier in CARRIERS.items() if str(carrier.unit) == "t"][:13]


def ask(book: str | Path, facts: list[dict[str, Any]], wanted: str, period: str = "2021-03") -> Result:
    body = {
        "period": period,
        "expect": [{"quantity": wanted}],
        "vouched": {"by": "constructed"},
        "facts": facts,
    }
    case = Case("x", "", {}, body)
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        return run(con, load_rulebook(book), plant, request)


def fuel(carrier: str, value: float, **more: Any) -> dict[str, Any]:
    return {"quantity": "fuel", "carrier": carrier, "value": value, "unit": "t", **more}


def test_one_carrier_is_neither_joined_nor_added(tmp_path: Path) -> None:
    result = ask(write_book(tmp_path / "b"), [fuel("diesel", 10)], "emission")
    sql = result.query.sql()
    assert result.value("emission") == pytest.approx(31.0, rel=1e-15)  # 10 t x 3.1
    assert "x_factor" not in sql
    assert "3.1e0" in sql
    assert "GROUP BY" not in sql.split("r_carrier_emission_site_month AS")[1].split("_up_")[0]


@pytest.mark.parametrize(("count", "joined"), [(2, False), (12, False), (13, True)])
def test_a_few_carriers_are_chosen_among_and_many_are_joined(
    tmp_path: Path, count: int, joined: bool
) -> None:
    assert len(SOLID) == 13
    rows = [
        f"{name},{number + 1},tCO2/t,2020-01-01,,2020-06-01,N,A.1,verified2,"
        for number, name in enumerate(SOLID)
    ]
    book = write_book(tmp_path / "b", table="\n".join([HEAD, *rows, ""]))
    result = ask(book, [fuel(name, 10) for name in SOLID[:count]], "emission")
    # 10 t of each at 1, 2, 3 … t/t
    assert result.value("emission") == pytest.approx(10 * count * (count + 1) / 2, rel=1e-15)
    assert ("JOIN x_factor" in result.query.sql()) is joined


def test_a_factor_that_changes_within_the_period_is_joined_by_month(tmp_path: Path) -> None:
    facts = [fuel("diesel", 10, period="2022-12"), fuel("diesel", 10, period="2023-01")]
    result = ask(write_book(tmp_path / "b"), facts, "emission", "2022-12..2023-01")
    assert result.value("emission") == pytest.approx(10 * 3.1 + 10 * 3.2, rel=1e-15)
    assert "JOIN x_factor AS i1 USING (month, carrier)" in result.query.sql()


def test_a_gap_of_one_carrier_leaves_the_others(tmp_path: Path) -> None:
    result = ask(write_book(tmp_path / "b"), [fuel("diesel", 10), fuel("raw_coal", 5)], "carrier_emission")
    assert {row.item: row.value for row in result.rows} == {"diesel": 31.0, "raw_coal": None}


def test_a_total_over_words_nobody_knows_adds(tmp_path: Path) -> None:
    """The gases of a blend are in the table alone: no fact names them, and each blend is still one row."""
    leak = {"quantity": "refrigerant_leaked", "gas": "R-410A", "value": 1, "unit": "kg"}
    result = ask("ghg_protocol_corporate", [leak], "blend_gwp")
    found = [row.value for row in result.rows if row.item == "R-410A"]
    assert found == [pytest.approx(0.5 * 771 + 0.5 * 3740, rel=1e-12)]  # AR6, half and half


def test_equal_totals_of_one_formula_are_one_step(tmp_path: Path) -> None:
    ratio = (
        CHAPTER
        + '''

@eq1.rule(unit="1", per="site, month", adds=False, label={"zh": "比", "en": "Ratio"})
def ratio(carrier_emission):
    """A total over itself."""
    return total(carrier_emission, over="carrier") / total(carrier_emission, over="carrier")
'''
    )
    result = ask(write_book(tmp_path / "b", chapter=ratio), [fuel("diesel", 10)], "ratio")
    assert result.value("ratio") == 1.0
    assert [step.kind for step in result.query.steps].count("total") == 1


def test_a_rule_whose_rows_the_facts_do_not_hold_is_left_out(tmp_path: Path) -> None:
    other = CHAPTER.replace("sum_of, total", "key, sum_of, total").replace(
        'def emission(carrier_emission):\n    """Sum over carriers."""\n    return total(carrier_emission, over="carrier")',
        'def emission(carrier_emission, coal_emission):\n    """Both."""\n'
        '    return sum_of(total(carrier_emission, over="carrier"), total(coal_emission, over="carrier"))',
    )
    other += '''

@eq1.rule(unit="tCO2", per="site, month, carrier", when=key("carrier").isin("raw_coal"), label={"zh": "煤", "en": "Coal"})
def coal_emission(fuel, factor):
    """Coal again."""
    return fuel * factor
'''
    result = ask(write_book(tmp_path / "b", chapter=other), [fuel("diesel", 10)], "emission")
    assert result.value("emission") == pytest.approx(31.0, rel=1e-15)
    assert "coal_emission" not in result.query.sql()
    row = result.rows_of("emission")[0]
    assert (
        row.coverage == 0.5
    )  # no clause says that fuel may be lacking: what has no row is due and not covered
