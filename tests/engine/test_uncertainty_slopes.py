"""Uncertainties of every shipped rulebook against an evaluation that shares nothing with the engine: slopes against differences
of the row-by-row oracle in exact fractions, and widths against a Monte Carlo through it."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celadon.core.text import Text
from celadon.engine.chain_rows import ChainRows
from celadon.engine.leaves import FactLeaf
from celadon.engine.run import Result, run
from celadon.engine.uncertainty import Origin, Propagation, Uncertainty, of_result
from celadon.rules.factors import FactorRow, FactorTable
from celadon.rules.rulebook import Rulebook
from celadon.testing import Case, case_facts, case_plant, case_request
from tests.engine.oracle import Cell, Oracle
from tests.engine.test_against_oracle import BOOKS, facts_for, oracle_for, words_of

STATED = 0.02
MONTH = "2022-07"


def by_row(leaves: Sequence[FactLeaf]) -> list[list[tuple[Origin, float]]]:
    """Every fact is an origin of its own."""
    found = []
    for leaf in leaves:
        name = f"fact|{leaf.quantity}|{leaf.item}|{leaf.purpose}|{leaf.site}"
        found.append([(Origin("fact", name, Text(name, name), STATED), leaf.value or 0.0)])
    return found


def propagated(
    book: Rulebook, facts: list[dict[str, Any]], wanted: list[str]
) -> tuple[Result, list[Uncertainty | None], Propagation]:
    body = {
        "period": MONTH,
        "sites": [{"id": "A", "region": "CN-SD"}, {"id": "B", "region": "CN-HB"}],
        "products": [{"id": word, "unit": "t"} for word in words_of(book, "product")],
        "facts": facts,
        "expect": [{"quantity": name} for name in wanted],
        "vouched": {"by": "constructed"},
    }
    case = Case("random", "", {}, body)
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        result = run(con, book, plant, request)
        chain = Propagation(ChainRows(con, result.query, plant), book, result.request.options, by_row)
        return result, of_result(chain, result), chain


def with_cell(row: FactorRow, column: str, text: str) -> FactorRow:
    """The row with one cell another, or one more."""
    cells = {**row.cells, column: text}
    return replace(row, columns=tuple(cells), values=tuple(cells.values()))


def moved(
    book: Rulebook, facts: list[dict[str, Any]], by: Mapping[str, Fraction]
) -> tuple[Rulebook, list[dict[str, Any]]]:
    """The book and the facts with the named origins multiplied."""
    tables = dict(book.tables)
    changed = []
    for fact in facts:
        item = next((str(fact[k]) for k in book.facts[fact["quantity"]].grain.keys if k != "purpose"), "")
        name = f"fact|{fact['quantity']}|{item}|{fact.get('purpose', '')}|{fact['site']}"
        times = by.get(name, Fraction(1))
        value = None if fact["value"] is None else Fraction(str(fact["value"])) * times
        changed.append({**fact, "value": value})
    for name, times in by.items():
        kind, _, stands = name.partition(":")
        if kind == "factor":
            path, line, column = stands.rsplit(":", 2)
            table = path.rsplit("/", 1)[1].removesuffix(".csv")
            tables[table] = _scaled(tables[table], int(line), column, times)
    return replace(book, tables=tables), changed


def _scaled(table: FactorTable, line: int, column: str, times: Fraction) -> FactorTable:
    rows = [
        with_cell(row, column, str((row.value(column) or 0) * times)) if row.line == line else row
        for row in table.rows
    ]
    return replace(table, rows=tuple(rows))


def answers(
    book: Rulebook, facts: list[dict[str, Any]], wanted: list[tuple[str, Cell]], by: Mapping[str, Fraction]
) -> list[float]:
    """The oracle's values at cells, with origins multiplied."""
    oracle: Oracle = oracle_for(*moved(book, facts, by), declared=False)
    found = []
    for name, cell in wanted:
        value = oracle.quantity(name, cell)
        assert isinstance(value, Fraction)
        found.append(float(value / book.rules[name][0].unit.ratio))
    return found


