"""Facts of a few meters and spans, worked out in Python: the rows are those of `fact_rows.py`, at a fraction of the time.

What a month of one site's meters costs is planning a dozen statements, not running them. Here the ledger's cells are summed in one,
and all else follows from those sums. Tests build every plant both ways and compare all rows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

from celadon.core.facts import FACT_COLUMNS, Status
from celadon.core.model import Plant
from celadon.core.quantities import Space
from celadon.metering.amounts import Calendars, Segment, naive, rows_sql
from celadon.metering.boundary import Boundary
from celadon.metering.fact_rows import (
    BRANCHES,
    CONSUMED,
    CONTRACT,
    COST,
    EXPORTED,
    GENERATED,
    PURCHASED,
    TRAITS,
)
from celadon.metering.tariffs import Prices
from celadon.metering.tree import Node

MOST = 600
"""Meters times spans up to which this is the quicker way."""
_FLOWS = {"purchased": PURCHASED, "generated": GENERATED}
_Key = tuple[int, int]
"""Node and segment."""


def are_few(nodes: Mapping[str, Node], calendars: Calendars, boundary: Boundary) -> bool:
    """Whether this is the way: few meters, none of them virtual or shared among processes."""
    plain = not boundary.bus_purchases and not any(
        node.virtual or getattr(node.meter, "shares", ()) for node in nodes.values()
    )
    return plain and len(nodes) * len(calendars.segments) <= MOST


@dataclass(frozen=True, slots=True)
class _Sum:
    """Ticks of a node in a segment, how many of them are estimated, seconds covered; money and the seconds that have a price."""

    amount: int
    estimated: int
    covered: int
    cost: int | None
    priced: int


Sums = dict[tuple[int, datetime, datetime], _Sum | None]
"""Point, first and last instant of a segment -> what the ledger holds there; None: nothing."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    """What a leaf, or the remainder of a meter, holds in a segment; None = absent."""

    amount: int | None
    estimated: int | None
    covered: int | None
    due: int
    derived: bool
    open: bool
    cost: int | None
    priced: int | None
    rest: bool


@dataclass(slots=True)
class _Row:
    """A row of facts while it is added up over the segments of its span."""

    amount: int | None = None
    estimated: int | None = None
    covered: int = 0
    due: int = 0
    derived: bool = False
    open: bool = False

    def add(
        self,
        amount: int | None,
        estimated: int | None,
        covered: int | None,
        due: int,
        derived: bool,
        open_: bool,
    ) -> None:
        if amount is not None:
            self.amount = (self.amount or 0) + amount
            self.covered += covered or 0
        if estimated is not None:
            self.estimated = (self.estimated or 0) + estimated
        self.due += due
        self.derived |= derived
        self.open |= open_


class Few:
    """The sums of a request's nodes, and the rows and gaps that follow. Columns and rules are those of `fact_rows.py`."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        ledger: str,
        nodes: Mapping[str, Node],
        calendars: Calendars,
        points: Mapping[str, int],
        prices: Prices,
        traits: Mapping[str, tuple[object, ...]],
        known: Sums,
    ) -> None:
        self.nodes = {node.index: node for node in nodes.values()}
        self.above = {
            node.index: nodes[node.parent].index if node.parent is not None else None
            for node in nodes.values()
        }
        self.inner = frozenset(self.above.values())
        self.traits: dict[int, dict[str, Any]] = {
            node.index: dict(zip(TRAITS, traits[node.id], strict=True)) for node in nodes.values()
        }
        self.segments = calendars.segments
        self.sums = _sums(con, ledger, nodes, calendars, points, prices, known)
        self.due = self._due(calendars)

    def _due(self, calendars: Calendars) -> dict[_Key, int]:
        """Seconds due; data from before the installation or after the removal still count."""
        due: dict[_Key, int] = {}
        for node in self.nodes.values():
            for segment in self.segments:
                if segment.calendar != calendars.of_site[node.site]:
                    continue
                start, end = node.due_from or segment.start, node.due_to or segment.end
                if start < segment.end and end > segment.start:
                    span = min(end, segment.end) - max(start, segment.start)
                    due[node.index, segment.index] = round(span.total_seconds())
                elif found := self.sums.get((node.index, segment.index)):
                    due[node.index, segment.index] = found.covered
        return due

    def _feeder(self, node: int, segment: int) -> int | None:
        """The nearest meter above which has data then."""
        above = self.above[node]
        while above is not None and (above, segment) not in self.sums:
            above = self.above[above]
        return above

    def _leaves(self) -> Iterator[tuple[_Key, _Leaf]]:
        """Leaves and remainders of every counted tree."""
        below: dict[_Key, list[_Sum]] = {}
        for (node, segment), found in self.sums.items():
            feeder = self._feeder(node, segment)
            if feeder is not None:
                below.setdefault((feeder, segment), []).append(found)
        lacking = {
            (self.above[node], segment)
            for (node, segment), due in self.due.items()
            if self.above[node] is not None and self._covered((node, segment)) < due
        }
        for key, due in self.due.items():
            if self.traits[key[0]]["top"] is None:
                continue
            own, kids, rest = self.sums.get(key), below.get(key, []), key[0] in self.inner
            if own is None:
                yield key, _Leaf(None, None, None, due, rest, key in lacking, None, None, rest)
                continue
            cost = None if own.cost is None else own.cost - sum(kid.cost or 0 for kid in kids)
            yield key, _Leaf(
                own.amount - sum(kid.amount for kid in kids),
                own.estimated + sum(kid.estimated for kid in kids),
                own.covered, due, rest, key in lacking, cost, own.priced, rest,
            )  # fmt: skip

    def _covered(self, key: _Key) -> int:
        found = self.sums.get(key)
        return found.covered if found else 0

    # -- rows ----------------------------------------------------------------------------------------------------------

    def insert(self, con: duckdb.DuckDBPyConnection, plant: Plant, space: Space, into: str) -> None:
        """Add all rows of facts that come from the ledger to `into`."""
        rows: dict[tuple[int, str, int, bool, datetime, datetime], _Row] = {}

        def add(branch: int, word: str, key: _Key, rest: bool, *values: Any) -> None:
            segment = self.segments[key[1]]
            mark = (branch, word, key[0], rest, segment.time_start, segment.time_end)
            rows.setdefault(mark, _Row()).add(*values)

        for key, due in self.due.items():
            traits, own = self.traits[key[0]], self.sums.get(key)
            amount, estimated, covered = (
                (own.amount, own.estimated, own.covered) if own else (None, None, None)
            )
            measured = (estimated, covered, due, False, False)
            if traits["quantity"]:
                add(0, "", key, False, amount, *measured)
            flow, by_site = traits["flow"], space < Space.PROCESS
            if flow and (by_site or flow != "purchased"):
                add(_FLOWS.get(flow, EXPORTED), "", key, False, amount, *measured)
            if by_site:
                sign = 1 if traits["sign"] is None else traits["sign"]
                if traits["sign"] is not None or traits["used_only"]:
                    add(CONSUMED, "", key, False, None if amount is None else sign * amount, *measured)
                if flow == "purchased" and traits["contract"]:
                    add(CONTRACT, traits["contract"], key, False, amount, *measured)
                if flow == "purchased" and traits["money"]:
                    cost, priced = (own.cost, own.priced) if own else (None, None)
                    add(
                        COST,
                        traits["money"],
                        key,
                        False,
                        cost if priced else None,
                        0,
                        priced,
                        due,
                        True,
                        False,
                    )
        if space >= Space.PROCESS:
            for key, leaf in self._leaves():
                self._add_leaf(add, key, leaf)
        _write(con, plant, into, [self._fact(mark, row) for mark, row in rows.items()])

    def _add_leaf(self, add: Any, key: _Key, leaf: _Leaf) -> None:
        traits = self.traits[key[0]]
        values = (leaf.estimated, leaf.covered, leaf.due, leaf.derived, leaf.open)
        if not traits["passed_on"]:
            signed = None if leaf.amount is None else traits["top_sign"] * leaf.amount
            add(CONSUMED, "", key, leaf.rest, signed, *values)
        if not traits["direct"]:
            return
        add(PURCHASED, "", key, leaf.rest, leaf.amount, *values)
        contract = self.traits[traits["top"]]["contract"]
        if contract:
            add(CONTRACT, contract, key, leaf.rest, leaf.amount, *values)
        if traits["money"]:
            cost = leaf.cost if leaf.priced else None
            add(COST, traits["money"], key, leaf.rest, cost, 0, leaf.priced, leaf.due, True, False)

    def _fact(self, mark: tuple[int, str, int, bool, datetime, datetime], row: _Row) -> tuple[object, ...]:
        branch, word, index, rest, start, end = mark
        node, traits = self.nodes[index], self.traits[index]
        num, den = traits["num"], traits["den"]
        value = part = None
        if row.amount is not None:
            value = float(row.amount) / 1e9 if branch >= CONTRACT else _scaled(float(row.amount), num, den)
        sizes = [abs(float(size)) for size in (row.estimated, row.amount) if size is not None]
        if sizes:
            part = _scaled(min(sizes), num, den)
        absent = value is None
        basis = Status.ESTIMATED if row.open else Status.CALCULATED if row.derived else Status.MEASURED
        status = Status.ABSENT if absent else Status.ESTIMATED if (part or 0) > 0 else basis
        return (
            traits["quantity"] if branch == 0 else BRANCHES[branch],
            word if branch == CONTRACT else traits["item"],
            traits["purpose"] if branch == CONSUMED else "",
            node.site, node.process or "", node.id + ("~rest" if rest else ""), naive(start), naive(end), value,
            "MWh" if branch == CONTRACT else word if branch == COST else traits["unit"],
            part or 0.0,
            0.0 if absent or not row.due else min(1.0, row.covered / row.due),
            int(status), None if absent else int(basis),
        )  # fmt: skip

    # -- gaps ----------------------------------------------------------------------------------------------------------

    def gaps(self) -> list[tuple[str, float, datetime, datetime, datetime]]:
        """(meter, share of the time due that has data, first and last instant due, start of the first segment that lacks some)."""
        found: dict[int, list[tuple[int, int, int]]] = {}
        for (node, segment), due in self.due.items():
            traits = self.traits[node]
            if traits["sign"] is not None or traits["top"] is not None or not self.nodes[node].carrier:
                found.setdefault(node, []).append((segment, self._covered((node, segment)), due))
        gaps = []
        for node, parts in sorted(found.items()):
            covered, due = sum(part[1] for part in parts), sum(part[2] for part in parts)
            if covered < due:
                starts = [_start(self.segments[segment]) for segment, _, _ in parts]
                ends = [_end(self.segments[segment]) for segment, _, _ in parts]
                lacking = [_start(self.segments[segment]) for segment, had, wanted in parts if had < wanted]
                gaps.append((self.nodes[node].id, covered / due, min(starts), max(ends), min(lacking)))
        return gaps


