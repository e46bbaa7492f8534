"""Carbon-efficiency grades of every enterprise: emission by an accounting rulebook, intensity, level L and efficiency K, rank.

Two rulebooks, each in its own words: one gives an enterprise's emission, the provincial code grades it. Where the region file
gives no published sector mean, the peers' own mean of the same industry division stands in, and is said to.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.periods import Period, zone
from celadon.core.text import Text
from celadon.core.units import parse_unit
from celadon.engine.backends import Backend
from celadon.engine.region import account_region
from celadon.engine.region_model import FactColumn, FactorColumn
from celadon.engine.region_model import Region as RegionTables
from celadon.engine.request import Request
from celadon.plant.keeping import unique
from celadon.region.account import RegionQuestion, amounts, answer, due_months, total_of
from celadon.region.tables import REGISTRY
from celadon.region.view import View
from celadon.rules.rulebook import Rulebook
from celadon.store.tables_out import write_table

GRADE_BOOK = "cn_carbon_efficiency_grade"
MEAN = "sector_mean_intensity"
MEAN_OF_PEERS = FindingKind(
    "grade.mean-of-peers",
    Severity.WARNING,
    Text("The peers' own mean stands in", "以同行均值代替公布均值"),
    Text(
        "The region file gives no published {name}: grade K is against the mean of the {count} industry divisions as reported here.",
        "区域文件未给出公布的 {name}：K 级以本次填报的 {count} 个行业大类均值为准。",
    ),
    Text(
        "Give the published means under `factors`, with their source.",
        "请在 `factors` 中给出公布均值及来源。",
    ),
)
NOT_GRADED = FindingKind(
    "grade.not-graded",
    Severity.NOTICE,
    Text("Enterprises without a grade", "部分企业无法评级"),
    Text(
        "{count} of {all} enterprises have no emission or no {denominator}: absence is no grade.",
        "{all} 家企业中有 {count} 家缺少排放量或{denominator}：缺失不作评级。",
    ),
    Text(
        "Load what is missing, or grade by what is reported: --option denominator=….",
        "请补充数据，或按已填报的量评级：--option denominator=…。",
    ),
)


@dataclass(frozen=True, slots=True)
class Graded:
    """One enterprise: its emission, what it is per, grades (None = absent) and its rank in the industry, 1 = least intensive."""

    enterprise: str
    name: str
    industry: str
    region: str
    emission: float | None
    denominator: float | None
    intensity: float | None
    level: int | None
    over_mean: float | None
    efficiency: int | None
    rank: int | None
    peers: int

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True)
class Grades:
    """The grades of a period. `counts`: enterprises by (level, efficiency), absent as 0; `rows` at most as many as asked for,
    the most intensive over their sector first."""

    period: Period
    book: Rulebook
    emission_book: Rulebook
    quantity: str
    units: Mapping[str, str]
    enterprises: int
    counts: Mapping[tuple[int, int], int]
    rows: tuple[Graded, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Shape `region-grade/1` without its findings."""
        return {
            "period": self.period.label, "rulebook": self.book.id, "digest": self.book.digest,
            "emission": {"rulebook": self.emission_book.id, "digest": self.emission_book.digest, "quantity": self.quantity},
            "units": dict(self.units), "enterprises": self.enterprises,
            "counts": [
                {"level": level or None, "efficiency": efficiency or None, "enterprises": count}
                for (level, efficiency), count in sorted(self.counts.items())
            ],
            "rows": [row.to_json() for row in self.rows],
        }  # fmt: skip