def cells_of(
    book: Rulebook, facts: list[dict[str, Any]], result: Result, found: list[Uncertainty | None], most: int
) -> list[tuple[int, str, Cell]]:
    """Rows that have a value and an uncertainty, with the oracle's cell of each."""
    oracle, cells = oracle_for(book, facts, declared=False), []
    for number, (row, one) in enumerate(zip(result.rows, found, strict=True)):
        if one is None or not row.value:
            continue
        for cell in oracle.cells(row.quantity):
            item = " / ".join(word for key, word in cell[2] if key != "purpose")
            if (cell[0], item, dict(cell[2]).get("purpose", "")) == (row.site, row.item, row.purpose):
                cells.append((number, row.quantity, cell))
    return cells[:: max(1, len(cells) // most)][:most]


def dated(book: Rulebook, name: str, seen: set[str]) -> bool:
    """Whether a rule below has dates, which the oracle does not look at."""
    seen.add(name)
    return any(
        rule.validity.since
        or rule.validity.until
        or any(dated(book, need, seen) for need in rule.needs if need not in seen)
        for rule in book.rules.get(name, ())
    )


def changes(one: Uncertainty) -> dict[str, float]:
    """Origin -> change of the value for one part more of it."""
    return {part.origin.id: (part.sensitivity or 0.0) * one.value for part in (*one.sources, *one.exact)}


def in_month(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The facts of all months as facts of one, each key once."""
    found = {}
    for fact in facts:
        key = tuple(word for name, word in fact.items() if name not in ("period", "value", "unit"))
        found[key] = {**fact, "period": MONTH}
    return list(found.values())


@pytest.mark.parametrize("name", sorted(BOOKS))
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_slopes_are_those_of_the_oracle(name: str, data: st.DataObject) -> None:
    book = BOOKS[name]
    facts = in_month(data.draw(facts_for(book)))
    wanted = [rule for rule in book.rules if rule in book.totals] or list(book.rules)
    wanted = [rule for rule in wanted if not dated(book, rule, set())]
    if not wanted:
        return
    result, found, _ = propagated(book, facts, wanted)
    step = Fraction(1, 10**7)
    for number, quantity, cell in cells_of(book, facts, result, found, 2):
        one = found[number]
        assert one is not None
        here = answers(book, facts, [(quantity, cell)], {})[0]
        assert math.isclose(here, one.value, rel_tol=1e-9)
        slopes = changes(one)
        for origin in list(slopes)[:6]:
            up, down = (
                answers(book, facts, [(quantity, cell)], {origin: 1 + sign * step})[0] for sign in (1, -1)
            )
            slope, bend = (up - down) / (2 * float(step)), (up + down - 2 * here) / float(step)
            if abs(bend) > 1e-5 * abs(one.value):
                continue  # it stands on a limit, where there is no one slope
            assert math.isclose(slopes[origin], slope, rel_tol=1e-5, abs_tol=1e-7 * abs(one.value)), (
                quantity,
                cell,
                origin,
            )


FACTS = [
    {"quantity": "energy_consumed", "site": "A", "carrier": "diesel", "purpose": "combustion", "value": 40, "unit": "t"},
    {"quantity": "energy_consumed", "site": "A", "carrier": "raw_coal", "purpose": "combustion", "value": 70, "unit": "t"},
    {"quantity": "energy_consumed", "site": "A", "carrier": "electricity", "purpose": "", "value": 300, "unit": "MWh"},
    {"quantity": "energy_purchased", "site": "A", "carrier": "electricity", "value": 320, "unit": "MWh"},
    {"quantity": "energy_exported", "site": "A", "carrier": "electricity", "value": 20, "unit": "MWh"},
]  # fmt: skip


@pytest.mark.parametrize("name", ["cn_gbt_32150_2015", "cn_gbt_2589_2020"])
def test_widths_are_those_of_a_monte_carlo(name: str) -> None:
    """700 draws: the standard deviation is known to 1/√(2·700) = 2.7 %, and 13 % is five of those. Factors of 5 %, facts of 2 %."""
    book = BOOKS[name]
    tables = {key: _with_uncertainty(table) for key, table in book.tables.items()}
    book = replace(book, tables=tables)
    facts = [
        {**fact, "period": MONTH}
        for fact in FACTS
        if fact["quantity"] in book.facts
    ]  # fmt: skip
    result, found, _ = propagated(book, facts, list(book.totals))
    cells = cells_of(book, facts, result, found, 4)
    assert cells
    drawn = random.Random(32150)
    spread: dict[str, float] = {
        part.origin.id: part.origin.uncertainty / 2
        for one in (found[number] for number, _, _ in cells)
        for part in (one.sources if one is not None else ())
        if part.origin.uncertainty
    }
    assert {round(2 * width, 6) for width in spread.values()} == {0.02, 0.05}
    series: list[list[float]] = []
    for _ in range(700):
        by = {origin: 1 + Fraction(drawn.gauss(0, width)) for origin, width in spread.items()}
        series.append(answers(book, facts, [(quantity, cell) for _, quantity, cell in cells], by))
    for place, (number, quantity, _) in enumerate(cells):
        one = found[number]
        assert one is not None
        values = [row[place] for row in series]
        mean = math.fsum(values) / len(values)
        deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
        assert math.isclose(one.standard, deviation, rel_tol=0.13), quantity
        assert math.isclose(math.fsum(part.share for part in one.sources), 1.0, abs_tol=1e-9)


def _with_uncertainty(table: FactorTable) -> FactorTable:
    return replace(table, rows=tuple(with_cell(row, "uncertainty", "5%") for row in table.rows))