def _start(segment: Segment) -> datetime:
    return segment.start.replace(tzinfo=None)


def _end(segment: Segment) -> datetime:
    return segment.end.replace(tzinfo=None)


def _scaled(ticks: float, num: float | None, den: float) -> float | None:
    return None if num is None else ticks * num / den


def _sums(
    con: duckdb.DuckDBPyConnection,
    ledger: str,
    nodes: Mapping[str, Node],
    calendars: Calendars,
    points: Mapping[str, int],
    prices: Prices,
    known: Sums,
) -> dict[_Key, _Sum]:
    """The ledger's cells of each node and segment added up, and priced.

    What is `known` is not added up again, and what is added up is known from then on."""
    at = {
        (points[node.id], segment.start, segment.end): (node.index, segment.index)
        for node in nodes.values()
        if node.id in points
        for segment in calendars.segments
        if segment.calendar == calendars.of_site[node.site]
    }
    unknown = {mark[0] for mark in at if mark not in known}
    if unknown:
        asked = [node for node in nodes.values() if points.get(node.id) in unknown]
        way = _added_here if len(asked) <= ONE_OR_TWO else _added_up
        spans = {segment.index: (segment.start, segment.end) for segment in calendars.segments}
        known.update((mark, None) for mark in at if mark[0] in unknown)
        for point, segment, *sums in way(con, ledger, asked, calendars, points, prices):
            known[point, *spans[segment]] = _Sum(*sums)
    return {key: found for mark, key in at.items() if (found := known[mark]) is not None}


