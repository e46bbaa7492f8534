"""Balance: last − first + roll-overs = attributed + named gaps, for every meter, to the last digit; and each meter against
what lies below it. A gap leads to the readings around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import BaseModel

from celadon.core.findings import Finding, FindingError
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import parse_period
from celadon.core.text import Text
from celadon.metering.balance import BalanceRow
from celadon.metering.faults import KINDS
from celadon.metering.proof import Gap, Proof
from celadon.web.access import Action, on_plant
from celadon.web.asked import Asked
from celadon.web.names import worded
from celadon.web.page import Both, Cell, Page, Table, both
from celadon.web.units import InUnits

page = Page("/plants/{plant}/balance", Text("Balance", "平衡"), on_plant(), order=30)
_TICKS = 10**6


class NamedGap(BaseModel):
    """A span in which nothing is attributed; `amount`: what its readings differ by, null where that is unknown."""

    code: str
    title: Both
    start: datetime
    end: datetime
    amount: float | None
    readings: str | None


class Event(BaseModel):
    """What was found in a meter's readings: an outage, a reset, a spike … and what was done about it."""

    code: str
    severity: str
    title: Both
    says: Both
    period: str | None
    readings: str | None


class MeterBalance(BaseModel):
    """A meter: what it counted, what lies below it, and its proof. `difference_ticks` (10^-6 of the unit) is 0."""

    in_units: ClassVar[InUnits] = {
        "unit": ("own", "below", "remainder", "expected", "attributed", "gaps.amount")
    }

    meter: str
    name: Both
    depth: int
    carrier: str
    unit: str
    own: float | None
    below: float | None
    remainder: float | None
    share: float | None
    coverage: float
    estimated: float | None
    expected: float | None
    attributed: float | None
    difference_ticks: int | None
    gaps: list[NamedGap]
    events: list[Event]
    readings: str | None


class Sum(BaseModel):
    """What all meters of one unit counted."""

    in_units: ClassVar[InUnits] = {"unit": ("value",)}

    unit: str
    value: float


class Proven(BaseModel):
    """The proof of a period."""

    period: str
    conserved: bool
    points: int
    gaps: int
    sums: list[Sum]
    meters: list[MeterBalance]


def view(asked: Asked, period: str | None = None, site: str | None = None) -> Proven:
    """The proof over a period (default: the last whole year), meter by meter in the order of their tree."""
    shown = asked.period(period)
    found = asked.plant.proof(shown)
    model = asked.plant.model
    rows = {row.node: row for row in whole_rows(found.meters) if site in (None, row.site)}
    proofs = {item.meter: item for item in found.proofs}
    tree = [
        (name, depth) for name, depth in _tree(model) if name in rows or (site is None and name in proofs)
    ]
    events: dict[str, list[Finding]] = {}
    for said in found.findings:
        kind, _, name = (said.where.subject or "").partition(":")
        if kind == "meter" and said.code.startswith(("metering.", "balance.")):
            events.setdefault(name, []).append(said)
    sums: dict[str, float] = {}
    for item in found.proofs:
        sums[item.unit] = sums.get(item.unit, 0.0) + item.attributed / _TICKS
    return Proven(
        period=found.period.label, conserved=found.conserved, points=len(found.proofs),
        gaps=sum(len(item.gaps) for item in found.proofs), sums=[Sum(unit=unit, value=value) for unit, value in sums.items()],
        meters=[
            _meter(asked, model, name, depth, rows.get(name), proofs.get(name), events.get(name, ())) for name, depth in tree
        ],
    )  # fmt: skip


def table(model: Proven) -> Table:
    """A row for each meter."""
    names = ("meter", "carrier", "unit", "own", "below", "remainder", "share", "coverage", "estimated", "expected", "attributed",
             "difference_ticks")  # fmt: skip
    rows: list[list[Cell]] = [
        [*(getattr(item, name) for name in names), len(item.gaps)] for item in model.meters
    ]
    return Table((*names, "gaps"), rows)


