"""What a fused statement reads: a region's facts, a column each, and its months and spans."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from celadon.core.facts import Status
from celadon.core.findings import Place
from celadon.core.model import Plant
from celadon.core.periods import Grain, zone
from celadon.core.units import UnitError, parse_unit, recorded_factor
from celadon.engine.active import ActiveRules, factor_varies
from celadon.engine.cells import Cells, Level, Words
from celadon.engine.inputs import FACT_UNIT
from celadon.engine.layers import Layers
from celadon.engine.lookup import declared_unit
from celadon.engine.pieces import (
    DATA,
    FULL,
    WHOLE,
    YES,
    ZERO,
    Piece,
    Shares,
    number,
)
from celadon.engine.region_model import REGION_VARIES, FactColumn, Region
from celadon.engine.request import Request
from celadon.engine.steps import Step, Summary, item_key
from celadon.rules.rule import Rule
from celadon.rules.rulebook import FactSpec, Rulebook


class RegionRows(ActiveRules):
    """The columns of the facts' rows (fine) and of what is asked, made as they are needed."""

    def __init__(
        self, book: Rulebook, plant: Plant, request: Request, region: Region, by: tuple[str, ...]
    ) -> None:
        found = tuple((one.quantity, one.item, one.purpose, one.unit) for one in region.columns)
        super().__init__(book, plant, request, Summary(found), region.facts, {})
        self.region, self.by = region, by
        self.fine, self.asked = Layers("c"), Layers("a")
        self.one_level = "enterprise" in by and request.time is Grain.MONTH
        self.told: set[tuple[str, str]] = set()
        self.fact_columns: dict[str, list[FactColumn]] = {}
        for column in region.columns:
            self.fact_columns.setdefault(column.quantity, []).append(column)

    def layers(self, level: Level) -> Layers:
        return self.fine if level is Level.FINE else self.asked

    # -- time ------------------------------------------------------------------------------------------------------

    def month(self) -> str:
        """On the fine rows: the first day of the row's month."""
        return self.fine.source("f.month")

    def month_seconds(self) -> str:
        """On the fine rows: how long the row's month is."""
        lengths: dict[float, dict[date, None]] = {}
        for month in self.months:
            lengths.setdefault((month.end - month.start).total_seconds(), {})[month.day] = None
        whens = " ".join(
            f"WHEN {self.month()} IN ({', '.join(day_sql(day) for day in days)}) THEN {number(seconds)}"
            for seconds, days in lengths.items()
        )
        return number(next(iter(lengths))) if len(lengths) == 1 else self.fine.column(f"CASE {whens} END")

    def span_days(self) -> list[date]:
        """The first days of the asked spans, in the region's zone."""
        period = self.request.period
        spans = [period] if self.request.time is None else period.split(self.request.time)
        return [span.start.astimezone(zone(period.zone)).date() for span in spans]

    def span_start(self) -> str:
        """On the fine rows: the first day of the asked span that the row's month falls in."""
        if self.request.time is Grain.MONTH:
            return self.month()
        days = self.span_days()
        whens = [
            f"WHEN {self.month()} < {day_sql(edge)} THEN {day_sql(start)}" for start, edge in pairwise(days)
        ]
        last = day_sql(days[-1])
        return self.fine.column(f"CASE {' '.join(whens)} ELSE {last} END") if whens else last

    def starts(self, level: Level) -> str:
        """The first day of a row's span."""
        if level is Level.FINE:
            return self.month()
        return "span_start" if len(self.span_days()) > 1 else day_sql(self.span_days()[0])

    def bounds(self, rule: Rule, level: Level) -> list[str]:
        """Conditions for the rows on which an edition holds, where the period crosses its dates."""
        tests, validity = [], rule.validity
        days = sorted({month.day for month in self.months}) if level is Level.FINE else self.span_days()
        if validity.since and validity.since > days[0]:
            held = validity.since <= days[-1]
            tests.append(f"{self.starts(level)} >= {day_sql(validity.since)}" if held else "FALSE")
        if validity.until and validity.until < days[-1]:
            after = validity.until + timedelta(days=1)
            tests.append(f"{self.starts(level)} < {day_sql(after)}" if validity.until >= days[0] else "FALSE")
        return tests

    # -- what is read ----------------------------------------------------------------------------------------------

    def reported(self, spec: FactSpec) -> Cells | None:
        columns = self.fact_columns.get(spec.name, [])
        if not columns:
            self._missing(spec)
            if self.may_lack(spec):
                return None
        optional = self.may_lack(spec)
        step = self.add(
            Step(
                f"f_{spec.name}", "", spec.name, "fact", keys=spec.grain.keys, unit=spec.unit, optional=optional,
                describes=not spec.adds,
            )
        )  # fmt: skip
        rows: dict[Words, Piece] = {}
        sure: set[Words] = set()
        for column in columns:
            named = {key: column.purpose if key == "purpose" else column.item for key in spec.grain.keys}
            words = tuple(named[key] for key in spec.grain.keys)
            if words in rows:
                raise ValueError(f"two columns hold {spec.name} {words}")
            piece = self._column(spec, column)
            if piece is not None:
                rows[words] = piece
                sure |= set() if column.absent else {words}
        return Cells(
            step.name, spec.grain.keys, spec.unit, rows, optional, not spec.adds, sure=frozenset(sure)
        )

    def _column(self, spec: FactSpec, column: FactColumn) -> Piece | None:
        """One column in the declared unit, with what it rests on."""
        key = item_key(spec) or ""
        try:
            declared = declared_unit(spec.unit, self.context, {key: column.item})
            factor = recorded_factor(parse_unit(column.unit), declared)
        except UnitError:
            where = Place(subject=f"{spec.name}:{column.item}")
            self.findings.add(
                FACT_UNIT.at(
                    where, name=spec.name, item=column.item, unit=column.unit, book=self.book.id,
                    expected=str(spec.unit),
                )
            )  # fmt: skip
            return None
        fine = self.fine
        reported = fine.source(f"f.{quoted(column.value)}")
        value = reported if factor == 1 else fine.column(f"({reported} * {number(factor)})")

        exists, coverage = YES if column.complete else f"{value} IS NOT NULL", WHOLE
        if column.coverage is not None:
            coverage = f"coalesce({fine.source(f'f.{quoted(column.coverage)}')}, {WHOLE})"
        if column.absent is not None:
            marked = fine.source(f"f.{quoted(column.absent)}")
            exists = fine.column(f"{value} IS NOT NULL OR coalesce({marked}, FALSE)")
            coverage = f"CASE WHEN {value} IS NULL THEN {ZERO} ELSE {coverage} END"
        return Piece(value, spec.unit, self._fact_shares(column, reported), fine.column(coverage), exists)

    def _fact_shares(self, column: FactColumn, reported: str) -> Shares:
        """The shares of a reported value, in the reported unit."""
        parts = {
            name: f"coalesce({self.fine.source(f'f.{quoted(companion)}')}, {ZERO})"
            for name, companion in (("estimated", column.estimated), ("defaulted", column.defaulted))
            if companion is not None
        }
        found = {}
        for level, name in enumerate(DATA, start=1):
            worse = [part for kind, part in parts.items() if kind == "defaulted" or level <= Status.ESTIMATED]
            if column.basis >= level:
                found[name] = FULL
            elif worse:
                size = f"least({' + '.join(worse)}, abs({reported}))"
                found[name] = self.fine.column(f"coalesce({size} / nullif(abs({reported}), {ZERO}), {ZERO})")
        return Shares(**found)

    # -- what cannot be --------------------------------------------------------------------------------------------

    def varies(self, rule: Rule, name: str, *, finer: bool) -> None:
        """A ratio over several rows meets a factor that is not the same for all of them."""
        if (rule.name, name) not in self.told:
            self.told.add((rule.name, name))
            where = Place(subject=rule.name, period=self.request.period.label)
            apart = REGION_VARIES.at(where, clause=rule.clause.cited, rule=rule.name, name=name)
            finding = factor_varies(rule, name, self.request, self.lookups.get(name)) if finer else apart
            self.findings.add(finding)


def day_sql(day: date) -> str:
    return f"DATE '{day.isoformat()}'"


def quoted(name: str) -> str:
    """An identifier from outside."""
    return '"' + name.replace('"', '""') + '"'
