"""Account a region: one statement over its wide monthly facts, rolled up as asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Literal

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, Place
from celadon.core.model import Plant, Site
from celadon.core.periods import Grain, zone
from celadon.core.text import Text
from celadon.core.units import did_you_mean
from celadon.engine.backends import Backend, Embedded, append_rows
from celadon.engine.cells import Cells, Level
from celadon.engine.dialects import in_spark
from celadon.engine.fused import FusedPlanner
from celadon.engine.pieces import (
    FULL,
    QUALITIES,
    WHOLE,
    YES,
    ZERO,
    Piece,
)
from celadon.engine.quality import NO_QUALITY, Quality, quality_of
from celadon.engine.region_findings import region_findings
from celadon.engine.region_model import (
    REGION_COLUMN,
    REGION_PERIOD,
    Output,
    Region,
    Span,
)
from celadon.engine.region_rows import quoted
from celadon.engine.region_text import statement
from celadon.engine.request import Request
from celadon.engine.run import unit_text
from celadon.engine.variants import cited_all
from celadon.rules.rulebook import Rulebook

__all__ = ["RegionQuery", "RegionResult", "RegionRow", "account_region", "compile_region"]


@dataclass(frozen=True)
class RegionQuery:
    """The statement, and what its columns are: the `by` columns, `span_start`, and those of `outputs`."""

    text: str
    by: tuple[str, ...]
    outputs: tuple[Output, ...]
    spans: tuple[Span, ...]
    claims: tuple[tuple[str, Finding], ...]
    """Column that counts rows -> the Finding if there are any (its `count` is filled in)."""
    findings: tuple[Finding, ...]
    not_applicable: tuple[str, ...]

    def sql(self, dialect: Literal["duckdb", "spark"] = "duckdb") -> str:
        """The text in the embedded engine's dialect, or in Spark's."""
        if dialect == "duckdb":
            return self.text
        return in_spark(self.text)


@dataclass(frozen=True, slots=True)
class RegionRow:
    """One number of one group. Coverage runs from 0 to 1; absent is None."""

    quantity: str
    item: str
    purpose: str
    group: tuple[Any, ...]
    """The words of the `by` columns."""
    start: date
    label: str
    value: float | None
    unit: str
    quality: Quality
    """What it rests on; NO_QUALITY where it is absent or shares were not asked for."""
    coverage: float


@dataclass(frozen=True)
class RegionResult:
    """What came of it: rows (none where the answers were kept as a table), and what there is to say."""

    query: RegionQuery
    request: Request
    book: Rulebook
    rows: tuple[RegionRow, ...]
    findings: tuple[Finding, ...]

    @property
    def columns(self) -> tuple[Output, ...]:
        return self.query.outputs


def account_region(
    con: duckdb.DuckDBPyConnection,
    book: Rulebook,
    region: Region,
    request: Request,
    by: Sequence[str] = (),
    *,
    into: str | None = None,
    shares: bool = True,
    on: Backend | None = None,
) -> RegionResult:
    """Answer a request for groups of enterprises (`by`: columns of the registry, or `enterprise`; () = all as one).

    `into` keeps the answers as a table of that name instead of rows; without `shares` only values and coverage are computed.
    `on`: another engine that does the work.
    Raises FindingError: unknown quantity, option, registry column, or a period that cuts months.
    """
    request = request.checked(book)
    query = compile_region(book, region, request, tuple(by), regions_of(con, region, by), shares=shares)
    backend = on if on is not None else Embedded(con)
    for name in dict.fromkeys((region.registry, region.facts)):
        backend.share(con, name)
    if into is None:
        found = backend.rows(query.text)
        counted = _counts(query, found)
        rows = tuple(_rows(query, found))
    else:
        if on is None:
            con.execute(f"CREATE OR REPLACE TABLE {quoted(into)} AS {query.text}")
        else:
            columns = con.execute(f"DESCRIBE {query.text}").fetchall()
            listed = ", ".join(f"{quoted(name)} {kind}" for name, kind, *_ in columns)
            con.execute(f"CREATE OR REPLACE TABLE {quoted(into)} ({listed})")
            append_rows(con, quoted(into), on.rows(query.text))
        counts = [f"coalesce(sum({name}), 0)" for name, _ in query.claims]
        counted = (
            list(con.execute(f"SELECT {', '.join(counts)} FROM {quoted(into)}").fetchall()[0])
            if counts
            else []
        )
        rows = ()
    claimed = [
        replace(finding, values={**finding.values, "count": int(count)})
        for (_, finding), count in zip(query.claims, counted, strict=True)
        if count
    ]
    return RegionResult(query, request, book, rows, (*query.findings, *claimed))


def regions_of(con: duckdb.DuckDBPyConnection, region: Region, by: Sequence[str]) -> list[str]:
    """The words of the registry's column `region` (FindingError where a wanted column is not there)."""
    known = [str(row[0]) for row in con.execute(f"DESCRIBE SELECT * FROM {region.registry}").fetchall()]
    wanted = ["enterprise", "region", *by, *(one.column for one in region.factor_columns)]
    for name in wanted:
        if name not in known:
            hint = did_you_mean(name, known)
            raise FindingError(
                REGION_COLUMN.at(Place(subject=region.name), name=name, hint=hint, known=", ".join(known))
            )
    found = con.execute(f"SELECT DISTINCT coalesce(region, '') FROM {region.registry} ORDER BY 1").fetchall()
    return [str(row[0]) for row in found]