ONE_OR_TWO = 2
"""Meters up to which their cells are added up here."""
_MICRO = 1_000_000
_CELLS = "(l.covered > 0 OR l.amount <> 0)"
"""Cells that have something."""


def _added_here(
    con: duckdb.DuckDBPyConnection,
    ledger: str,
    real: Sequence[Node],
    calendars: Calendars,
    points: Mapping[str, int],
    prices: Prices,
) -> list[tuple[Any, ...]]:
    """(point, segment, the fields of _Sum) of a node or two, added up here: planning a statement for it is most of the time."""
    # Numbers in the text, unlike a parameter, keep the files of other meters from being read.
    these = ", ".join(str(int(points[node.id])) for node in real)
    rows = con.execute(
        f"SELECT l.point, l.start, l.amount, l.estimated, l.covered FROM {ledger} l "
        f"WHERE l.point IN ({these}) AND l.start >= ? AND l.start < ? AND {_CELLS}",
        calendars.window,
    ).fetchall()
    found: list[tuple[Any, ...]] = []
    for node in real:
        point, tariff = points[node.id], prices.of_node.get(node.id)
        own = sorted(row[1:] for row in rows if row[0] == point)
        starts, cells = [cell[0] for cell in own], _priced(own, prices, tariff, calendars.grid)
        for segment in calendars.segments:
            if segment.calendar == calendars.of_site[node.site]:
                first = bisect_left(starts, _start(segment))
                last = bisect_left(starts, _end(segment))
                if first < last:
                    found.append((point, segment.index, *_added(cells[first:last])))
    return found


