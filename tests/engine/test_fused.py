"""The fused statement of a region against the step-by-step plan: every shipped rulebook, random enterprises.

A region is a plant with each enterprise a site of its own: values, shares, coverage and absence must be the same."""

from __future__ import annotations

import math
import random
from typing import Any

import duckdb
import pytest

from celadon.core.facts import Status
from celadon.core.periods import Grain
from celadon.core.quantities import Space
from celadon.engine.active import ActiveRules
from celadon.engine.region import RegionResult, account_region
from celadon.engine.region_model import FactColumn, Region
from celadon.engine.request import Request
from celadon.engine.run import Result, run, summarise
from celadon.rules.rulebook import Rulebook
from celadon.testing import Case, case_facts, case_plant, case_request
from tests.engine.test_against_oracle import BOOKS, MONTHS, unit_of, words_of

SITES = {"A": "CN-SD", "B": "CN-HB", "C": "CN-SD"}
PERIOD = "2021-01..2023-12"
Mark = tuple[Any, ...]


def reported(book: Rulebook, rng: random.Random) -> list[dict[str, Any]]:
    """Facts of three enterprises with statuses and coverage; some absent, some zero, some quantities not reported at all."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for name, spec in book.facts.items():
        for _ in range(rng.choice([0, 0, 1, 3, 5])):
            fact: dict[str, Any] = {
                "quantity": name,
                "site": rng.choice(sorted(SITES)),
                "period": rng.choice(MONTHS),
            }
            fact |= {key: rng.choice(words_of(book, key)) for key in spec.grain.keys}
            mark = tuple(fact.values())
            fact["value"] = rng.choice([None, 0, *(rng.randint(1, 10**7) / 100 for _ in range(5))])
            if not spec.adds:
                fact["value"] = rng.randint(1, 4000) / 100
            fact["unit"] = unit_of(spec.unit.text, fact.get("carrier"))
            if fact["value"] is not None:  # a column has one basis, but for what is estimated or a default
                own = ("measured", "declared")[len(name) % 2]
                fact["status"] = rng.choice([own, own, "estimated", "default"]) if fact["value"] else own
                fact["coverage"] = rng.choice([1.0, 1.0, 0.5])
            found[mark] = fact
    return list(found.values())


def answerable(book: Rulebook, rng: random.Random) -> list[dict[str, Any]]:
    """Facts in which no good is made of itself: neither plan answers those."""
    return [
        fact
        for fact in reported(book, rng)
        if "good" not in fact or str(fact["good"]) < str(fact.get("purpose", "~"))
    ]


def load(
    con: duckdb.DuckDBPyConnection, book: Rulebook, facts: list[dict[str, Any]], options: dict[str, str]
) -> tuple[Any, Request, Region]:
    """The table `facts` as the step-by-step plan reads it, and the same facts as a region."""
    body = {
        "period": PERIOD, "sites": [{"id": name, "region": region} for name, region in SITES.items()],
        "products": [{"id": word, "unit": "t"} for word in words_of(book, "product")], "options": options,
        "facts": facts, "expect": [{"quantity": name} for name in book.rules], "vouched": {"by": "constructed"},
    }  # fmt: skip
    case = Case("random", "", {}, body)
    plant, request = case_plant(case), case_request(case)
    case_facts(con, case, plant, request)
    con.execute("CREATE TABLE registry (enterprise VARCHAR, region VARCHAR)")
    con.executemany("INSERT INTO registry VALUES (?, ?)", list(SITES.items()))
    return plant, request, Region("registry", "wide", widen(con), products=plant.products)


def widen(con: duckdb.DuckDBPyConnection) -> tuple[FactColumn, ...]:
    """The table `wide` from `facts`; companions only where they say something."""
    cells = con.execute(
        "SELECT quantity, item, purpose, unit, bool_or(value IS NULL), max(estimated) > 0, max(defaulted) > 0, min(CASE WHEN value IS NOT NULL THEN coverage END) < 1 "
        "FROM facts GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    columns, selects = [], []
    for number, (quantity, item, purpose, unit, *flags) in enumerate(cells):
        test = " AND ".join(
            f"{name} = '{word}'"
            for name, word in (("quantity", quantity), ("item", item), ("purpose", purpose), ("unit", unit))
        )
        names = [
            f"{word}{number}" if flag else None
            for word, flag in zip(("absent", "estimated", "defaulted", "coverage"), flags, strict=True)
        ]
        basis = (Status.MEASURED, Status.DECLARED)[len(quantity) % 2]
        columns.append(FactColumn(quantity, item, purpose, unit, f"value {number}", *names, basis=basis))
        for name, sql in zip(
            (f"value {number}", *names),
            ("max(value)", "bool_or(value IS NULL)", "max(estimated)", "max(defaulted)", "max(coverage)"),
            strict=True,
        ):
            if name:
                selects.append(f', {sql} FILTER ({test}) AS "{name}"')
    con.execute(
        "CREATE TABLE wide AS SELECT r.enterprise, m.month"
        + "".join(selects)
        + " FROM registry AS r CROSS JOIN (SELECT CAST(unnest(generate_series(DATE '2021-01-01', DATE '2023-12-01', INTERVAL 1 MONTH)) AS DATE) AS month) AS m "
        "LEFT JOIN facts AS f ON f.site = r.enterprise AND f.time_start + INTERVAL 8 HOUR = m.month GROUP BY ALL"
    )
    return tuple(columns)


def stepwise(result: Result, by: tuple[str, ...]) -> dict[Mark, tuple[Any, ...]]:
    return {
        (row.quantity, row.item, row.purpose, tuple(row.site for _ in by), row.label): (
            row.value, row.coverage, *row.quality.shares().values(),
        )
        for row in result.rows
    }  # fmt: skip


def fused(result: RegionResult) -> dict[Mark, tuple[Any, ...]]:
    return {
        (row.quantity, row.item, row.purpose, row.group, row.label): (
            row.value, row.coverage, *row.quality.shares().values(),
        )
        for row in result.rows
    }  # fmt: skip


def same(one: dict[Mark, tuple[Any, ...]], other: dict[Mark, tuple[Any, ...]]) -> None:
    assert one.keys() == other.keys(), (sorted(set(one) - set(other))[:5], sorted(set(other) - set(one))[:5])
    for mark, left in one.items():
        right = other[mark]
        assert (left[0] is None) == (right[0] is None), (mark, left, right)
        upto = (
            None if left[0] else 2
        )  # of an exact zero the shares are a convention: the worst of what was added
        for a, b in zip(left[:upto], right[:upto], strict=True):
            assert a is None or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9), (mark, left, right)


KINDS = ("period", "month", "all as one", "year")


@pytest.mark.parametrize(("number", "name"), list(enumerate(sorted(BOOKS))))
def test_fused_equals_stepwise(number: int, name: str) -> None:
    book, rng = BOOKS[name], random.Random(f"{name} 1")
    facts = answerable(book, rng)
    options = {key: rng.choice(sorted(spec.choices)) for key, spec in book.options.items()}
    with duckdb.connect() as con:
        plant, request, region = load(con, book, facts, options)
        view = ActiveRules(book, plant, request.checked(book), summarise(con), "facts", {})
        kind = KINDS[number % len(KINDS)]
        wanted = [name for name in book.rules if kind == "month" or not view.is_property(name)]
        if kind == "all as one":
            wanted = [name for name in book.rules if (rules := view.rules_of(name)) and rules[0][0].adds]
        if not wanted:  # every rule describes; by month they are all asked
            kind, wanted = "month", list(book.rules)
        time = {"month": Grain.MONTH, "year": Grain.YEAR}.get(kind)
        space, by = (Space.ENTERPRISE, ()) if kind == "all as one" else (Space.SITE, ("enterprise",))
        asked = Request(request.period, space, time, tuple(wanted), options)
        same(stepwise(run(con, book, plant, asked), by), fused(account_region(con, book, region, asked, by)))
