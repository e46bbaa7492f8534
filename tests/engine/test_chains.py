"""A rule that needs itself on another row: chains of goods of any depth, against hand arithmetic and a linear system."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celadon.core.findings import FindingError
from celadon.core.periods import parse_period
from celadon.engine.compile import compile_query
from celadon.engine.explain import explain
from celadon.engine.request import Request
from celadon.engine.run import Result, run, summarise
from celadon.engine.trace import TraceNode
from celadon.rules.check import check_rulebook
from celadon.rules.rulebook import Rulebook, load_rulebook
from celadon.testing import Case, case_facts, case_plant, case_request
from tests.rules.books import write_book

ABOUT = """
id: chain
edition: "1"
documents: [{number: S-1, title: {zh: 链, en: Chain}, since: 2020-01-01}]
scope: {zh: 测试, en: a test}
totals: [specific]
"""
QUANTITIES = """
facts:
  made: {label: {zh: 产量, en: Made}, unit: t, grain: "site, month, good"}
  own: {label: {zh: 自身排放, en: Own}, unit: tCO2e, grain: "site, month, good"}
  used: {label: {zh: 用量, en: Used}, unit: t, grain: "site, month, good, purpose", on_missing: not_applicable, clause: S-1 2}
"""
CHAPTER = '''"""Chapter 1."""

from celadon.rules import at_key, document, total

standard = document("S-1")
eq1 = standard.clause("1", "own emission and that of what it is made of, per tonne")
eq2 = standard.clause("2", "what goes into other goods")


@eq1.rule(unit="tCO2e", per="site, month, good, purpose", label={"zh": "投入", "en": "Inputs"}, adds=False)
def input_emission(used, specific):
    """Amount used times what a tonne of it carries."""
    return used * at_key(specific, good="purpose")


@eq1.rule(unit="tCO2e/t", per="site, month, good", label={"zh": "单位", "en": "Specific"}, adds=False)
def specific(own, input_emission, made):
    """Own and inputs over what was made."""
    return (own + total(input_emission, over="purpose")) / made


@eq2.rule(unit="t", per="site, month, purpose", label={"zh": "内部用量", "en": "Used inside"})
def used_inside(used):
    """Over all goods that use it."""
    return total(used, over="good")


@eq2.rule(unit="t", per="site, month, good", label={"zh": "净产量", "en": "Net output"}, adds=False)
def net_output(made, used_inside):
    """Made less used inside."""
    return made - at_key(used_inside, purpose="good")


@eq2.rule(unit="tCO2e", per="site, month, good", label={"zh": "出厂排放", "en": "Carried out"}, adds=False)
def carried_out(net_output, specific):
    """What leaves carries its specific emission."""
    return net_output * specific
'''


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    folder = write_book(
        tmp_path_factory.mktemp("chain") / "b",
        about=ABOUT,
        quantities=QUANTITIES,
        chapter=CHAPTER,
        table=None,
    )
    return load_rulebook(folder)


def facts_of(goods: Sequence[tuple[str, float, float]], used: Sequence[tuple[str, str, float]]) -> list[dict]:
    """(good, made, own emission), (good, of what, amount)."""
    facts = [{"quantity": "made", "good": good, "value": made, "unit": "t"} for good, made, _ in goods]
    facts += [{"quantity": "own", "good": good, "value": own, "unit": "tCO2e"} for good, _, own in goods]
    facts += [
        {"quantity": "used", "good": good, "purpose": of, "value": amount, "unit": "t"}
        for good, of, amount in used
    ]
    return facts


def case_of(facts: list[dict], *wanted: str) -> Case:
    expect = [{"quantity": name} for name in wanted or ("specific",)]
    return Case("made here", "", {}, {"period": "2024", "facts": facts, "expect": expect})


def answer(book: Rulebook, facts: list[dict], *wanted: str) -> Result:
    case = case_of(facts, *wanted)
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        return run(con, book, plant, request)


def test_the_rulebook_is_clean_though_a_rule_needs_itself(book: Rulebook) -> None:
    assert [str(finding) for finding in check_rulebook(book)] == []


def test_three_levels_by_hand(book: Rulebook) -> None:
    goods = [("ore", 10, 5), ("iron", 4, 10), ("billet", 4, 2), ("bar", 2, 3)]
    used = [("iron", "ore", 8), ("billet", "iron", 4), ("bar", "billet", 3), ("bar", "ore", 1)]
    result = answer(book, facts_of(goods, used))
    assert result.value("specific", item="ore") == 0.5  # 5 / 10
    assert result.value("specific", item="iron") == 3.5  # (10 + 8 * 0.5) / 4
    assert result.value("specific", item="billet") == 4.0  # (2 + 4 * 3.5) / 4
    assert result.value("specific", item="bar") == 7.75  # (3 + 3 * 4 + 1 * 0.5) / 2
    assert result.findings == ()


def test_no_chain_asks_for_no_more_steps(book: Rulebook) -> None:
    flat = answer(book, facts_of([("a", 1, 2)], []))
    assert flat.value("specific", item="a") == 2
    assert not [step.name for step in flat.query.steps if "_down_" in step.name]
    deep = answer(book, facts_of([("a", 1, 2), ("b", 1, 1)], [("b", "a", 1)]))
    levels = {step.name.rpartition("_down_")[2][:1] for step in deep.query.steps if "_down_" in step.name}
    assert levels == {"1"}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_chain_solves_the_linear_system_and_nothing_is_lost(book: Rulebook, data: st.DataObject) -> None:
    """SEE = (own + Σ used × SEE) / made is (diag(made) − used) · SEE = own; Σ net × SEE = Σ own."""
    size = data.draw(st.integers(1, 7))
    amounts = st.integers(1, 900).map(lambda n: n / 10)
    goods = [(f"g{n}", data.draw(amounts), data.draw(amounts)) for n in range(size)]
    links = [
        (f"g{n}", f"g{m}", data.draw(amounts))
        for n in range(size)
        for m in range(n)
        if data.draw(st.booleans())
    ]
    result = answer(book, facts_of(goods, links), "specific", "carried_out")
    system = np.diag([made for _, made, _ in goods])
    for good, of, amount in links:
        system[int(good[1:]), int(of[1:])] -= amount
    solved = np.linalg.solve(system, [own for _, _, own in goods])
    for (good, _, _), expected in zip(goods, solved, strict=True):
        assert result.value("specific", item=good) == pytest.approx(expected, rel=1e-9)
    carried = [row.value for row in result.rows_of("carried_out")]
    assert sum(carried) == pytest.approx(
        sum(own for _, _, own in goods), rel=1e-9, abs=1e-6 * max(map(abs, carried))
    )


def test_a_circle_is_refused(book: Rulebook) -> None:
    goods = [("bar", 1, 1), ("billet", 1, 1), ("scrap", 1, 1)]
    with pytest.raises(FindingError) as raised:
        answer(book, facts_of(goods, [("bar", "billet", 1), ("billet", "scrap", 1), ("scrap", "bar", 1)]))
    (finding,) = raised.value.findings
    assert finding.code == "chain.circle"
    assert finding.values["path"] == "bar → billet → scrap → bar"
    assert finding.values["facts"] == "used"
    assert "out of the records" in finding.fix("en")


def test_a_chain_that_is_too_long_is_refused(book: Rulebook) -> None:
    def chain(levels: int) -> list[dict]:
        goods = [(f"g{n:02}", 1, 1) for n in range(levels + 1)]
        return facts_of(goods, [(f"g{n:02}", f"g{n - 1:02}", 1) for n in range(1, levels + 1)])

    assert answer(book, chain(12)).value("specific", item="g12") == 13  # one of its own at every level
    with pytest.raises(FindingError) as raised:
        answer(book, chain(13))
    assert raised.value.findings[0].code == "chain.long"
    assert (raised.value.findings[0].values["depth"], raised.value.findings[0].values["most"]) == (13, 12)


def test_what_was_never_made_is_told_and_absent(book: Rulebook) -> None:
    result = answer(book, facts_of([("bar", 1, 1)], [("bar", "billet", 1)]))
    assert result.value("specific", item="bar") is None
    (finding,) = [item for item in result.findings if item.code == "chain.open"]
    assert (finding.values["made"], finding.values["used"]) == ("bar", "billet")


def test_a_level_without_data_leaves_absent_what_is_made_of_it(book: Rulebook) -> None:
    facts = facts_of([("ore", 1, 1), ("iron", 1, 1), ("other", 1, 1)], [("iron", "ore", 1)])
    facts = [
        fact | {"value": None} if (fact["quantity"], fact["good"]) == ("own", "ore") else fact
        for fact in facts
    ]
    result = answer(book, facts)
    assert result.value("specific", item="iron") is None
    assert result.value("specific", item="other") == 1


def test_a_trace_goes_down_the_chain(book: Rulebook) -> None:
    facts = facts_of(
        [("ore", 10, 5), ("iron", 4, 10), ("bar", 2, 1)], [("iron", "ore", 8), ("bar", "iron", 1)]
    )
    case = case_of(facts)
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        trace = explain(con, book, plant, request, "specific", {"good": "bar"})
    seen: list[tuple[str, str, float | None]] = []

    def walk(node: TraceNode) -> None:
        if node.quantity in ("specific", "own"):
            seen.append((node.quantity, node.where["good"], node.value))
        for child in node.children:
            walk(child)

    walk(trace.root)
    assert seen == [
        ("specific", "bar", 2.25),  # (1 + 1 * 3.5) / 2
        ("own", "bar", 1.0),
        ("specific", "iron", 3.5),
        ("own", "iron", 10.0),
        ("specific", "ore", 0.5),
        ("own", "ore", 5.0),
    ]


def test_other_engines_get_plain_joins(book: Rulebook) -> None:
    case = case_of(facts_of([("a", 1, 2), ("b", 1, 1)], [("b", "a", 1)]))
    plant = case_plant(case)
    request = Request(parse_period("2024", "Asia/Shanghai"), wanted=("specific",)).checked(book)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        text = compile_query(book, plant, request, summarise(con)).sql("spark")
    assert "RECURSIVE" not in text.upper()


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ('at_key(specific, good="purpose")', "specific", "rule.cycle", "input_emission → specific → input_emission"),
        ("return used * at_key(specific", "return own * at_key(specific", "rule.cycle", "input_emission → specific (good, purpose)"),
        ('good="purpose")', 'product="purpose")', "rule.grain", "at_key(specific, product=purpose)"),
        ('at_key(specific, good="purpose")', "at_key(specific)", "rulebook.chapter-refused", "which key is which"),
        ("at_key(specific, good", "at_key(specific * 2, good", "rulebook.chapter-refused", "takes one input"),
    ],
)  # fmt: skip
def test_bad_uses(tmp_path: Path, old: str, new: str, code: str, says: str) -> None:
    chapter = CHAPTER.replace(old, new, 1)
    if new.startswith("return own"):
        chapter = chapter.replace("def input_emission(used", "def input_emission(own")
    assert chapter != CHAPTER
    folder = write_book(tmp_path / "b", about=ABOUT, quantities=QUANTITIES, chapter=chapter, table=None)
    found = [finding for finding in check_rulebook(load_rulebook(folder)) if finding.code == code]
    assert found
    assert says in found[0].says("en")
