"""ln(), power() and keys read by prefix: values, units, what is refused, and what stays absent."""

from __future__ import annotations

import math
from pathlib import Path

import duckdb
import pytest

from celadon.engine.run import Result, run
from celadon.rules.check import check_rulebook
from celadon.rules.expr import FormulaError, power
from celadon.rules.rulebook import load_rulebook
from celadon.testing import Case, case_facts, case_plant, case_request
from tests.rules.books import write_book

ABOUT = """
id: small
edition: "1"
documents: [{number: S-1, title: {zh: 小标准, en: Small standard}, since: 2020-01-01}]
scope: {zh: 测试, en: a test}
totals: [speed]
"""
QUANTITIES = """
facts:
  flow: {label: {zh: 流量, en: Flow}, unit: m3/s, grain: "site, month, code", adds: false}
factors:
  share: {label: {zh: 份额, en: Share}, unit: "1", table: factors, column: value, keys: {code: "prefix:code"}, clause: S-1 A}
"""
CHAPTER = '''"""Chapter 1."""

from celadon.rules import constant, document, ln, power

standard = document("S-1")
eq1 = standard.clause("1", "the root of the flow, its logarithm, and a share to the flow")


@eq1.rule(unit="1", per="site, month, code", label={"zh": "根", "en": "Root"}, adds=False)
def root(flow):
    """Three quarters of a power, of the flow counted in litres per second."""
    return power(flow / constant("1", unit="L/s"), "3/4")


@eq1.rule(unit="1", per="site, month, code", label={"zh": "对数", "en": "Logarithm"}, adds=False)
def logarithm(flow):
    """Of the flow counted in m3 per hour."""
    return ln(flow / constant("1", unit="m3/h"))


@eq1.rule(unit="1", per="site, month, code", label={"zh": "幂", "en": "Power"}, adds=False)
def speed(flow, share):
    """A factor to a fact."""
    return power(share, flow / constant("1", unit="m3/s"))
'''
TABLE = """code,value,unit,valid_from,valid_to,published,source,clause,confidence,note
72,0.5,1,,,,S-1,A,verified1,
7208,50,%,,,,S-1,A,verified1,
7208 10,0.25,1,,,,S-1,A,verified1,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_book(tmp_path / "small", about=ABOUT, quantities=QUANTITIES, chapter=CHAPTER, table=TABLE)


def answer(folder: Path, flows: dict[str, float | None]) -> Result:
    facts = [
        {"quantity": "flow", "code": code, "value": value, "unit": "m3/s"} for code, value in flows.items()
    ]
    wanted = [{"quantity": name} for name in ("root", "logarithm", "speed")]
    case = Case(
        "made here", "", {}, {"name": "made here", "period": "2024-01", "facts": facts, "expect": wanted}
    )
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        return run(con, load_rulebook(folder), plant, request)


def test_values_are_taken_of_the_number_in_the_unit_named(folder):
    result = answer(folder, {"7208": 0.016})
    assert result.value("root") == pytest.approx(8.0)  # 16 L/s to the power 3/4
    assert result.value("logarithm") == pytest.approx(math.log(57.6))


def test_a_key_by_prefix_takes_the_longest_row(folder):
    result = answer(folder, {"7208 10 00": 2, "7208 27 00": 2, "7219": 1, "7208 10": 1, "8501": 1})
    found = {row.item: row.value for row in result.rows_of("speed")}
    assert found == {"7208 10 00": 0.0625, "7208 27 00": 0.25, "7219": 0.5, "7208 10": 0.25, "8501": None}
    gaps = [finding for finding in result.findings if finding.code == "factor.gap"]
    assert len(gaps) == 1
    assert "8501" in gaps[0].says()


@pytest.mark.parametrize("flow", [0.0, -1.0, None])
def test_what_has_no_logarithm_stays_absent(folder, flow):
    result = answer(folder, {"7208": flow})
    assert result.value("logarithm") is None
    assert result.value("root") is None


def test_units_are_refused_in_ln_and_power(tmp_path):
    for old, new in (
        ('ln(flow / constant("1", unit="m3/h"))', "ln(flow)"),
        ('power(flow / constant("1", unit="L/s"), "3/4")', 'power(flow, "3/4")'),
    ):
        name = new[:2]
        book = load_rulebook(
            write_book(
                tmp_path / name,
                about=ABOUT,
                quantities=QUANTITIES,
                chapter=CHAPTER.replace(old, new),
                table=TABLE,
            )
        )
        assert [finding.code for finding in check_rulebook(book)] == ["rule.dimension"]
        assert "takes a plain number, not m3/s" in str(next(iter(check_rulebook(book))).says())


def test_an_exponent_is_exact():
    with pytest.raises(FormulaError, match="is no input of a formula"):
        power(2, 0.75)  # type: ignore[arg-type]
    with pytest.raises(FormulaError, match="constant"):
        power(2, "three")
