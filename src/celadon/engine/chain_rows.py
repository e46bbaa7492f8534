"""The rows of every step of a query, and which of them a row was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.model import Plant
from celadon.engine.lookup import Chosen
from celadon.engine.settled import settled
from celadon.engine.small import answered
from celadon.engine.steps import MEASURES, PLACES, Query, Step, measures
from celadon.rules.expr import Total

Row = dict[str, Any]
HIDDEN = ("factor", "calendar", "spine")
"""Kinds of steps that say what rows there are; they hold no values of their own."""
_DAYLIGHT = timedelta(hours=2)
"""A unit of another zone may be an hour or two longer than the enterprise's own."""


@dataclass(slots=True)
class ChainRows:
    """Runs the whole chain once and finds the rows below a row."""

    con: duckdb.DuckDBPyConnection
    query: Query
    plant: Plant
    _rows: dict[str, list[Row]] | None = None
    _by: dict[tuple[str, tuple[str, ...]], dict[tuple[Any, ...], list[Row]]] = field(default_factory=dict)
    _steps: dict[str, Step] = field(default_factory=dict)
    _added: dict[str, dict[tuple[Any, ...], list[Row]]] = field(default_factory=dict)
    _chosen: dict[str, dict[tuple[Any, ...], Chosen]] = field(default_factory=dict)

    def step(self, name: str) -> Step:
        """The step of that name."""
        if not self._steps:
            self._steps = {step.name: step for step in self.query.steps}
        return self._steps[name]

    def rows(self, step: Step) -> list[Row]:
        """All rows of a step."""
        if self._rows is None:
            self._rows = self._run()
        return self._rows.get(step.name, [])

    def _run(self) -> dict[str, list[Row]]:
        """All rows of all steps in one statement, which costs less than one per step."""
        found: dict[str, list[Row]] = {}
        live = self.query.live()
        shown = [step for step in self.query.steps if step.kind not in HIDDEN and step.name in live]
        width = max((len(step.keys) for step in shown), default=0)
        selects = [_padded(number, step, width) for number, step in enumerate(shown)]
        if not selects:
            return found
        for row in answered(self.con, self.query, "\nUNION ALL\n".join(selects)):
            step = shown[row[0]]
            cells = dict(zip((*PLACES, "time_start", "time_end", "month"), row[1:8], strict=True))
            cells.update(zip(step.keys, row[8 : 8 + len(step.keys)], strict=True))
            cells.update(zip(MEASURES, row[8 + width :], strict=True))
            found.setdefault(step.name, []).append({name: cells[name] for name in (*step.columns, *MEASURES)})
        return found

    def where(self, step: Step, columns: Sequence[str], row: Mapping[str, Any]) -> list[Row]:
        """The rows of `step` that agree with `row` in `columns`."""
        mark = (step.name, tuple(columns))
        if mark not in self._by:
            index = self._by[mark] = {}
            for other in self.rows(step):
                index.setdefault(tuple(other[name] for name in columns), []).append(other)
        return self._by[mark].get(tuple(row[name] for name in columns), [])

    def input_row(self, step: Step, name: str, row: Mapping[str, Any]) -> Row | None:
        """The row of the input `name` that the formula of `step` read for `row`, as the query joins them; None where there is
        none."""
        other = self.step(step.inputs[name])
        if (away := step.at.get(name)) is not None:  # read on another row: its keys by the keys of this one
            row = {**row, **{there: row[here] for there, here in away.items()}}
        if other.describes and not step.describes:
            if step.time is None:
                return None
            columns = ["site", "month", *other.keys]
        else:
            columns = [column for column in other.columns if column != "month"]
        return next(iter(self.where(other, columns, row)), None)

    def parts(self, step: Step, row: Row) -> list[tuple[Step, Row]]:
        """The rows that a row of kind sum, total or union adds up or stands for."""
        if step.kind == "union":
            parts = [self.step(name) for name in step.parts]
            return [(part, found[0]) for part in parts if (found := self.where(part, step.columns, row))][:1]
        inner = self.step(step.parts[0])
        if step.kind == "total":
            rows = self.where(inner, step.columns, row)
            when = step.formula.when if isinstance(step.formula, Total) else None
            return [(inner, found) for found in rows if when is None or settled(when, {}, found)]
        if step.name not in self._added:
            self._added[step.name] = _gathered(self.rows(step), self.rows(inner), step)
        return [(inner, found) for found in self._added[step.name].get(_spot(row, step), [])]

    def chosen(self, step: Step, row: Mapping[str, Any]) -> Chosen | None:
        """The factor value that a row was given by the factor step `step`."""
        lookup = self.query.lookups[step.quantity]
        if step.name not in self._chosen:
            index = self._chosen[step.name] = {}
            for item in lookup.chosen:
                index.setdefault((item.site, item.month.start, item.keys), item)
                index.setdefault((item.site, None, item.keys), item)
                index.setdefault((None, None, item.keys), item)
        keys = tuple(str(row.get(key, "")) for key in lookup.keys)
        # A row of the enterprise has no site; where the value does not depend on it, any will do.
        site = row.get("site") or None
        found = self._chosen[step.name]
        month = row.get("month") or row["time_start"]
        return found.get((site or self.plant.sites[0].id, utc(month), keys)) or found.get((site, None, keys))


def _spot(row: Mapping[str, Any], step: Step) -> tuple[Any, ...]:
    return tuple(row[column] for column in (*PLACES[: step.space], *step.keys, "time_start", "time_end"))


def _gathered(sums: list[Row], inner: list[Row], step: Step) -> dict[tuple[Any, ...], list[Row]]:
    """For each row of a sum the rows it adds: of its place and keys, each in the shortest span that holds it."""
    same = (*PLACES[: step.space], *step.keys)
    found: dict[tuple[Any, ...], list[Row]] = {_spot(row, step): [] for row in sums}
    spans: dict[tuple[Any, ...], list[Row]] = {}
    for row in sums:
        spans.setdefault(tuple(row[column] for column in same), []).append(row)
    for row in inner:
        mark = tuple(row[column] for column in same)
        exact = (*mark, row["time_start"], row["time_end"])
        if exact in found:
            found[exact].append(row)
            continue
        length = row["time_end"] - row["time_start"]
        middle = row["time_start"] + length / 2
        holding = [
            one
            for one in spans.get(mark, [])
            if one["time_start"] <= middle < one["time_end"]
            and one["time_end"] - one["time_start"] >= length - _DAYLIGHT
        ]
        if holding:
            shortest = min(holding, key=lambda one: one["time_end"] - one["time_start"])
            found[_spot(shortest, step)].append(row)
    return found


def _padded(number: int, step: Step, width: int) -> str:
    """A step's rows in one shape for all steps: places, times, keys by position, measures."""
    cells = [name if name in step.columns else f"'' AS {name}" for name in PLACES]
    cells += [
        "time_start",
        "time_end",
        "month" if "month" in step.columns else "CAST(NULL AS TIMESTAMP) AS month",
    ]
    cells += [f"{key} AS k{place}" for place, key in enumerate(step.keys)]
    cells += [f"'' AS k{place}" for place in range(len(step.keys), width)]
    return f"SELECT {number} AS step, {', '.join([*cells, *measures(step)])} FROM {step.name}"


def utc(moment: datetime) -> datetime:
    """A time of a query's row, which is in UTC, as an instant."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
