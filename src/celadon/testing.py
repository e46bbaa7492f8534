"""Golden cases: the worked examples beside each rulebook, and the runner that `celadon test` and the test suite use.

A case names its period, options, facts, own factors and what is expected, and who vouches for the answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb

from celadon.core.carriers import CARRIERS
from celadon.core.dataclass import dataclass
from celadon.core.facts import FACT_COLUMNS, STATUSES, Status
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.model import FactorEntry, Plant, Product, Site
from celadon.core.periods import GRAINS, Grain, Period, parse_period
from celadon.core.quantities import SPACES, Space
from celadon.core.text import Text, text_from, text_of
from celadon.core.units import UnitError, parse_unit
from celadon.engine import pieces as nested
from celadon.engine.quality import DATA, FACTORS
from celadon.engine.request import Request
from celadon.engine.run import Result, Row, run
from celadon.rules.reading import read_yaml
from celadon.rules.rulebook import Rulebook

CASE_UNREADABLE = FindingKind(
    "case.unreadable",
    Severity.ERROR,
    Text(en="Case cannot be read", zh="用例无法读取"),
    Text(en="The case cannot be run: {why}.", zh="用例无法运行：{why}。"),
    Text(
        en="Correct the case; docs/adding-a-standard.md shows the form.",
        zh="请更正用例；格式见 docs/adding-a-standard.md。",
    ),
)
DEFAULT_TOLERANCE = 1e-9
_CASE_KEYS = {
    "name",
    "vouched",
    "period",
    "per",
    "by",
    "options",
    "site",
    "sites",
    "products",
    "facts",
    "factors",
    "expect",
    "note",
    "factors_as_of",
    "equity_share",
    "exclusions",
}
_VALUE_KEYS = {
    "quantity",
    "value",
    "unit",
    "tolerance",
    "finding",
    "absent",
    *DATA,
    *FACTORS,
    "coverage",
    "absolute",
    "count",
}


@dataclass(frozen=True)
class Case:
    """One worked example as written."""

    name: str
    file: str
    vouched: Mapping[str, Any]
    body: Mapping[str, Any]


@dataclass(frozen=True)
class CaseOutcome:
    """What came of a case: the lines that failed, in words; none = passed."""

    case: Case
    failures: tuple[str, ...]
    result: Result | None

    @property
    def passed(self) -> bool:
        return not self.failures


def read_cases(folder: Path) -> list[Case]:
    """All cases of a rulebook folder, in file order (FindingError where one cannot be read)."""
    cases = []
    for path in sorted((folder / "cases").glob("*.yaml")):
        bodies = read_yaml(path)
        for body in bodies or []:
            unknown = set(body) - _CASE_KEYS
            if unknown or not body.get("expect") or not body.get("vouched"):
                why = Text("a case names vouched: and expect:", "用例须有 vouched: 与 expect:")
                if unknown:
                    listed = ", ".join(sorted(unknown))
                    why = Text(f"unknown {listed}", f"未知键 {listed}")
                raise FindingError(
                    CASE_UNREADABLE.at(Place(file=str(path), subject=str(body.get("name"))), why=why)
                )
            cases.append(Case(str(body["name"]), str(path), body["vouched"], body))
    return cases


def run_cases(book: Rulebook) -> list[CaseOutcome]:
    """Run every case of a rulebook on the engine."""
    return [run_case(book, case) for case in read_cases(book.folder)]


def _why(error: Exception) -> Text:
    if isinstance(error, KeyError):
        return Text(f"{error.args[0]} is missing", f"缺少 {error.args[0]}")
    return text_of(error)


def run_case(book: Rulebook, case: Case) -> CaseOutcome:
    """Run one case; a Finding raised by the engine can itself be what is expected."""
    try:
        plant, request = case_plant(case), case_request(case)
    except (KeyError, ValueError, TypeError) as error:
        raise FindingError(
            CASE_UNREADABLE.at(Place(file=case.file, subject=case.name), why=_why(error))
        ) from error
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        try:
            result = run(con, book, plant, request)
        except FindingError as error:
            codes = {finding.code for finding in error.findings}
            return CaseOutcome(case, tuple(_finding_failures(case, codes)), None)
    failures = [failure for item in case.body["expect"] if (failure := _failure(item, result))]
    return CaseOutcome(case, tuple(failures), result)


def case_plant(case: Case) -> Plant:
    """The plant a case describes: its sites, products and own factors."""
    period = str(case.body["period"])
    given = case.body.get("sites") or [case.body.get("site") or {}]
    sites = tuple(
        Site(
            str(item.get("id", "S")),
            text_from(str(item.get("id", "S"))),
            item.get("region"),
            str(item.get("zone", "Asia/Shanghai")),
            equity_share=float(Fraction(str(item.get("equity_share", 1)))),
        )
        for item in given
    )
    products = tuple(
        Product(str(item["id"]), text_from(str(item["id"])), str(item["unit"]))
        for item in case.body.get("products") or ()
    )
    entries = tuple(_entry(item) for item in case.body.get("factors") or ())
    exclusions = tuple(
        (str(rulebook), tuple((str(name), str(reason)) for name, reason in reasons.items()))
        for rulebook, reasons in (case.body.get("exclusions") or {}).items()
    )
    return Plant(
        f"case {period}",
        text_from(case.name),
        sites[0].zone,
        3600,
        sites,
        products,
        factors=entries,
        exclusions=exclusions,
    )


def _entry(item: Mapping[str, Any]) -> FactorEntry:
    keys = tuple(
        (str(k), str(v))
        for k, v in {**(item.get("keys") or {}), **{k: v for k, v in item.items() if k not in _ENTRY}}.items()
    )
    return FactorEntry(
        str(item["factor"]),
        float(item["value"]),
        str(item["unit"]),
        keys,
        _day(item.get("since")),
        _day(item.get("until")),
        source=str(item.get("source", "")),
        published=_day(item.get("published")),
    )


_ENTRY = {"factor", "value", "unit", "keys", "since", "until", "source", "published", "note"}


def _day(value: Any) -> date | None:
    return value if value is None or isinstance(value, date) else date.fromisoformat(str(value))


def case_request(case: Case) -> Request:
    """The request a case makes: the quantities it expects, over its period."""
    site = (case.body.get("sites") or [case.body.get("site") or {}])[0]
    period = parse_period(str(case.body["period"]), str(site.get("zone", "Asia/Shanghai")))
    wanted = tuple(dict.fromkeys(str(item["quantity"]) for item in case.body["expect"] if "quantity" in item))
    per, by = case.body.get("per"), case.body.get("by")
    return Request(
        period,
        SPACES[by] if by else Space.SITE,
        GRAINS[per] if per else None,
        wanted,
        {str(k): str(v) for k, v in (case.body.get("options") or {}).items()},
        _day(case.body.get("factors_as_of")),
    )


def case_facts(con: duckdb.DuckDBPyConnection, case: Case, plant: Plant, request: Request) -> None:
    """Create the table `facts`; a fact without a month of its own is spread as one row per month it names, or sits in the first."""
    columns = ", ".join(f"{name} {kind}" for name, kind in FACT_COLUMNS.items())
    con.execute(f"CREATE TABLE facts ({columns})")
    rows = [_fact(item, plant, request) for item in case.body.get("facts") or ()]
    if rows:  # a column at a time: row by row is a hundred times slower
        lists = ", ".join(f"unnest(?::{kind}[])" for kind in FACT_COLUMNS.values())
        con.execute(f"INSERT INTO facts SELECT {lists}", [list(column) for column in zip(*rows, strict=True)])


def _fact(item: Mapping[str, Any], plant: Plant, request: Request) -> list[Any]:
    site = plant.site(str(item.get("site", plant.sites[0].id)))
    span = parse_period(str(item["period"]), site.zone) if "period" in item else _first_month(request)
    names = [name for name in item if name not in _FACT]
    if len(names) > 1:
        raise ValueError(f"a fact has one key besides purpose: {names}")
    word = str(item[names[0]]) if names else ""
    value = None if item.get("value") is None else float(item["value"])
    unit = _own_unit(item, names, word, plant)
    if names == ["carrier"] and value is not None and word in CARRIERS:
        value, unit = _in_carrier_unit(value, unit, word)
    status = STATUSES[str(item.get("status", "absent" if value is None else "measured"))]
    size = abs(value or 0.0)
    return [
        item["quantity"],
        word,
        str(item.get("purpose", "combustion" if item["quantity"] == "energy_consumed" else "")),
        plant.enterprise,
        site.id,
        str(item.get("process", "")),
        str(item.get("meter", "")),
        _naive(span.start),
        _naive(span.end),
        value,
        unit,
        item.get("weight"),
        size if status is Status.ESTIMATED else 0.0,
        size if status is Status.DEFAULT else 0.0,
        *(0.0 for _ in nested.FACTORS),
        float(item.get("coverage", 0.0 if value is None else 1.0)),
        int(status),
        None if value is None else int(status),
        f"case:{item.get('note', '')}",
    ]


_FACT = {
    "quantity",
    "value",
    "unit",
    "purpose",
    "site",
    "process",
    "meter",
    "period",
    "status",
    "coverage",
    "weight",
    "note",
}


def _own_unit(item: Mapping[str, Any], names: list[str], word: str, plant: Plant) -> str:
    if "unit" in item:
        return str(item["unit"])
    if names == ["product"]:
        return next((product.unit for product in plant.products if product.id == word), "1")
    return "1"


def _in_carrier_unit(value: float, unit: str, carrier: str) -> tuple[float, str]:
    """As the plant's facts come: amounts in the carrier's own unit, ratios per it as they are."""
    own = CARRIERS[carrier].unit
    try:
        return float(Fraction(str(value)) * parse_unit(unit).factor_to(own)), str(own)
    except UnitError:
        return value, unit


def _first_month(request: Request) -> Period:
    return next(request.period.split(Grain.MONTH))


def _naive(moment: Any) -> Any:
    return moment.replace(tzinfo=None)


def _finding_failures(case: Case, codes: set[str]) -> Iterator[str]:
    for item in case.body["expect"]:
        if item.get("finding") not in codes:
            yield f"expected {dict(item)}, the engine refused with {', '.join(sorted(codes))}"


def _failure(item: Mapping[str, Any], result: Result) -> str | None:
    """Why an expectation does not hold, or None."""
    if "finding" in item:
        codes = {finding.code for finding in result.findings}
        return (
            None
            if item["finding"] in codes
            else f"expected finding {item['finding']}, got {', '.join(sorted(codes)) or 'none'}"
        )
    found = _matching(item, result)
    if item.get("count") is not None:
        return (
            None
            if len(found) == item["count"]
            else f"{item['quantity']}: {len(found)} rows, expected {item['count']}"
        )
    if len(found) != 1:
        return f"{item['quantity']} {_where(item)}: {len(found)} rows, expected one"
    return _compare(item, found[0])


def _matching(item: Mapping[str, Any], result: Result) -> list[Row]:
    where = _where(item)
    found = []
    for row in result.rows_of(str(item["quantity"])):
        words = {
            "site": row.site,
            "process": row.process,
            "meter": row.meter,
            "purpose": row.purpose,
            "period": row.label,
        }
        keys = [str(value) for name, value in where.items() if name not in words]
        if all(words[name] == str(value) for name, value in where.items() if name in words) and all(
            key in row.item.split(" / ") for key in keys
        ):
            found.append(row)
    return found


def _where(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in _VALUE_KEYS}


def _compare(item: Mapping[str, Any], row: Row) -> str | None:
    if item.get("absent"):
        return None if row.value is None else f"{row.quantity}: {row.value}, expected absent"
    for name, share in {**row.quality.shares(), "coverage": row.coverage}.items():
        if name in item and not math.isclose(share, float(item[name]), rel_tol=1e-9, abs_tol=1e-12):
            return f"{row.quantity}: {name} {share}, expected {item[name]}"
    if "value" not in item:
        return None
    if row.value is None:
        return f"{row.quantity}: absent, expected {item['value']}"
    unit = parse_unit(str(item.get("unit", row.unit)))
    actual = row.value * float(parse_unit(row.unit).factor_to(unit))
    expected, tolerance = float(Fraction(str(item["value"]))), float(item.get("tolerance", DEFAULT_TOLERANCE))
    absolute = float(item.get("absolute", 1e-12))
    if math.isclose(actual, expected, rel_tol=tolerance, abs_tol=absolute):
        return None
    return f"{row.quantity} {_where(item)}: {actual!r} {unit}, expected {expected!r} (difference {actual - expected:.3g})"


__all__ = ["Case", "CaseOutcome", "read_cases", "run_case", "run_cases"]
