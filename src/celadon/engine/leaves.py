"""The fact rows that a row of a fact step was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.model import Plant
from celadon.core.units import UnitError, parse_unit, recorded_factor
from celadon.engine.chain_rows import utc
from celadon.engine.lookup import LookupContext, declared_unit
from celadon.engine.steps import PLACES, Step, item_key
from celadon.rules.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class FactLeaf:
    """One fact row that a trace ends in; the caller knows what lies below it."""

    quantity: str
    item: str
    purpose: str
    enterprise: str
    site: str
    process: str
    meter: str
    start: datetime
    end: datetime
    value: float | None
    unit: str
    source: str
    weight: float | None = None
    estimated: float = 0.0


LEAF = "quantity, item, purpose, enterprise, site, process, meter, time_start, time_end, value, unit, source, weight, estimated"
"""Columns of the facts table that make a FactLeaf."""


def leaf_of(cells: Sequence[Any]) -> FactLeaf:
    """The leaf of one row of LEAF."""
    start, end, value, unit, source, weight, estimated = cells[7:]
    quantity, item, purpose, enterprise, site, process, meter = cells[:7]
    return FactLeaf(
        quantity, item, purpose, enterprise, site, process, meter, utc(start), utc(end), value, unit, source, weight,
        estimated or 0.0,
    )  # fmt: skip


@dataclass(slots=True)
class LeafRows:
    """Finds fact rows, each quantity read once."""

    con: duckdb.DuckDBPyConnection
    facts: str
    book: Rulebook
    plant: Plant
    _known: dict[str, dict[tuple[Any, ...], list[FactLeaf]]] = field(default_factory=dict)
    _factors: dict[tuple[str, str, str], float | None] = field(default_factory=dict)

    def below(self, step: Step, row: Mapping[str, Any]) -> list[tuple[FactLeaf, float]]:
        """The leaves with a value, each with what one of its unit is in the step's row: a conversion, times its part in a mean."""
        if step.name not in self._known:
            self._known[step.name] = self._read(step)
        mark = tuple(row[column] for column in _columns(step))
        found = self._known[step.name].get(mark, [])
        start, end = utc(row["time_start"]), utc(row["time_end"])
        if step.describes:
            found = [leaf for leaf in found if leaf.start < end and (start <= leaf.start or leaf.end > start)]
        else:
            found = [leaf for leaf in found if (leaf.start, leaf.end) == (start, end)]
        usable = [(leaf, factor) for leaf in found if (factor := self._factor(step, leaf)) is not None]
        if not step.describes:
            return usable
        whole = sum(_weight(leaf) for leaf, _ in usable)
        return [(leaf, factor * _weight(leaf) / whole) for leaf, factor in usable] if whole else []

    def _read(self, step: Step) -> dict[tuple[Any, ...], list[FactLeaf]]:
        found: dict[tuple[Any, ...], list[FactLeaf]] = {}
        rows = self.con.execute(
            f"SELECT {LEAF} FROM {self.facts} WHERE quantity = ? AND value IS NOT NULL", [step.quantity]
        ).fetchall()
        timed = not step.describes
        for cells in rows:
            leaf = leaf_of(cells)
            words = {**{place: getattr(leaf, place) for place in PLACES}, "purpose": leaf.purpose}
            mark: list[Any] = [
                words.get(column, leaf.item) for column in _columns(step) if column not in _TIMES
            ]
            mark += [cells[7], cells[8]] if timed else []
            found.setdefault(tuple(mark), []).append(leaf)
        return found

    def _factor(self, step: Step, leaf: FactLeaf) -> float | None:
        """From the leaf's unit into the one the rulebook declares; None where it is of another kind and is not used."""
        mark = (step.quantity, leaf.item, leaf.unit)
        if mark not in self._factors:
            spec = self.book.facts[step.quantity]
            context = LookupContext(self.book, self.plant, (), {}, {})
            try:
                unit = declared_unit(spec.unit, context, {item_key(spec) or "": leaf.item})
                self._factors[mark] = float(recorded_factor(parse_unit(leaf.unit), unit))
            except UnitError:
                self._factors[mark] = None
        return self._factors[mark]


_TIMES = ("time_start", "time_end")


def _columns(step: Step) -> tuple[str, ...]:
    """What a row and its leaves agree in; a mean's leaves reach into its month."""
    return (*PLACES[: step.space], *step.keys, *(() if step.describes else _TIMES))


def _weight(leaf: FactLeaf) -> float:
    return 1.0 if leaf.weight is None else leaf.weight
