"""Helpers of the ledger tests: meters, readings and a derivation in a few words. Times are UTC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from celadon.core.findings import Finding
from celadon.core.model import Meter, PointKind
from celadon.core.periods import Period
from celadon.core.text import Text
from celadon.metering.faults import findings_from
from celadon.metering.intervals import derive
from celadon.metering.proof import Proof, proof

Row = tuple[int, datetime, int, float, int, int, int]
"""point, t, span, value, file, line, batch"""


def at(text: str) -> datetime:
    """`03-01 10:00` of 2024, UTC without offset."""
    return datetime.fromisoformat(f"2024-{text}")


def meter(id: str = "M", kind: PointKind = PointKind.REGISTER, **how: Any) -> Meter:
    how.setdefault("carrier", "electricity")
    return Meter(id=id, name=Text(id, id), kind=kind, site="S", **how)


def window(start: str, end: str) -> Period:
    return Period(at(start).replace(tzinfo=UTC), at(end).replace(tzinfo=UTC))


def rows(
    values: Iterable[tuple[str | datetime, float]],
    point: int = 1,
    batch: int = 1,
    span: int = 0,
    line: int = 2,
    file: int = 1,
) -> list[Row]:
    """Readings in file order, from line 2."""
    listed = enumerate(values, start=line)
    return [
        (point, at(t) if isinstance(t, str) else t, span, v, file, number, batch) for number, (t, v) in listed
    ]


def every(start: str, step: timedelta, values: Sequence[float]) -> list[tuple[datetime, float]]:
    return [(at(start) + step * i, value) for i, value in enumerate(values)]


@dataclass
class Ledger:
    """What one derivation gave."""

    con: duckdb.DuckDBPyConnection
    meters: Sequence[Meter]
    ids: dict[str, int]
    period: Period
    grid: int
    cells: dict[tuple[int, datetime], tuple[int, int, int, int, int, int]] = field(default_factory=dict)
    events: list[tuple[Any, ...]] = field(default_factory=list)

    def amounts(self, point: int = 1) -> dict[str, float]:
        """`MM-DD HH:MM` → amount in the ledger unit."""
        return {
            f"{t:%m-%d %H:%M}": cell[0] / 1e6 for (p, t), cell in sorted(self.cells.items()) if p == point
        }

    def total(self, point: int = 1) -> int:
        return sum(cell[0] for (p, _), cell in self.cells.items() if p == point)

    def codes(self, point: int = 1) -> list[str]:
        return sorted(event[1] for event in self.events if event[0] == point)

    def event(self, code: str) -> dict[str, Any]:
        """The only event of this code."""
        names = (
            "point",
            "code",
            "t",
            "t_before",
            "n",
            "amount",
            "value_before",
            "value",
            "detail",
            "file",
            "line",
        )
        (found,) = [dict(zip(names, event, strict=True)) for event in self.events if event[1] == code]
        return found

    def proved(self, table: str = "r") -> Proof:
        """The proof of the only meter; its difference is checked to be 0."""
        (found,) = proof(self.con, table, "cells", "happened", self.meters, self.ids, self.period, self.grid)
        assert found.difference == 0
        assert found.attributed == self.total()
        return found

    def findings(self, **how: Any) -> list[Finding]:
        return findings_from(self.con, "happened", self.meters, self.ids, **how)


def load(readings: Iterable[Row]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("SET threads = 2")
    con.execute(
        "CREATE TABLE r (point INTEGER, t TIMESTAMP, span INTEGER, value DOUBLE, file INTEGER, line INTEGER, batch INTEGER)"
    )
    columns = list(zip(*readings, strict=True)) or [()] * 7
    names = ("point", "t", "span", "value", "file", "line", "batch")
    types = (pa.int32(), pa.timestamp("us"), pa.int32(), pa.float64(), pa.int32(), pa.int32(), pa.int32())
    con.register(
        "given", pa.table([pa.array(one, kind) for one, kind in zip(columns, types, strict=True)], names)
    )
    con.execute("INSERT INTO r SELECT * FROM given")
    return con


def ledger(
    readings: Iterable[Row] | duckdb.DuckDBPyConnection,
    meters: Meter | Sequence[Meter],
    period: Period,
    grid: int = 3600,
    table: str = "r",
) -> Ledger:
    """Derive; the first meter is point 1, and so on."""
    con = readings if isinstance(readings, duckdb.DuckDBPyConnection) else load(readings)
    listed = [meters] if isinstance(meters, Meter) else list(meters)
    made = Ledger(con, listed, {one.id: i for i, one in enumerate(listed, start=1)}, period, grid)
    derive(con, table, listed, made.ids, period, grid, "cells", "happened")
    for point, start, *cell in con.execute("SELECT * FROM cells").fetchall():
        assert (point, start) not in made.cells, "a cell stands twice in the ledger"
        made.cells[point, start] = tuple(cell)
    made.events = con.execute("SELECT * FROM happened").fetchall()
    return made