def _priced(
    cells: Sequence[tuple[datetime, int, int, int]], prices: Prices, tariff: int | None, grid: int
) -> list[tuple[int, int, int, int | None]]:
    """Amount, estimated, covered and price of each cell; a price holds for cells that lie wholly inside its span."""
    spans = sorted(span for span in prices.spans if span[0] == tariff)
    starts, length = [span[1] for span in spans], timedelta(seconds=grid)
    found = []
    for start, amount, estimated, covered in cells:
        place = bisect_right(starts, start) - 1
        inside = place >= 0 and start + length <= spans[place][2]
        found.append((amount, estimated, covered, spans[place][4] if inside else None))
    return found


def _added(cells: Sequence[tuple[int, int, int, int | None]]) -> tuple[int, int, int, int | None, int]:
    priced = [(amount * price, covered) for amount, _, covered, price in cells if price is not None]
    cost = sum(part[0] for part in priced)
    whole = abs(cost) // _MICRO * (1 if cost >= 0 else -1)  # towards zero, as the engine divides
    return (
        sum(cell[0] for cell in cells), sum(cell[1] for cell in cells), sum(cell[2] for cell in cells),
        whole if priced else None, sum(part[1] for part in priced),
    )  # fmt: skip


def _added_up(
    con: duckdb.DuckDBPyConnection,
    ledger: str,
    real: Sequence[Node],
    calendars: Calendars,
    points: Mapping[str, int],
    prices: Prices,
) -> list[tuple[Any, ...]]:
    """The same of any number of nodes, in the engine."""
    prices.write(con, calendars.grid)
    asked, points_of = rows_sql(
        {"point": "INTEGER", "calendar": "INTEGER", "tariff": "INTEGER"},
        [(points[node.id], calendars.of_site[node.site], prices.of_node.get(node.id)) for node in real],
    )
    spans, edges = rows_sql(
        {"calendar": "INTEGER", "seg": "INTEGER", "seg_start": "TIMESTAMP", "seg_end": "TIMESTAMP"},
        [(one.calendar, one.index, naive(one.start), naive(one.end)) for one in calendars.segments],
    )
    money = ("NULL", "0", "")
    if prices.of_node:
        money = (
            f"sum(l.amount::HUGEINT * price) // {_MICRO}",
            "sum(CASE WHEN price IS NULL THEN 0 ELSE l.covered END)",
            "LEFT JOIN m_price p ON p.tariff = a.tariff AND p.start = l.start",
        )
    return con.execute(
        f"""WITH a AS ({asked}), s AS ({spans})
        SELECT l.point, s.seg, sum(l.amount), sum(l.estimated), sum(l.covered), {money[0]}, {money[1]}
        FROM {ledger} l JOIN a ON a.point = l.point
            JOIN s ON s.calendar = a.calendar AND l.start >= s.seg_start AND l.start < s.seg_end {money[2]}
        WHERE l.start >= ? AND l.start < ? AND {_CELLS} GROUP BY l.point, s.seg""",
        [*points_of, *edges, *calendars.window],
    ).fetchall()


_WRITTEN = (
    "quantity", "item", "purpose", "site", "process", "meter", "time_start", "time_end", "value", "unit", "estimated", "coverage",
    "status", "basis",
)  # fmt: skip
"""Columns that rows differ in."""


def _write(con: duckdb.DuckDBPyConnection, plant: Plant, into: str, rows: Sequence[Sequence[object]]) -> None:
    """Add rows of the columns _WRITTEN to the facts."""
    given, values = rows_sql({name: FACT_COLUMNS[name] for name in _WRITTEN}, rows)
    same = {"enterprise": "?", "weight": "NULL", "source": "'ledger'"}
    cells = ", ".join(name if name in _WRITTEN else same.get(name, "0") for name in FACT_COLUMNS)
    con.execute(f"INSERT INTO {into} SELECT {cells} FROM ({given})", [plant.enterprise, *values])