def grade(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    emission_book: Rulebook,
    quantity: str | None,
    period: Period,
    options: Mapping[str, str],
    most: int,
    file: Path | None = None,
    on: Backend | None = None,
) -> Grades:
    """Grade every enterprise over `period`; with `file`, write all of them there (Parquet or CSV).

    `on`: the engine that computes emissions and grades (None = the embedded one); ranks are the embedded one's.

    Raises:
        FindingError: unknown quantity or option, no reports of the period.
    """
    wanted = quantity or emission_book.totals[0]
    chosen = {**dict(dict(seen.region.options).get(book.id, ())), **options}
    over = chosen.get("denominator") or book.options["denominator"].default
    denominator = "industrial_added_value" if over == "added_value" else over
    findings, unit = _emissions(con, seen, emission_book, wanted, denominator, period, on)
    told: list[Finding] = []
    tables = _tables(con, seen, book, denominator, unit, period, told)
    request = Request(period=period, options=chosen)
    result = account_region(con, book, tables, request, ["enterprise"], into="graded", shares=False, on=on)
    outputs = {item.quantity: item for item in result.columns}
    cells = {
        "intensity": "carbon_intensity", "level": "level_grade", "over_mean": "intensity_over_sector_mean",
        "efficiency": "efficiency_grade",
    }  # fmt: skip
    listed = ", ".join(
        f"g.{outputs[name].value} AS {cell}" if name in outputs else f"NULL::DOUBLE AS {cell}"
        for cell, name in cells.items()
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE grades AS SELECT *, CASE WHEN intensity IS NOT NULL THEN rank() OVER (PARTITION BY industry, "
        "intensity IS NULL ORDER BY intensity) END AS rank, count(intensity) OVER (PARTITION BY industry) AS peers FROM ("
        f"SELECT r.enterprise AS number, r.industry, e.emission, e.denominator, {listed} "
        f"FROM {REGISTRY} AS r JOIN emitted AS e ON e.enterprise = r.enterprise LEFT JOIN graded AS g ON g.enterprise = r.enterprise)"
    )
    counts = {
        (int(level or 0), int(efficiency or 0)): int(count)
        for level, efficiency, count in con.execute(
            "SELECT level, efficiency, count(*) FROM grades GROUP BY 1, 2"
        ).fetchall()
    }
    own = {"enterprise": "r.id", "name": "r.name", "region": "r.area"}
    columns = ", ".join(f"{own.get(name, f'g.{name}')} AS {name}" for name in Graded.__slots__)
    from_both = f"AS g JOIN {REGISTRY} AS r ON r.enterprise = g.number"
    first = f"(SELECT * FROM grades ORDER BY round(over_mean, 9) DESC NULLS LAST, number LIMIT {int(most)})"
    rows = con.execute(
        f"SELECT {columns} FROM {first} {from_both} ORDER BY round(g.over_mean, 9) DESC NULLS LAST, g.number"
    ).fetchall()
    if file is not None:
        write_table(con, f"SELECT {columns} FROM grades {from_both} ORDER BY g.number", file)
    [(total, without)] = con.execute(
        "SELECT count(*), count(*) FILTER (level IS NULL) FROM grades"
    ).fetchall()
    if without:
        label = book.label(denominator) if denominator in book.facts else Text(denominator, denominator)
        told.append(NOT_GRADED.at(Place(period=period.label), count=without, all=total, denominator=label))
    for table in ("grades", "graded", "emitted", "graded_facts", "sector_mean"):
        con.execute(f"DROP TABLE IF EXISTS {table}")
    con.execute("DROP VIEW graded_registry")
    # every enterprise has its mean from the registry, so that the rulebook's own table has none is no gap
    graded = [item for item in result.findings if not (tables.factor_columns and MEAN in str(item.where))]
    units = {
        "emission": unit,
        "denominator": _unit_of(seen, book, denominator),
        "intensity": outputs["carbon_intensity"].unit,
    }
    return Grades(
        period, book, emission_book, wanted, units, total, counts, tuple(_graded(row) for row in rows),
        tuple(unique([*seen.findings, *findings, *told, *graded, *book.findings])),
    )  # fmt: skip


def _graded(row: tuple[Any, ...]) -> Graded:
    cells = dict(zip(Graded.__slots__, row, strict=True))
    grades = {
        name: None if cells[name] is None else int(cells[name]) for name in ("level", "efficiency", "rank")
    }
    return Graded(**{**cells, **grades})


def _unit_of(seen: View, book: Rulebook, quantity: str) -> str:
    """The unit it is reported in; of what nobody reports, the rulebook's."""
    own = next((value.kept_unit for value in seen.region.columns if value.quantity == quantity), None)
    return own or str(book.facts[quantity].unit)


def _emissions(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    wanted: str,
    denominator: str,
    period: Period,
    on: Backend | None,
) -> tuple[list[Finding], str]:
    """`emitted`: enterprise, emission, denominator over the period; and the unit of the emission."""
    question = RegionQuestion(period, ("enterprise",), None, (wanted,))
    result, said = answer(con, seen, book, question, "emission_answers", shares=False, on=on)
    output = total_of(result, book, wanted, period)
    known = {value.quantity: value.name for value in seen.region.columns}
    months, _ = due_months(seen, period)
    needed = [known[denominator]] if denominator in known else []
    amounts(con, seen.facts_sql(months, needed=needed or None), needed, "denominators", on)
    per = "d.amount_0" if needed else "NULL::DOUBLE"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE emitted AS SELECT d.enterprise, a.{output.value} AS emission, {per} AS denominator "
        "FROM denominators AS d LEFT JOIN emission_answers AS a ON a.enterprise = d.enterprise"
    )
    for table in ("emission_answers", "denominators"):
        con.execute(f"DROP TABLE {table}")
    return said, output.unit


def _tables(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    denominator: str,
    unit: str,
    period: Period,
    told: list[Finding],
) -> RegionTables:
    """What the grading rulebook reads: emission and denominator of each enterprise as facts of the period's first month."""
    first = period.start.astimezone(zone(period.zone)).date()
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE graded_facts AS SELECT enterprise, DATE '{first}' AS month, emission, denominator FROM emitted"
    )
    per = _unit_of(seen, book, denominator)
    columns = (
        FactColumn("carbon_emission", "", "", unit, "emission"),
        FactColumn(denominator, "", "", per, "denominator"),
    )
    given = any(entry.factor == MEAN for entry in seen.region.factors)
    usable = parse_unit(per).same_kind(
        parse_unit(str(book.facts[denominator].unit))
    )  # else `fact.unit` tells it
    con.execute(
        "CREATE OR REPLACE TEMP TABLE sector_mean AS SELECT division, sum(emission) / sum(denominator) AS mean FROM emitted "
        f"JOIN {REGISTRY} USING (enterprise) WHERE emission IS NOT NULL AND denominator > 0 GROUP BY division"
    )
    con.execute(
        "CREATE OR REPLACE TEMP VIEW graded_registry AS SELECT enterprise, region, mean AS sector_mean FROM "
        f"{REGISTRY} LEFT JOIN sector_mean USING (division)"
    )
    means: tuple[FactorColumn, ...] = ()
    if not given and usable:
        means = (FactorColumn(MEAN, "sector_mean", f"{unit}/({per})"),)
        [(count,)] = con.execute("SELECT count(mean) FROM sector_mean").fetchall()
        told.append(MEAN_OF_PEERS.at(Place(subject=MEAN), name=MEAN, count=count))
    return RegionTables(
        "graded_registry",
        "graded_facts",
        columns,
        seen.region.zone,
        seen.region.id,
        seen.region.factors,
        means,
    )
