"""Every shipped rulebook on random plants: the engine's one query against a row-by-row evaluation in exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from celadon.core.carriers import CARRIERS
from celadon.engine.chain import links_of, loop_of
from celadon.engine.run import Result, run
from celadon.engine.steps import item_key
from celadon.rules import expr as e
from celadon.rules.check import option_choices
from celadon.rules.expr import KeyIn
from celadon.rules.rulebook import Rulebook, load_rulebook, shipped_ids
from celadon.testing import Case, case_facts, case_plant, case_request
from tests.engine.oracle import Fact, Oracle

BOOKS = {name: load_rulebook(name) for name in shipped_ids()}
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without shrinking: a plant under a rulebook shrinks for minutes, and the cell that differs is told anyway."""
MONTHS = ("2021-02", "2021-11", "2022-07", "2023-03")
WINDOWS = {
    "2021-01..2023-12": MONTHS,
    # before the first guidelines and their first months; the national standards of 2016; the high limits of March 2022
    "2012-12..2014-01": ("2012-12", "2013-10", "2013-11", "2014-01"),
    "2015-12..2016-12": ("2015-12", "2016-05", "2016-06", "2016-12"),
    "2022-01..2022-12": ("2022-01", "2022-02", "2022-03", "2022-12"),
    # a leap February, the texts of September 2024; border adjustment's first month, the standards of 2026; years not printed yet
    "2023-12..2024-12": ("2023-12", "2024-02", "2024-08", "2024-09"),
    "2025-12..2026-12": ("2025-12", "2026-01", "2026-07", "2026-10"),
    "2033-12..2035-01": ("2033-12", "2034-01", "2034-12", "2035-01"),
}
"""Periods on both sides of the dates of editions, rows and years, with the months that facts are drawn for."""
CARRIER_WORDS = (
    "electricity",
    "heat",
    "raw_coal",
    "bituminous",
    "diesel",
    "natural_gas",
    "coke",
    "biomass",
    "fresh_water",
)
amounts = st.one_of(st.none(), st.integers(0, 10**7).map(lambda n: n / 100))


KEY_WORDS = {
    "carrier": CARRIER_WORDS,
    "gas": ("R-410A", "HFC-134a", "SF6"),
    "contract": ("green",),
    "purpose": ("combustion", "mobile", "feedstock"),
}


def words_of(book: Rulebook, key: str) -> list[str]:
    """What a fact's key may be here: what the rules test for and the tables list, and one word that neither knows."""
    if key in KEY_WORDS and key != "purpose":
        return list(KEY_WORDS[key])
    found = set(KEY_WORDS.get(key, ("bar",)))
    for rules in book.rules.values():
        for rule in rules:
            nodes = [*rule.formula.walk(), *(rule.when.walk() if rule.when is not None else ())]
            found.update(
                word for node in nodes if isinstance(node, KeyIn) and node.name == key for word in node.values
            )
    if key in chained(book).values():
        found |= {"billet", "iron"}  # a chain has more than one link
    for spec in book.factors.values():
        for column, selector in spec.keys:
            if selector.removeprefix("prefix:") == key and spec.table in book.tables:
                rows = book.tables[spec.table].rows  # keys read by prefix have tables of thousands: a few do
                found.update(row.cells[column] for row in (rows if selector == key else rows[:4]))
    return sorted(found)


def chained(book: Rulebook) -> dict[str, str]:
    """Facts that say what is made of what -> the key whose words their purpose is one of."""
    return {
        fact: item_key(book.facts[fact]) or ""
        for name in book.rules
        if (loop := loop_of(book, name))
        for fact in links_of(book, loop)
    }


def additive(book: Rulebook) -> list[str]:
    return [name for name, rules in book.rules.items() if rules[0].adds]


