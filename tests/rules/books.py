"""A small rulebook written to a folder, with parts replaced to see what is refused."""

from __future__ import annotations

from pathlib import Path

ABOUT = """
id: small
edition: "1"
documents:
  - {number: S-1, title: {zh: 小标准, en: Small standard}, since: 2020-01-01, until: 2024-12-31}
scope: {zh: 测试, en: a test}
totals: [emission]
options:
  basis: {label: {zh: 口径, en: Basis}, choices: {net: {zh: 净, en: net}, gross: {zh: 毛, en: gross}}, default: net}
"""
QUANTITIES = """
facts:
  fuel: {label: {zh: 燃料, en: Fuel}, unit: carrier_unit, grain: "site, month, carrier"}
  export: {label: {zh: 外送, en: Export}, unit: carrier_unit, grain: "site, month, carrier", on_missing: not_applicable, clause: S-1 3}
factors:
  factor: {label: {zh: 因子, en: Factor}, unit: tCO2/carrier_unit, table: factors, column: value, keys: {carrier: carrier}, clause: S-1 A}
"""
CHAPTER = '''"""Chapter 1."""

from celadon.rules import document, sum_of, total

standard = document("S-1")
eq1 = standard.clause("1 eq.(1)", "amount times factor")


@eq1.rule(unit="tCO2", per="site, month, carrier", label={"zh": "分品种", "en": "By carrier"})
def carrier_emission(fuel, factor):
    """Amount times factor."""
    return fuel * factor


@eq1.rule(unit="tCO2", per="site, month", label={"zh": "合计", "en": "Total"})
def emission(carrier_emission):
    """Sum over carriers."""
    return total(carrier_emission, over="carrier")
'''
TABLE = """carrier,value,unit,valid_from,valid_to,published,source,clause,confidence,note
diesel,3.1,kgCO2/kg,2020-01-01,2022-12-31,2020-06-01,Notice 1,A.1,verified2,
diesel,3.2,kgCO2/kg,2023-01-01,,2023-06-01,Notice 2,A.1,recalled,
raw_coal,,kgCO2/kg,2020-01-01,,2020-06-01,Notice 1,A.1,verified1,known gap
"""


def write_book(
    folder: Path,
    *,
    about: str = ABOUT,
    quantities: str = QUANTITIES,
    chapter: str = CHAPTER,
    table: str | None = TABLE,
    cases: str = "",
) -> Path:
    """Write the small rulebook with some of its files replaced; returns its folder."""
    (folder / "tables").mkdir(parents=True)
    (folder / "cases").mkdir()
    (folder / "about.yaml").write_text(about, "utf-8")
    (folder / "quantities.yaml").write_text(quantities, "utf-8")
    (folder / "s1_small.py").write_text(chapter, "utf-8")
    if table is not None:
        (folder / "tables" / "factors.csv").write_text(table, "utf-8")
    if cases:
        (folder / "cases" / "all.yaml").write_text(cases, "utf-8")
    return folder
