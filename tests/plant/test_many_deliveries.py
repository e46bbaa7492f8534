"""A month of many deliveries: each is explained by its own line, and those that are not shown are in one sum."""

from __future__ import annotations

from pathlib import Path

import pytest

from celadon.engine.trace import TraceNode
from tests.plant.small import loaded

_HEAD = "date,kind,fuel,amount,unit,number\n"


def _fact(node: TraceNode) -> TraceNode:
    """The first fact of the largest branch."""
    while node.kind != "fact":
        node = node.children[0]
    return node


def _explained(folder: Path, fuel: str) -> TraceNode:
    with loaded(folder, fuel=_HEAD + fuel) as plant:
        where = {"site": "works", "carrier": "diesel", "purpose": "mobile"}
        trace = plant.explain("fuel_combustion_emission", "cn_gbt_32150_2015", "2024-01", where=where)
    return _fact(trace.root)


def test_each_delivery_shows_its_own_line_and_no_other(tmp_path: Path) -> None:
    fact = _explained(
        tmp_path,
        "2024-01-10,bought,diesel,4,t,D1\n2024-01-10,bought,diesel,2.5,t,D2\n2024-01-20,bought,diesel,1,t,D3\n",
    )
    shown = [
        (leaf.value, [(line.value, line.detail["note"], line.detail["line"]) for line in leaf.children])
        for leaf in fact.children
    ]
    assert shown == [(4.0, [(4.0, "D1", 2)]), (2.5, [(2.5, "D2", 3)]), (1.0, [(1.0, "D3", 4)])]


def test_a_pile_with_stocks_shows_all_that_its_month_is_made_of(tmp_path: Path) -> None:
    fact = _explained(
        tmp_path,
        "2024-01-01,opening,diesel,1.5,t,\n2024-01-31,closing,diesel,0.5,t,\n2024-01-10,bought,diesel,4,t,D1\n",
    )
    assert fact.value == 5.0
    assert sorted(line.detail["record"] for line in fact.children) == [
        "fuel_closing_stock", "fuel_opening_stock", "fuel_purchased",
    ]  # fmt: skip


def test_what_is_not_shown_is_counted(tmp_path: Path) -> None:
    fact = _explained(
        tmp_path,
        "".join(f"2024-01-{1 + n % 28:02d},bought,diesel,{1 + n / 100},t,D{n}\n" for n in range(100)),
    )
    *shown, rest = fact.children
    assert (len(shown), rest.kind, rest.where) == (40, "rest", {"rows": "60"})
    assert fact.value == pytest.approx(149.5)  # 100 × 1 + (0 + … + 99) / 100
    assert rest.value == pytest.approx(60 + sum(range(60)) / 100)
    assert sum(leaf.value or 0 for leaf in shown) + (rest.value or 0) == pytest.approx(149.5)
