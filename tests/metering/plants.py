"""Small plants and ledgers for the tests of this package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from celadon.core.model import Flow, Meter, Plant, PointKind, Process, Product, Site, VirtualMeter
from celadon.core.periods import Grain, Period, parse_period
from celadon.core.quantities import Space
from celadon.core.text import Text
from celadon.metering import few
from celadon.metering.activity import fill_facts, plan_facts

LEDGER = (
    "point INTEGER, start TIMESTAMP, amount BIGINT, low BIGINT, high BIGINT, estimated "
    "BIGINT, covered INTEGER, n INTEGER"
)
RECORDS = (
    'quantity VARCHAR, item VARCHAR, purpose VARCHAR, site VARCHAR, process VARCHAR, start TIMESTAMP, "end" TIMESTAMP, '
    "value DOUBLE, unit VARCHAR, weight DOUBLE, weight_unit VARCHAR, note VARCHAR, file INTEGER, line INTEGER, batch INTEGER"
)


def label(text: str) -> Text:
    return Text(en=text, zh=text)


def meter(id: str, parent: str | None = None, **given: Any) -> Meter:
    values: dict[str, Any] = {
        "name": label(id), "kind": PointKind.REGISTER, "site": "S", "carrier": "electricity", "unit": "kWh", "parent": parent,
    }  # fmt: skip
    return Meter(id=id, **{**values, **given})


def main_meter(id: str, **given: Any) -> Meter:
    return meter(id, flow=Flow.PURCHASED, **given)


def virtual(id: str, terms: Mapping[str, int | Fraction], **given: Any) -> VirtualMeter:
    values: dict[str, Any] = {"name": label(id), "site": "S", "carrier": "electricity", "unit": "kWh"}
    return VirtualMeter(
        id=id, terms=tuple((key, Fraction(value)) for key, value in terms.items()), **{**values, **given}
    )


def plant(
    meters: Iterable[Meter],
    virtuals: Iterable[VirtualMeter] = (),
    zone: str = "UTC",
    grid: int = 3600,
    **given: Any,
) -> Plant:
    processes = tuple(Process(name, label(name), "S") for name in ("a", "b", "c"))
    values: dict[str, Any] = {
        "enterprise": "X", "name": label("X"), "zone": zone, "grid_seconds": grid,
        "sites": (Site("S", label("S"), zone=zone, processes=processes),), "products": (Product("steel", label("steel"), "t"),),
    }  # fmt: skip
    return Plant(meters=tuple(meters), virtual_meters=tuple(virtuals), **{**values, **given})


class Bench:
    """A connection with a ledger and records, and the point numbers of a plant's meters."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.con = duckdb.connect(config={"threads": 1})
        self.con.execute(f"CREATE TABLE ledger ({LEDGER})")
        self.con.execute(f"CREATE TABLE records ({RECORDS})")
        self.points = {item.id: number for number, item in enumerate(plant.meters, start=1)}
        self.line = 1

    def cell(
        self, point: str, start: datetime, ticks: int, covered: int | None = None, estimated: int = 0
    ) -> None:
        seconds = self.plant.grid_seconds if covered is None else covered
        row = [
            self.points[point],
            start.astimezone(UTC).replace(tzinfo=None),
            ticks,
            ticks,
            ticks,
            estimated,
            seconds,
            1,
        ]
        self.con.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def cells(self, cells: Iterable[tuple[str, datetime, int]]) -> None:
        """Whole measured cells: point, start, ticks."""
        points, starts, ticks = zip(
            *((self.points[name], at.replace(tzinfo=None), n) for name, at, n in cells), strict=True
        )
        self.con.execute(
            f"""INSERT INTO ledger SELECT p, t, n, n, n, 0, {self.plant.grid_seconds}, 1 FROM (
                SELECT unnest(?::INTEGER[]) AS p, unnest(?::TIMESTAMP[]) AS t, unnest(?::BIGINT[]) AS n)""",
            [list(points), list(starts), list(ticks)],
        )

    def flat(self, point: str, period: str, ticks: int) -> None:
        """The same amount in every cell of the period."""
        span = parse_period(period, self.plant.zone)
        self.con.execute(
            f"""INSERT INTO ledger SELECT ?, unnest(generate_series(?::TIMESTAMP, ?::TIMESTAMP - INTERVAL 1 SECOND,
                INTERVAL {self.plant.grid_seconds} SECOND)), ?, ?, ?, 0, ?, 1""",
            [
                self.points[point], span.start.replace(tzinfo=None), span.end.replace(tzinfo=None), ticks, ticks, ticks,
                self.plant.grid_seconds,
            ],
        )  # fmt: skip

    def record(
        self, quantity: str, item: str, when: str, value: float | None, unit: str, **given: Any
    ) -> None:
        span = parse_period(when, self.plant.zone)
        row = {
            "quantity": quantity, "item": item, "purpose": "", "site": "", "process": "",
            "start": span.start.replace(tzinfo=None), "end": span.end.replace(tzinfo=None), "value": value, "unit": unit,
            "weight": None, "weight_unit": None, "note": "", "file": 1, "line": self.line, "batch": 1, **given,
        }  # fmt: skip
        self.line += 1
        self.con.execute(f"INSERT INTO records VALUES ({', '.join('?' * len(row))})", list(row.values()))

    def facts(self, period: str, space: Space = Space.SITE, time: Grain = Grain.MONTH) -> list[Any]:
        """Build the facts, all ways there are; findings are kept in `findings`."""
        span: Period = parse_period(period, self.plant.zone)

        def build(sums: few.Sums | None = None) -> tuple[list[Any], list[str]]:
            plan = plan_facts(self.con, self.plant, "records", span, space, time)
            fill_facts(self.con, plan, "ledger", "records", self.points, "facts", sums)
            self.findings = plan.said()
            return self.con.execute("FROM facts ORDER BY ALL").fetchall(), [
                str(item) for item in self.findings
            ]

        with pytest.MonkeyPatch.context() as patch:  # the general way and that for few meters give the same
            patch.setattr(few, "MOST", 0)
            general = build()
        sums: few.Sums = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(few, "ONE_OR_TWO", 0)
            assert build(sums) == general
        # and so does that for two of them where the rest is known
        later = {mark: found for mark, found in sums.items() if mark[0] > 2}
        assert build(later) == general
        assert later == sums
        return general[0]

    def codes(self) -> set[str]:
        return {finding.code for finding in self.findings}

    def select(self, columns: str, where: str = "true", order: str = "ALL") -> list[Any]:
        return self.con.execute(f"SELECT {columns} FROM facts WHERE {where} ORDER BY {order}").fetchall()


def hours(start: str, zone: str = "UTC") -> Iterable[datetime]:
    span = parse_period(start, zone)
    cursor = span.start
    while cursor < span.end:
        yield cursor
        cursor += timedelta(hours=1)