def compile_region(
    book: Rulebook,
    region: Region,
    request: Request,
    by: tuple[str, ...],
    regions: Sequence[str],
    *,
    shares: bool = True,
) -> RegionQuery:
    """The fused statement of a checked request. Reads no data."""
    _whole_months(request, region)
    planner = FusedPlanner(book, _stand_in(region, regions), request, region, by)
    outputs: list[tuple[str, Cells]] = []
    for name in request.wanted:
        cells = planner.at(name, Level.ASKED)
        if cells is not None:
            outputs.append((name, cells))
    return _Writer(planner, outputs, shares).query()


def _whole_months(request: Request, region: Region) -> None:
    first, last = request.period.start, request.period.end
    local = [moment.astimezone(zone(region.zone)) for moment in (first, last)]
    cut = any(moment.day != 1 or moment.hour or moment.minute or moment.second for moment in local)
    if cut or (request.time is not None and request.time > Grain.MONTH):
        asked = request.period.label if cut else str(request.time.word if request.time else "")
        raise FindingError(REGION_PERIOD.at(Place(subject=region.name), asked=asked))


def _stand_in(region: Region, regions: Sequence[str]) -> Plant:
    """A plant with a site for each region: what chooses factor rows."""
    sites = tuple(Site(word, Text(word, word), word or None, region.zone) for word in regions or [""])
    return Plant(
        region.name, Text(region.name, region.name), region.zone, 3600, sites, region.products, region.carriers,
        factors=region.factors,
    )  # fmt: skip