def _meter(
    asked: Asked,
    model: PlantModel,
    name: str,
    depth: int,
    row: BalanceRow | None,
    proof: Proof | None,
    events: Sequence[Finding],
) -> MeterBalance:
    names: Mapping[str, Text] = {item.id: item.name for item in model.meters} | {
        item.id: item.name for item in model.virtual_meters
    }
    carriers = {item.id: item.carrier or item.quantity or "" for item in model.meters}
    return MeterBalance(
        meter=name, name=both(names[name]), depth=depth, carrier=row.carrier if row else carriers.get(name, ""),
        unit=row.unit if row else proof.unit if proof else "", own=_units(row.own if row else None),
        below=_units(row.children if row else None), remainder=_units(row.remainder if row else None),
        share=row.share if row else None, coverage=row.coverage if row else 1.0,
        estimated=row.estimated / row.own if row and row.own else None,
        expected=_units(proof.expected) if proof else None, attributed=_units(proof.attributed) if proof else None,
        difference_ticks=proof.difference if proof else None,
        gaps=[_gap(asked, name, item) for item in (proof.gaps if proof else ())],
        events=[_event(asked, model, name, item) for item in events],
        readings=_readings(asked, name, proof.period.start, proof.period.end) if proof else None,
    )  # fmt: skip


def _gap(asked: Asked, meter: str, gap: Gap) -> NamedGap:
    title = KINDS[gap.code].title if gap.code in KINDS else Text(gap.code, gap.code)
    start, end = _utc(gap.since), _utc(gap.until)
    return NamedGap(
        code=gap.code,
        title=both(title),
        start=start,
        end=end,
        amount=_units(gap.amount),
        readings=_readings(asked, meter, start, end),
    )


def _event(asked: Asked, model: PlantModel, meter: str, item: Finding) -> Event:
    link, item = None, worded(item)
    try:
        span = parse_period(item.where.period, model.zone) if item.where.period else None
        link = _readings(asked, meter, span.start, span.end) if span else None
    except FindingError:  # a place that is no period leads nowhere
        link = None
    return Event(
        code=item.code, severity=str(item.severity), title=both(item.kind.title), says=Both(zh=item.says("zh"), en=item.says("en")),
        period=item.where.period, readings=link,
    )  # fmt: skip


def _readings(asked: Asked, meter: str, start: datetime, end: datetime) -> str | None:
    """The readings in a span and around it, for those who may see single lines."""
    if not asked.may(Action.EXPLAIN):
        return None
    return asked.at("readings", meter=meter, start=start.isoformat(), end=end.isoformat())


def whole_rows(found: Iterable[BalanceRow]) -> list[BalanceRow]:
    """One row for each meter: of a period in several calendar units, the sums."""
    rows: dict[str, list[BalanceRow]] = {}
    for row in found:
        rows.setdefault(row.node, []).append(row)
    return [parts[0] if len(parts) == 1 else _summed(parts) for parts in rows.values()]


def _summed(parts: Sequence[BalanceRow]) -> BalanceRow:
    """One meter over several calendar units: what is absent in one is absent in the sum; coverage by time."""

    def total(values: Iterable[int | None]) -> int | None:
        known = list(values)
        return None if any(item is None for item in known) else sum(item or 0 for item in known)

    seconds = [(part.end - part.start).total_seconds() for part in parts]
    own, remainder = total(part.own for part in parts), total(part.remainder for part in parts)
    coverage = sum(part.coverage * size for part, size in zip(parts, seconds, strict=True)) / sum(seconds)
    return replace(
        parts[0], end=parts[-1].end, own=own, low=total(part.low for part in parts), high=total(part.high for part in parts),
        children=total(part.children for part in parts), remainder=remainder, share=remainder / own if own and remainder is not None else None,
        coverage=coverage, estimated=sum(part.estimated for part in parts),
    )  # fmt: skip


def _tree(model: PlantModel) -> list[tuple[str, int]]:
    """Meters with their depth, each above what hangs below it, in the order of the plant file."""
    parents = {item.id: item.parent for item in model.meters} | {
        item.id: item.parent for item in model.virtual_meters
    }
    below: dict[str | None, list[str]] = {}
    for name, parent in parents.items():
        below.setdefault(parent if parent in parents else None, []).append(name)
    found: list[tuple[str, int]] = []
    waiting = [(name, 0) for name in reversed(below.get(None, []))]
    while waiting:
        name, depth = waiting.pop()
        found.append((name, depth))
        waiting += [(child, depth + 1) for child in reversed(below.get(name, []))]
    return found


def _units(ticks: int | None) -> float | None:
    return None if ticks is None else ticks / _TICKS


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
