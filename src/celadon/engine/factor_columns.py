"""Factors of a region: numbers where they are the same for all, else columns that the registry brings along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from celadon.core.model import Plant, Site
from celadon.core.periods import Grain
from celadon.core.units import UnitError, parse_unit
from celadon.engine.cells import Cells, Level, Words
from celadon.engine.lookup import Chosen, Month, declared_unit, look_up
from celadon.engine.pieces import (
    FACTORS,
    FULL,
    NULL,
    YES,
    ZERO,
    Piece,
    Shares,
    number,
    text,
)
from celadon.engine.region_model import FactorColumn, Region
from celadon.engine.region_rows import RegionRows, quoted
from celadon.engine.request import Request
from celadon.engine.steps import Step
from celadon.rules.rule import Rule
from celadon.rules.rulebook import SITE_TABLE, FactorSpec, Rulebook

Value = tuple[float | None, bool]
"""A factor's value (None: a gap), and whether it is recalled."""


_OWN = Shares(**dict.fromkeys(FACTORS[:3], FULL))
"""What an enterprise says of itself is its own word."""


class FactorColumns(RegionRows):
    """Each factor once, on the facts' own rows or on what is asked."""

    def __init__(
        self, book: Rulebook, plant: Plant, request: Request, region: Region, by: tuple[str, ...]
    ) -> None:
        super().__init__(book, plant, request, region, by)
        self._factors: dict[tuple[str, Level], Cells] = {}
        self._regional: dict[tuple[float | None, ...], str] = {}
        self._own: dict[str, dict[Words, FactorColumn]] = {}
        for column in region.factor_columns:
            self._own.setdefault(column.factor, {})[column.keys] = column

    @property
    def has_regional(self) -> bool:
        """Whether the registry must bring columns of regional factors."""
        return bool(self._regional)

    @property
    def regional_names(self) -> list[str]:
        """The columns of `regional` besides the region."""
        return list(self._regional.values())

    def regional(self) -> str:
        """The regional values: a row per region, a column for each factor, key and run of months that needs one."""
        sites = [site.id for site in self.plant.sites]
        names = ", ".join(["region", *self._regional.values()])
        rows = [
            f"({', '.join([text(site), *(_number(values[place]) for values in self._regional)])})"
            for place, site in enumerate(sites)
        ]
        return f"SELECT * FROM (VALUES {', '.join(rows)}) AS v({names})"

    def factor_cells(self, name: str, level: Level, rule: Rule) -> Cells:
        """The factor's values on the rows of a level."""
        mark = (name, level)
        if mark not in self._factors:
            fine = self._factors.get((name, Level.FINE)) or self._fine(name)
            self._factors[(name, Level.FINE)] = fine
            self._factors[mark] = fine if level is Level.FINE else self._asked(fine, name, rule)
        return self._factors[mark]

    def _fine(self, name: str) -> Cells:
        spec = self.book.factors[name]
        lookup = self.lookups.get(name)
        if lookup is None:
            sites = self._sites(spec)
            plant = replace(self.plant, sites=sites)
            named = {site.id for site in sites}
            months = [month for month in self.months if month.site in named]
            lookup = self.lookups[name] = look_up(spec, replace(self.context, plant=plant, months=months))
        step = self.add(
            Step(f"x_{name}", "", name, "factor", keys=lookup.keys, unit=spec.unit, optional=False)
        )
        rows: dict[Words, Piece] = {}
        sure: set[Words] = set()
        chosen: dict[Words, dict[tuple[str, date], Chosen]] = {}
        for one in lookup.chosen:
            chosen.setdefault(one.keys, {})[(one.site, one.month.day)] = one
        for words, of_key in chosen.items():
            rows[words], certain = self._listed(spec, of_key)
            sure |= {words} if certain else set()
        for words, column in self._own.get(name, {}).items():
            rows[words] = self._given(column, rows.get(words))
            sure.add(words)
        gaps = frozenset(keys for _, _, keys in lookup.gaps)
        return Cells(step.name, lookup.keys, spec.unit, rows, False, False, True, frozenset(sure), gaps)

    def _given(self, column: FactorColumn, listed: Piece | None) -> Piece:
        """Each enterprise's own value; where it has none, what the table lists."""
        spec = self.book.factors[column.factor]
        keys = dict(zip(spec.row_keys, column.keys, strict=True))
        try:
            factor = parse_unit(column.unit).factor_to(declared_unit(spec.unit, self.context, keys))
        except UnitError as error:
            raise ValueError(f"{column.factor}: {column.unit} does not convert to {spec.unit}") from error
        given = self.fine.source(f"r.{quoted(column.column)}")
        value = self.fine.column(f"({given} * {number(factor)})")
        if listed is None:
            return Piece(value, spec.unit, _OWN, exists=f"{value} IS NOT NULL", optional=False)
        both = self.fine.column(f"coalesce({value}, {listed.value})")
        exists = listed.exists if listed.exists == YES else f"{both} IS NOT NULL"
        return Piece(both, spec.unit, self._either(value, listed.shares), exists=exists, optional=False)

    def _either(self, value: str, listed: Shares) -> Shares:
        """The shares of an own value where there is one, else of what is listed."""
        found = {}
        for name in FACTORS:
            own, other = getattr(_OWN, name), getattr(listed, name)
            chosen = f"CASE WHEN {value} IS NULL THEN {other} ELSE {own} END"
            found[name] = own if own == other else self.fine.column(chosen)
        return Shares(**found)

    def _sites(self, spec: FactorSpec) -> tuple[Site, ...]:
        """The regions a factor may differ between; one stands for all where it asks for none."""
        asks = any(selector.startswith("site.") for _, selector in spec.keys) or spec.table == SITE_TABLE
        own = any(entry.factor == spec.name for entry in self.region.factors)
        return self.plant.sites if asks or own else self.plant.sites[:1]

    def _listed(self, spec: FactorSpec, chosen: Mapping[tuple[str, date], Chosen]) -> tuple[Piece, bool]:
        """The table's values for one key, and whether there is one wherever a row was chosen."""
        days = sorted({month.day for month in self.months})
        of_cells = [chosen.get((site.id, day)) for day in days for site in self._sites(spec)]
        value = self._expression([None if one is None else one.value for one in of_cells])
        levels = [0 if one is None or one.value is None else int(one.level) for one in of_cells]
        shares = Shares(
            **{name: self._at_least(level, levels) for level, name in enumerate(FACTORS, start=1)}
        )
        sure = all(one is None or one.value is not None for one in of_cells)
        exists = YES
        if None in of_cells:
            found = self._expression([float(one is not None) for one in of_cells])
            exists = f"{value} IS NOT NULL" if sure else f"{found} = {number(1)}"
        return Piece(value, spec.unit, shares, exists=exists, optional=False), sure

    def _at_least(self, least: int, levels: Sequence[int]) -> str:
        """The share that rests on rows of a level or worse: all or nothing in each cell that has a value."""
        known = [level for level in levels if level]
        if not known or max(known) < least:
            return ZERO
        return FULL if min(known) >= least else self._expression([float(level >= least) for level in levels])

    def _expression(self, values: Sequence[float | None]) -> str:
        """A number, a regional column, or a choice of them by runs of months."""
        days = sorted({month.day for month in self.months})
        wide = len(values) // len(days)
        runs: list[tuple[date, tuple[float | None, ...]]] = []
        for place, day in enumerate(days):
            of_month = tuple(values[place * wide : (place + 1) * wide])
            if not runs or runs[-1][1] != of_month:
                runs.append((day, of_month))
        parts = [self._by_site(of_month) for _, of_month in runs]
        if len(parts) == 1:
            return parts[0]
        edges = [f"DATE '{day}'" for day, _ in runs[1:]]
        month = self.month()
        whens = [f"WHEN {month} < {edge} THEN {part}" for edge, part in zip(edges, parts, strict=False)]
        return self.fine.column(f"CASE {' '.join(whens)} ELSE {parts[-1]} END")

    def _by_site(self, values: tuple[float | None, ...]) -> str:
        if len(set(values)) == 1:
            return _number(values[0])
        name = self._regional.setdefault(values, f"x{len(self._regional)}")
        return self.fine.source(f"r.{name}")

    def _asked(self, fine: Cells, name: str, rule: Rule) -> Cells:
        """On what is asked: a value only where it is one for all rows that are added up."""
        lookup, time = self.lookups[name], self.request.time
        if lookup.by_month and time is not Grain.MONTH and not lookup.holds_through(self._span):
            self.varies(rule, name, finer=True)
            return Cells(fine.step, fine.keys, fine.unit, {}, False, False, True)
        rows = {}
        for words, piece in fine.rows.items():
            own = self._own.get(name, {}).get(words)
            fixed = "enterprise" in self.by or (own is not None and own.column in self.by)
            if own is None and ("region" in self.by or piece.value == self._plain(piece.value)):
                fixed = True
            if fixed:
                rows[words] = self._once(piece)
            else:
                self.varies(rule, name, finer=False)
        return Cells(fine.step, fine.keys, fine.unit, rows, False, False, True, frozenset(rows), fine.gaps)

    def _span(self, month: Month) -> int:
        """Which of the asked spans a month is in."""
        period, time = self.request.period, self.request.time
        spans = [period] if time is None else period.split(time)
        return next(number for number, span in enumerate(spans) if month.start < span.end)

    def _plain(self, value: str) -> str:
        """The value if no regional column stands in it: a number, or a choice by month."""
        regional = {self.fine.source(f"r.{name}") for name in self._regional.values()}
        return value if self.fine.needs(value).keys().isdisjoint(regional) else ""

    def _once(self, piece: Piece) -> Piece:
        asked = self.asked

        def one(part: str) -> str:
            return part if not self.fine.needs(part) else asked.source(f"max({part})")

        value = one(piece.value)
        exists = piece.exists if piece.exists == YES else f"{value} IS NOT NULL"
        return Piece(
            value,
            piece.unit,
            Shares(**{name: one(getattr(piece.shares, name)) for name in FACTORS}),
            exists=exists,
            optional=False,
        )


def _number(value: float | None) -> str:
    return NULL if value is None else number(value) if value else ZERO