class _Writer:
    """Turns what was written out into one statement."""

    def __init__(self, planner: FusedPlanner, quantities: Sequence[tuple[str, Cells]], shares: bool) -> None:
        self.planner, self.quantities, self.shares = planner, quantities, shares
        self.level = Level.FINE if planner.one_level else Level.ASKED
        self.outputs: list[Output] = []
        self.columns: list[str] = []

    def query(self) -> RegionQuery:
        planner = self.planner
        for name, cells in self.quantities:
            if cells.describes and self.level is Level.ASKED:
                rule = planner.book.rules[name][0] if name in planner.book.rules else None
                if rule is not None:
                    planner.varies(rule, name, finer=False)
                continue
            for words, piece in cells.rows.items():
                self._output(name, cells, cells.row(words), piece)
        claims = list(self._claims())
        planner.edition_findings()
        asked = [(name, cells.step) for name, cells in self.quantities]
        findings = region_findings(planner, asked, planner.told_rows)
        return RegionQuery(
            statement(planner, self.level, self.columns),
            planner.by,
            tuple(self.outputs),
            tuple(self._spans()),
            tuple(claims),
            tuple(findings),
            tuple(planner.not_applicable),
        )

    def _output(self, name: str, cells: Cells, row: dict[str, str], piece: Piece) -> None:
        number = len(self.outputs)
        item = " / ".join(word for key, word in row.items() if key != "purpose")
        value, coverage = f"v{number}", f"k{number}"
        self.columns.append(f"{piece.value} AS {value}")
        there = piece.exists or YES
        covered = piece.coverage or WHOLE
        whole = covered if covered == WHOLE else f"coalesce({covered}, {ZERO})"
        self.columns.append(f"CASE WHEN {there} THEN {whole} END AS {coverage}")
        shares, fixed = {}, {}
        for place, quality in enumerate(QUALITIES if self.shares else ()):
            part = getattr(piece.shares, quality)
            if part in (ZERO, FULL):
                fixed[quality] = part
            else:
                shares[quality] = f"s{number}_{place}"
                self.columns.append(f"{part} AS {shares[quality]}")
        unit = unit_text(str(cells.unit), row.get("carrier", row.get("product", item)), self.planner.plant)
        self.outputs.append(Output(name, item, row.get("purpose", ""), unit, value, coverage, shares, fixed))

    def _claims(self) -> Iterator[tuple[str, Finding]]:
        """Columns that count rows which two rules claim, or none."""
        for number, claim in enumerate(self.planner.claims):
            counted = f"CASE WHEN {claim.test} THEN 1 ELSE 0 END"
            if claim.level is Level.FINE and self.level is Level.ASKED:
                counted = self.planner.asked.source(f"sum({self.planner.fine.column(counted)})")
            self.columns.append(f"{counted} AS q{number}")
            clauses = cited_all(claim.rules)
            yield f"q{number}", claim.kind.at(claim.rules[0].place, name=claim.name, count=0, clauses=clauses)

    def _spans(self) -> Iterator[Span]:
        period, time = self.planner.request.period, self.planner.request.time
        for span in [period] if time is None else period.split(time):
            yield Span(span.start.astimezone(zone(span.zone)).date(), span.label)


def _counts(query: RegionQuery, found: Sequence[tuple[Any, ...]]) -> list[int]:
    if not query.claims:
        return []
    return [sum(row[place - len(query.claims)] or 0 for row in found) for place in range(len(query.claims))]


def _rows(query: RegionQuery, found: Sequence[tuple[Any, ...]]) -> Iterator[RegionRow]:
    labels = {span.start: span.label for span in query.spans}
    wide = len(query.by)
    places: list[tuple[Output, int, int, dict[str, int]]] = []
    at = wide + 1
    for output in query.outputs:
        places.append((output, at, at + 1, {name: at + 2 + n for n, name in enumerate(output.shares)}))
        at += 2 + len(output.shares)
    for output, at_value, coverage, shares in places:
        of_all = _quality(output, (), {}) if not shares else None
        for row in found:
            if row[coverage] is None:
                continue
            value = row[at_value]
            quality = NO_QUALITY if value is None else of_all or _quality(output, row, shares)
            yield RegionRow(
                output.quantity, output.item, output.purpose, row[:wide], row[wide], labels[row[wide]], value,
                output.unit, quality, row[coverage],
            )  # fmt: skip


def _quality(output: Output, row: Sequence[Any], shares: dict[str, int]) -> Quality:
    if not output.shares and not output.fixed:
        return NO_QUALITY
    rests = [row[shares[name]] if name in shares else output.fixed.get(name) for name in QUALITIES]
    return quality_of([None if one is None else float(one) for one in rests])
