"""What lies below a fact in a trace: the readings at the ends of its span, or its records, with file and line.

For a meter the display at the two ends and everything found in between; for a remainder the meter and those below it;
for a virtual meter its terms. For records the rows themselves, with the cells that count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from celadon.core.carriers import find_carrier
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.core.model import Excluded, Meter, VirtualMeter
from celadon.core.periods import Period, zone
from celadon.core.text import Lang
from celadon.engine.leaves import FactLeaf
from celadon.engine.trace import TraceNode
from celadon.metering.record_words import FUEL_KINDS
from celadon.plant.deriving import SOURCE as DERIVED
from celadon.plant.deriving import derived_of
from celadon.plant.entry import manual_source, mark_of
from celadon.plant.excluding import trace_nodes
from celadon.plant.keeping import span_of
from celadon.plant.ledger import Deriver
from celadon.plant.opened import View
from celadon.plant.workspace import Workspace
from celadon.store import StoredFile

_RECORDS_SHOWN = 60
_EVENTS_SHOWN = 12
_REST = "~rest"
_End = tuple[Any, ...]
"""Time (UTC), displayed value, file, line, and how many readings lie in the span."""


_LINE = re.compile(r"records:\d+:(?P<file>\d+):(?P<line>\d+)")
"""What a fact rests on that is one record."""
_TRACED = 3
"""Calculated facts that one trace follows on; of more it only says where to look."""
_TICK = timedelta(microseconds=1)


def _at(moment: datetime) -> str:
    """An instant as SQL; one without a zone is UTC."""
    naive = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return f"TIMESTAMP '{naive:%Y-%m-%d %H:%M:%S.%f}'"


@dataclass
class Evidence:
    """Looks up what facts rest on; one for each explanation."""

    work: Workspace
    seen: View
    findings: Sequence[Finding]
    lang: Lang = "en"
    calculated: Callable[[FactLeaf], TraceNode] | None = None
    """Traces a fact that another rulebook calculated."""
    _entered: dict[int, StoredFile] | None = field(default=None, init=False)
    """Files of records entered by hand, by id."""
    _traced: int = field(default=0, init=False)
    _known_ends: dict[tuple[int, datetime, datetime], list[_End]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.con = self.work.con
        self._deriver = Deriver.of(self.con, self.seen)
        self._points = self.seen.snapshot.points()
        self._meters: dict[str, Meter | VirtualMeter] = {meter.id: meter for meter in self.seen.model.meters}
        self._meters.update((meter.id, meter) for meter in self.seen.model.virtual_meters)

    def __call__(self, leaves: Sequence[FactLeaf]) -> list[list[dict[str, Any] | TraceNode]]:
        """Nodes for each fact, as dicts with `kind`, `value`, `unit` and details."""
        self._look_up_ends(leaves)
        return [self._below(leaf) for leaf in leaves]

    def _below(self, leaf: FactLeaf) -> list[dict[str, Any] | TraceNode]:
        if leaf.source.startswith(DERIVED):
            return [self._calculated(leaf)]
        if leaf.meter:
            return list(self._metered(leaf))
        return list(self._recorded(leaf)) if leaf.source.startswith("records") else []

    def _calculated(self, leaf: FactLeaf) -> dict[str, Any] | TraceNode:
        """The trace under the other rulebook; after the first few only how to ask for it."""
        self._traced += 1
        if self._traced <= _TRACED and self.calculated is not None and leaf.value is not None:
            return self.calculated(leaf)
        item = derived_of(self.seen.model, leaf.source)
        return {
            "kind": "derived", "value": leaf.value, "unit": leaf.unit, "rulebook": item.rulebook, "of": item.of,
            "period": Period(leaf.start, leaf.end, self.seen.model.site(leaf.site).zone).label,
        }  # fmt: skip

    # -- meters ------------------------------------------------------------------------------------------------------

    def _metered(self, leaf: FactLeaf) -> Iterator[dict[str, Any]]:
        for meter, role in self._real_meters(leaf.meter):
            yield from self._readings(meter, leaf, role)
            yield from self._excluded(leaf, [x for x in self.seen.model.excluded if x.meter == meter.id])
            yield from self._events(meter, leaf)

    def _real_meters(self, meter_id: str, role: str = "") -> Iterator[tuple[Meter, str]]:
        """The meters that were read for this one, and their part in it."""
        if meter_id.endswith(_REST):
            parent = meter_id.removesuffix(_REST)
            yield from self._real_meters(parent, "meter")
            for meter in self._meters.values():
                if meter.parent == parent:
                    yield from self._real_meters(meter.id, "less")
            return
        found = self._meters.get(meter_id)
        if isinstance(found, VirtualMeter):
            for term, weight in found.terms:
                yield from self._real_meters(term, f"{weight} ×")
        elif found is not None:
            yield found, role

    def _readings(self, meter: Meter, leaf: FactLeaf, role: str) -> Iterator[dict[str, Any]]:
        point = self._points.get(meter.id)
        found = self._known_ends[point, leaf.start, leaf.end] if point is not None else []
        count = found[0][-1] if found else 0
        head: dict[str, Any] = {"kind": "meter", "meter": meter.id, "name": meter.name.say(self.lang)}
        if role:
            head["role"] = role
        if meter.multiplier != 1:
            head["multiplier"] = str(meter.multiplier)
        yield {**head, "value": count, "unit": "readings" if self.lang == "en" else "个读数"}
        for role_of_end, (moment, value, file, line, _) in zip(("first", "last"), found, strict=False):
            yield {
                "kind": "reading", "value": value, "unit": meter.unit, "meter": meter.id, "role": role_of_end,
                "at": self._local(moment), "file": self._deriver.files.get(file, "?"), "line": line,
            }  # fmt: skip

    def _look_up_ends(self, leaves: Sequence[FactLeaf]) -> None:
        """The readings at the ends of what these facts span, of all meters at once."""
        wanted: dict[tuple[datetime, datetime], set[int]] = {}
        for leaf in leaves:
            for meter, _ in self._real_meters(leaf.meter) if leaf.meter else ():
                point = self._points.get(meter.id)
                if point is not None and (point, leaf.start, leaf.end) not in self._known_ends:
                    wanted.setdefault((leaf.start, leaf.end), set()).add(point)
        for (start, end), points in wanted.items():
            found = self._single_ends(sorted(points), start, end)
            if rest := sorted(points.difference(found)):
                found |= self._ends(rest, start, end)
            self._known_ends.update({(point, start, end): found.get(point, []) for point in points})

    def _single_ends(self, points: Sequence[int], start: datetime, end: datetime) -> dict[int, list[_End]]:
        """`_ends` of the points with one reading at every instant, in one scan that orders nothing; the others are not among them."""
        if not self._deriver.all_count(points):
            return {}
        after, until = start + _TICK, end + _TICK
        rows = self.seen.snapshot.readings_sql(points, after, until, 1, at_least=True)
        columns = ("t", "value", "file", "line", "span")
        ends = ", ".join(f"arg_{side}({name}, t)" for side in ("min", "max") for name in columns)
        asked = (
            f"SELECT point, t <= {_at(start)} AS opens, count(*), count(DISTINCT t), {ends} FROM ({rows}) "
            f"WHERE t < {_at(until)} GROUP BY point, opens"
        )
        known = {(point, opens): cells for point, opens, *cells in self.con.execute(asked).fetchall()}
        found: dict[int, list[_End]] = {}
        for point in points:
            groups = [known.get((point, opens)) for opens in (True, False)]
            if all(cells is None or cells[0] == cells[1] for cells in groups):
                before, inside = groups
                count = inside[0] if inside else 0
                first, last = (inside[2:6], inside[7:11]) if inside else (None, None)
                opening = before[7:11] if before and before[11] == 0 else first  # a span opens nothing
                both = [tuple(cells) for cells in (opening, last) if cells is not None]
                found[point] = [(*cells, count) for cells in dict.fromkeys(both)]
        return found

    def _ends(self, points: Sequence[int], start: datetime, end: datetime) -> dict[int, list[_End]]:
        """Of each point the reading that opens the span (at or before its start, else its first) and the last in it, with
        their count.

        The last word on an instant wins, as in the ledger.
        """
        after, until = start + _TICK, end + _TICK  # a reading on the edge closes the span before it
        inside = self._deriver.readings_sql(points, after, until, 0)
        before = self._deriver.readings_sql(points, after, after, 1)
        opening = f"SELECT *, TRUE AS opens FROM ({before}) WHERE t <= {_at(start)} AND span = 0"
        one, word = "struct_pack(t := t, v := value, f := file, l := line)", "batch, file, line"
        rows = self.con.execute(
            f"SELECT point, opens, count(DISTINCT (t, span)), max_by({one}, (-epoch_us(t), {word})), max_by({one}, (t, {word})) "
            f"FROM (SELECT *, FALSE AS opens FROM ({inside}) UNION ALL {opening}) GROUP BY point, opens"
        ).fetchall()
        known = {(point, opens): (count, first, last) for point, opens, count, first, last in rows}
        found: dict[int, list[_End]] = {}
        for point in points:
            count, first, last = known.get((point, False), (0, None, None))
            opened = known.get((point, True), (0, None, None))[2]
            ends = [(x["t"], x["v"], x["f"], x["l"]) for x in (opened or first, last) if x is not None]
            found[point] = [(*end, count) for end in dict.fromkeys(ends)]
        return found

    def _events(self, meter: Meter, leaf: FactLeaf) -> Iterator[dict[str, Any]]:
        shown = 0
        for item in self.findings:
            if item.where.subject != f"meter:{meter.id}" or not item.code.startswith("metering."):
                continue
            span = span_of(item, self.seen.model.zone)
            if span is not None and span.overlaps(leaf.start, leaf.end) and shown < _EVENTS_SHOWN:
                shown += 1
                yield {
                    "kind": "event", "value": None, "unit": "", "code": item.code, "says": item.says(self.lang),
                    "file": item.where.file, "line": item.where.line,
                }  # fmt: skip

    def _local(self, moment: datetime) -> str:
        return moment.replace(tzinfo=UTC).astimezone(zone(self.seen.model.zone)).isoformat(timespec="minutes")

    # -- records -----------------------------------------------------------------------------------------------------

    def _recorded(self, leaf: FactLeaf) -> Iterator[dict[str, Any]]:
        records = self.work.records(self.seen)
        start, end = (moment.astimezone(UTC).replace(tzinfo=None) for moment in (leaf.start, leaf.end))
        names = [leaf.quantity, *(FUEL_KINDS if leaf.quantity.startswith("energy_") else ())]
        given: list[object] = [names, start, end, leaf.site, leaf.process]
        own = ""
        if (line := _LINE.fullmatch(leaf.source)) is not None:
            # one delivery, or a month of a pile whose stocks are records of months beside it
            own = """ AND (file = $6 AND line = $7
                OR quantity LIKE '%_stock' AND coalesce(nullif(purpose, ''), 'combustion') = $8)"""
            given += [int(line["file"]), int(line["line"]), leaf.purpose]
        rows = self.con.execute(
            f"""SELECT quantity, item, purpose, site, process, start, value, unit, weight, weight_unit, note, file, line
            FROM {records} WHERE list_contains($1::VARCHAR[], quantity) AND start <= $3 AND "end" >= $2
            AND (quantity LIKE '%_stock' OR start >= $2 AND start < $3 OR start < $2 AND "end" > $2) AND value IS NOT NULL AND site IN ('', $4) AND process IN ('', $5){own} ORDER BY start, file, line""",
            given,
        ).fetchall()
        fitting = [row for row in rows if self._is(row[1], leaf.item)]
        for row in fitting[:_RECORDS_SHOWN]:
            yield self._record(row, leaf)
        if len(fitting) > _RECORDS_SHOWN:
            yield {"kind": "rest", "value": None, "unit": "", "records": len(fitting) - _RECORDS_SHOWN}
        yield from self._excluded(
            leaf,
            [
                item
                for item in self.seen.model.excluded
                if item.quantity in names
                and self._is(item.item or leaf.item, leaf.item)
                and item.site in (None, leaf.site)
                and item.process in (None, leaf.process)
            ],
        )

    def _excluded(self, leaf: FactLeaf, excluded: Sequence[Excluded]) -> Iterator[dict[str, Any]]:
        return trace_nodes(self.con, self.seen, excluded, leaf.start, leaf.end, self.lang)

    def _mark(self, file: int, line: int) -> dict[str, str]:
        """Who entered the record by hand, when, why and on what evidence."""
        if self._entered is None:
            manual = manual_source(self.seen.model)[0]
            files = self.seen.snapshot.files()
            self._entered = {item.id: item for item in files if item.source_id == manual}
        found = self._entered.get(file)
        if found is None:
            return {}
        mark = mark_of(Path(self.seen.model.file).parent / found.name, found.sha256, line)
        return mark.to_json() if mark is not None else {}

    def _is(self, word: str, item: str) -> bool:
        carrier = find_carrier(word, self.seen.model.carriers)
        return word == item or (carrier is not None and carrier.id == item)

    def _record(self, row: Sequence[Any], leaf: FactLeaf) -> dict[str, Any]:
        quantity, _, purpose, _, _, start, value, unit, weight, weight_unit, note, file, line = row
        node = {
            "kind": "record", "value": value, "unit": unit, "date": self._local(start)[:10],
            "record": quantity if quantity != leaf.quantity else "", "purpose": purpose,
            "weight": f"{weight:g} {weight_unit}" if weight is not None else "", "note": note,
            "file": self._deriver.files.get(file, "?"), "line": line, **self._mark(file, line),
        }  # fmt: skip
        return {name: cell for name, cell in node.items() if cell not in ("", None) or name == "value"}