@st.composite
def facts_for(draw: st.DrawFn, book: Rulebook, months: tuple[str, ...] = MONTHS) -> list[dict[str, Any]]:
    """Facts of one or two sites over some months; some absent, some quantities not declared at all."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    links = chained(book)
    for name, spec in book.facts.items():
        if not draw(st.booleans()):
            continue
        for _ in range(draw(st.integers(1, 6))):
            fact: dict[str, Any] = {
                "quantity": name,
                "site": draw(st.sampled_from(["A", "B"])),
                "period": draw(st.sampled_from(months)),
            }
            for key in spec.grain.keys:
                fact[key] = draw(st.sampled_from(words_of(book, key)))
            if name in links:  # made of what stands later in the list: never in a circle
                words = words_of(book, links[name])
                at = draw(st.integers(0, len(words) - 2))
                fact |= {links[name]: words[at], "purpose": draw(st.sampled_from(words[at + 1 :]))}
            fact["value"] = draw(amounts) if spec.adds else draw(st.integers(1, 4000)) / 100
            fact["unit"] = unit_of(spec.unit.text, fact.get("carrier"))
            found[tuple(value for key, value in fact.items() if key not in ("value", "unit"))] = fact
    return list(found.values())


def own_factors(book: Rulebook) -> dict[str, str]:
    """Factors whose table the plant fills: name -> the unit it may give them in."""
    return {
        name: spec.unit.text.replace("product_unit", "t")
        for name, spec in book.factors.items()
        if spec.table in book.tables
        and not book.tables[spec.table].rows
        and "carrier_unit" not in spec.unit.text
    }


def choices(book: Rulebook) -> dict[str, str]:
    """Options under which most is computed."""
    return {name: choice for name, choice in {"scope_3": "reported"}.items() if name in book.options}


def unit_of(text: str, carrier: str | None) -> str:
    own = str(CARRIERS[carrier].unit) if carrier else ""
    return text.replace("carrier_unit", own).replace("product_unit", "t")


def answer(
    book: Rulebook,
    facts: list[dict[str, Any]],
    wanted: list[str],
    options: dict[str, str] | None = None,
    per: str | None = None,
    period: str = "2021-01..2023-12",
) -> Result:
    body = {
        "period": period,
        "per": per,
        "sites": [{"id": "A", "region": "CN-SD"}, {"id": "B", "region": "CN-HB"}],
        "products": [{"id": word, "unit": "t"} for word in words_of(book, "product")],
        "options": {**choices(book), **(options or {})},
        "factors": [
            {"factor": name, "value": 0.7, "unit": unit, "source": "own"}
            for name, unit in own_factors(book).items()
        ],
        "facts": facts,
        "expect": [{"quantity": name} for name in wanted],
        "vouched": {"by": "constructed"},
    }
    case = Case("random", "", {}, body)
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        return run(con, book, plant, request)


def oracle_for(book: Rulebook, facts: list[dict[str, Any]], *, declared: bool = True) -> Oracle:
    """The oracle of the plant of `answer`; `declared`: with its own factors where the book has no table."""
    rows = [
        Fact(
            fact["quantity"],
            next((str(fact[key]) for key in book.facts[fact["quantity"]].grain.keys if key != "purpose"), ""),
            str(fact.get("purpose", "")),
            fact["site"],
            fact["period"],
            None if fact["value"] is None else Fraction(str(fact["value"])),
            fact["unit"],
        )
        for fact in facts
    ]
    missing = own_factors(book) if declared else {}
    own = {(name, "", ""): (Fraction("0.7"), unit) for name, unit in missing.items()}
    keys = {key for spec in book.facts.values() for key in spec.grain.keys}
    words = {key: words_of(book, key) for key in keys}
    regions = {"A": "CN-SD", "B": "CN-HB"}
    return Oracle(book, rows, option_choices(book, choices(book)), regions, own, words=words)


@pytest.mark.parametrize("name", sorted(BOOKS))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(data=st.data())
def test_engine_equals_oracle(name: str, data: st.DataObject) -> None:
    book = BOOKS[name]
    period = data.draw(st.sampled_from(sorted(WINDOWS)))
    facts = data.draw(facts_for(book, WINDOWS[period]))
    wanted = additive(book)
    result = answer(book, facts, wanted, period=period)
    oracle = oracle_for(book, facts)
    for quantity in wanted:
        expected = {
            (
                site,
                " / ".join(word for key, word in keys if key != "purpose"),
                dict(keys).get("purpose", ""),
            ): value
            for (site, keys), value in oracle.answer(quantity).items()
        }
        actual = {(row.site, row.item, row.purpose): row.value for row in result.rows_of(quantity)}
        assert actual.keys() == expected.keys(), quantity
        for mark, value in expected.items():
            if value is None:
                assert actual[mark] is None, (quantity, mark)
            else:
                assert actual[mark] is not None, (quantity, mark)
                assert math.isclose(actual[mark], value, rel_tol=1e-9, abs_tol=1e-9), (
                    quantity,
                    mark,
                    actual[mark],
                    value,
                )


@pytest.mark.parametrize("name", sorted(BOOKS))
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(data=st.data())
def test_ratios_of_a_month_equal_the_oracle(name: str, data: st.DataObject) -> None:
    """What does not add is computed from its inputs of each month; chains go down to what is made of nothing."""
    book = BOOKS[name]
    wanted = [quantity for quantity in book.rules if quantity not in additive(book)]
    period = data.draw(st.sampled_from(sorted(WINDOWS)))
    facts = data.draw(facts_for(book, WINDOWS[period]))
    result, oracle = answer(book, facts, wanted, per="month", period=period), oracle_for(book, facts)
    for row in result.rows:
        unit = book.rules[row.quantity][0].unit
        if oracle.describes(row.quantity) or "_unit" in str(unit):
            continue  # a property has a row wherever there is a place, and a unit of its carrier's
        names = book.rules[row.quantity][0].grain.keys
        words = iter(row.item.split(" / "))
        keys = tuple((key, row.purpose if key == "purpose" else next(words)) for key in names)
        expected = oracle.quantity(row.quantity, (row.site, row.label, keys))
        where = (row.quantity, row.site, row.label, keys)
        if isinstance(expected, Fraction):
            assert row.value is not None, where
            assert math.isclose(row.value, float(expected / unit.ratio), rel_tol=1e-9, abs_tol=1e-9), where
        else:
            assert row.value is None, where


@pytest.mark.parametrize("name", sorted(BOOKS))
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(data=st.data())
def test_doubling_and_order(name: str, data: st.DataObject) -> None:
    """Twice the amounts give twice the additive results; the order of the facts gives nothing."""
    book = BOOKS[name]
    facts = data.draw(facts_for(book))
    wanted = additive(book)
    once = {(r.quantity, r.site, r.item, r.purpose): r.value for r in answer(book, facts, wanted)}
    turned = {(r.quantity, r.site, r.item, r.purpose): r.value for r in answer(book, facts[::-1], wanted)}
    doubled = [
        {**fact, "value": fact["value"] * 2}
        if fact["value"] is not None and book.facts[fact["quantity"]].adds
        else fact
        for fact in facts
    ]
    twice = {(r.quantity, r.site, r.item, r.purpose): r.value for r in answer(book, doubled, wanted)}
    assert once.keys() == turned.keys() == twice.keys()
    straight = {quantity for quantity in wanted if in_proportion(book, quantity)}
    for mark, value in once.items():
        assert (turned[mark] is None) == (value is None)
        if value is not None:
            assert math.isclose(turned[mark] or 0.0, value, rel_tol=1e-9, abs_tol=1e-6)
        if mark[0] in straight:
            assert (twice[mark] is None) == (value is None)
            assert math.isclose(twice[mark] or 0.0, 2 * (value or 0.0), rel_tol=1e-9, abs_tol=1e-6)


def in_proportion(book: Rulebook, name: str) -> bool:
    """Whether a quantity is in proportion to the amounts: no thresholds, counts, ratios or products of amounts below it."""
    for rule in book.rules.get(name, ()):
        nodes = [*rule.formula.walk(), *(rule.when.walk() if rule.when is not None else ())]
        if any(isinstance(node, e.Compare | e.Extreme | e.Rounded) for node in nodes):
            return False
        for node in nodes:
            if isinstance(node, e.Binary) and node.op in "*/":
                left, right = amounts_in(book, node.left), amounts_in(book, node.right)
                if (left and right) or (node.op == "/" and right):
                    return False
        if not all(in_proportion(book, ref) for ref in e.refs(rule.formula)):
            return False
    return True


def amounts_in(book: Rulebook, node: e.Node) -> bool:
    """Whether an additive fact stands somewhere below a node."""
    for name in e.refs(node):
        if name in book.facts and book.facts[name].adds:
            return True
        if any(amounts_in(book, rule.formula) for rule in book.rules.get(name, ())):
            return True
    return False
