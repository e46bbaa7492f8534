"""The text of a region's statement: rows of facts beside their registry row, what is added up of them, what is asked."""

from __future__ import annotations

from collections.abc import Sequence

from celadon.core.periods import Grain
from celadon.engine.cells import Level
from celadon.engine.factor_columns import FactorColumns
from celadon.engine.lean import Lean
from celadon.engine.linear import NAME, Linear
from celadon.engine.region_rows import day_sql, quoted
from celadon.engine.sums import Sums


def statement(planner: FactorColumns, level: Level, columns: Sequence[str]) -> str:
    """The whole text; `columns` are SELECT items over the planner's columns of `level`."""
    text = _Text(planner)
    return text.of_rows(columns) if level is Level.FINE else text.of_groups(columns)


class _Text:
    def __init__(self, planner: FactorColumns) -> None:
        self.planner = planner
        self.names = [quoted(name) for name in planner.by]
        self.linear = Linear(planner.fine, self._same)
        self.lean = Lean(self.linear)

    def of_rows(self, columns: Sequence[str]) -> str:
        """A row of the answer for each row of facts."""
        keys, named = self._keys()
        own = [self.lean.sql(sql) for sql in columns]
        rows = self.lean.layers.select(self._source(), [*keys, *own], last=self._months())
        return f"SELECT {', '.join([*named, *own])}\nFROM (\n{rows}\n) AS fine"

    def of_groups(self, columns: Sequence[str]) -> str:
        """A row of the answer for each group and span."""
        keys, named = self._keys()
        asked = self.planner.asked.needs(" ".join(columns))
        sums = Sums(self.linear, asked.values())
        given = {name: sums.column(sql) for name, sql in asked.items()}
        aggregates = sums.layers.needs(" ".join(given.values()))
        added = {name: self.lean.sql(sql) for name, sql in aggregates.items()}
        rows = self.lean.layers.select(self._source(), [*keys, *added.values()], last=self._months())
        last = f"\nGROUP BY {', '.join(keys)}" if keys else ""
        text = sums.layers.select(f"FROM (\n{rows}\n) AS fine", given.values(), ", ".join(named), last, added)
        names = ", ".join([*self.names, "span_start"])
        text = self.planner.asked.select(f"FROM (\n{text}\n) AS sums", columns, names, instead=given)
        return f"SELECT {', '.join([names, *columns])}\nFROM (\n{text}\n) AS asked"

    def _keys(self) -> tuple[list[str], list[str]]:
        """The columns of the rows that make groups, and those and the span's start as SELECT items."""
        given = [self._given(name) for name in self.planner.by]
        own = [self.lean.sql(sql) for sql in (*given, self.planner.span_start())]
        named = [f"{sql} AS {name}" for sql, name in zip(own, [*self.names, "span_start"], strict=True)]
        return [sql for sql in own if NAME.fullmatch(sql)], named

    def _same(self, name: str) -> bool:
        """Whether a column of the facts' rows is the same on all rows that are added up."""
        planner = self.planner
        fixed = {f"r.{name}" for name in self.names}
        fixed |= {f"r.{one}" for one in planner.regional_names} if "region" in planner.by else set()
        fixed |= {"f.month"} if planner.request.time is Grain.MONTH else set()
        every = "enterprise" in planner.by
        return all(
            sql in fixed or (every and sql.startswith("r.")) for sql in planner.fine.needs(name).values()
        )

    def _given(self, name: str) -> str:
        return self.planner.fine.source("f.enterprise" if name == "enterprise" else f"r.{quoted(name)}")

    def _source(self) -> str:
        """Facts, and beside them what is read of the registry, with the regional factors."""
        planner, region = self.planner, self.planner.region
        if not planner.fine.reads("r."):
            known = (
                f"SELECT enterprise FROM {region.registry}"  # who left counts no longer, whatever is asked
            )
            return f"FROM {region.facts} AS f SEMI JOIN ({known}) AS known ON f.enterprise = known.enterprise"
        registry = region.registry
        if planner.has_regional:
            columns = ", ".join(f"x.{name}" for name in planner.regional_names)
            registry = (
                f"(SELECT g.*, {columns} FROM {registry} AS g "
                f"LEFT JOIN ({planner.regional()}) AS x ON coalesce(g.region, '') = x.region)"
            )
        return f"FROM {region.facts} AS f\nJOIN {registry} AS r ON f.enterprise = r.enterprise"

    def _months(self) -> str:
        days = sorted({month.day for month in self.planner.months})
        return f"\nWHERE f.month >= {day_sql(days[0])} AND f.month <= {day_sql(days[-1])}"
