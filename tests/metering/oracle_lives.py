"""A register's whole declared life as a plain loop: swaps, resets, CT and unit changes, installation and removal.

Written from docs/concepts.md and the plant file's reference, one reading at a time, without the product's scales or SQL;
the rules inside one leg are those of `oracle.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby, pairwise

from tests.metering.oracle import LIMIT, RUN, Raw

TICKS = 10**6


@dataclass(frozen=True)
class Change:
    """What is declared at an instant. Of a swap: the device that comes; of a unit: kWh per displayed unit."""

    at: datetime
    kind: str  # installed | swap | reset | multiplier | unit | removed
    closing: float | None = None
    opening: float | None = None
    multiplier: Fraction | None = None
    unit: Fraction | None = None
    digits: int | None = None
    decimals: int | None = None


@dataclass
class Leg:
    """One continuous count. `scales`: (from, kWh per displayed unit), the first from its beginning."""

    since: datetime
    until: datetime
    scales: list[tuple[datetime, Fraction]]
    digits: int | None
    decimals: int
    opening: float | None = None
    closing: float | None = None
    readings: list[tuple[datetime, int, str]] = field(default_factory=list)
    """(t, ticks, what): `read`, `declared` (in no file), or `anchor` (a file's reading that the declaration confirms)."""

    def scale(self, t: datetime) -> Fraction:
        return next(scale for since, scale in reversed(self.scales) if since <= t or since == self.since)

    def ticks(self, value: float, t: datetime) -> int:
        """round(value × scale × 10^6), the value to the decimals that float64 carries beside its digits."""
        places = min(6, 15 - self.digits) if self.digits else 6
        exact = abs(round(Fraction(value) * 10**places)) * self.scale(t) * Fraction(TICKS, 10**places)
        return int(exact + Fraction(1, 2)) * (-1 if value < 0 else 1)

    @property
    def modulus(self) -> int:
        return int(10**self.digits * self.scales[0][1] * TICKS + Fraction(1, 2)) if self.digits else 0

    def shows(self, value: float, t: datetime) -> bool:
        """Whether the device can show it, in the unit of that time."""
        if self.digits:
            return 0 <= Fraction(value) * self.scale(t) < 10**self.digits * self.scales[0][1]
        return abs(Fraction(value)) * self.scale(t) * TICKS < LIMIT


@dataclass
class Device:
    """The meter as installed, and what happened to it."""

    scale: Fraction
    digits: int | None
    decimals: int
    max_rate: Fraction | None
    """kW"""
    changes: Sequence[Change]
    max_gap: int = 7200

    def legs(self) -> list[Leg]:
        multiplier, unit, digits, decimals = self.scale, Fraction(1), self.digits, self.decimals
        legs = [Leg(datetime(1970, 1, 1), datetime(9999, 1, 1), [], digits, decimals)]
        legs[0].scales.append((legs[0].since, multiplier))
        for change in self.changes:
            leg = legs[-1]
            multiplier = change.multiplier or multiplier
            unit = change.unit or unit
            digits, decimals = change.digits or digits, change.decimals or decimals
            if change.kind == "installed":
                leg.since, leg.opening, leg.scales = (
                    change.at,
                    change.opening,
                    [(change.at, multiplier * unit)],
                )
            elif change.kind == "removed":
                leg.until, leg.closing = change.at, change.closing
            elif change.kind == "unit":
                leg.scales.append((change.at, multiplier * unit))
            else:
                leg.until, leg.closing = change.at, change.closing
                scales = [(change.at, multiplier * unit)]
                legs.append(
                    Leg(change.at, datetime(9999, 1, 1), scales, digits, decimals, change.opening, None)
                )
        return legs

    def step(self, leg: Leg, a: tuple[datetime, int], b: tuple[datetime, int]) -> int | None:
        """The plausible amount from a to b."""
        wrapped, modulus = b[1] < a[1], leg.modulus
        amount = b[1] - a[1] + (modulus if wrapped else 0)
        micros = round((b[0] - a[0]).total_seconds() * 10**6)
        limit: Fraction | None = None
        if self.max_rate is not None:
            slack = max(Fraction(1), leg.scales[0][1] * Fraction(TICKS, 10**leg.decimals))
            limit = self.max_rate * TICKS * micros / 3_600_000_000 + slack
        elif modulus:
            limit = Fraction(modulus, 10 if wrapped else 2)
        if amount < 0 or (wrapped and not modulus) or (limit is not None and amount > limit):
            return None
        return amount


def sort_into_legs(raw: Iterable[Raw], device: Device) -> list[Leg]:
    """Each reading to its leg; those stamped at a boundary are what the declaration says, or what it leaves open."""
    legs = device.legs()
    edges = {leg.since for leg in legs} | {leg.until for leg in legs}
    at_edge: dict[datetime, float] = {}
    kept: list[dict[datetime, float]] = [{} for _ in legs]
    for t, value, *_ in sorted(raw, key=lambda one: (*one[2:], one[1])):  # the last written wins
        if t in edges:
            at_edge[t] = value
            continue
        for leg, found in zip(legs, kept, strict=True):
            if leg.since < t < leg.until and leg.shows(value, t):
                found[t] = value
    for leg, found in zip(legs, kept, strict=True):
        leg.readings = [(t, leg.ticks(found[t], t), "read") for t in sorted(found)]
    for n, leg in enumerate(legs):
        if n == 0 and leg.since > datetime(1970, 1, 1):
            _settle(None, leg, leg.since, at_edge.get(leg.since))
        following = legs[n + 1] if n + 1 < len(legs) else None
        if leg.until < datetime(9999, 1, 1):
            _settle(leg, following, leg.until, at_edge.get(leg.until))
    return legs


def _settle(before: Leg | None, after: Leg | None, at: datetime, read: float | None) -> None:
    """Which displays closed the one leg and opened the next."""
    closing = before.closing if before else None
    opening = after.opening if after else None
    if read is not None and read not in (closing, opening):
        if after is not None and opening is None:
            opening = read
        elif before is not None and closing is None:
            closing = read
        else:
            read = None  # it contradicts what is declared
    if before is not None and closing is not None:
        before.readings.append((at, before.ticks(closing, at), "anchor" if closing == read else "declared"))
        read = None if closing == read else read  # a reading counts once
    if after is not None and opening is not None:
        after.readings.insert(0, (at, after.ticks(opening, at), "anchor" if opening == read else "declared"))


def without_spikes(leg: Leg, device: Device) -> list[tuple[datetime, int, str]]:
    """Equal values in a row are a plateau; a short one that its neighbours contradict is left out, at most two in a row."""
    plateaus = [list(group) for _, group in groupby(leg.readings, key=lambda one: one[1])]

    def fits(i: int, j: int) -> bool:
        if i < 0 or j >= len(plateaus):
            return False
        return device.step(leg, plateaus[i][-1][:2], plateaus[j][0][:2]) is not None

    def may(i: int) -> bool:
        return len(plateaus[i]) <= RUN and all(what == "read" for *_, what in plateaus[i])

    bad = {i for i in range(len(plateaus) - 1) if not fits(i, i + 1)}
    wrong = set()
    for i in sorted(bad):
        this = may(i) and fits(i - 1, i + 1)
        following = may(i + 1) and fits(i, i + 2)
        if this and (not following or i - 1 in bad):
            wrong.add(i)
        elif following:
            wrong.add(i + 1)
    runs: list[list[int]] = []
    for i in sorted(wrong):
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    out = {i for run in runs if len(run) <= 2 for i in run}
    return [one for i, plateau in enumerate(plateaus) if i not in out for one in plateau]


@dataclass
class Answer:
    """cells: start → [amount, low, high, estimated, covered, n]; gaps: (from, to, ticks) of what no cell holds."""

    cells: dict[datetime, list[int]]
    gaps: list[tuple[datetime, datetime, int]]


def ledger_of(raw: Iterable[Raw], device: Device, grid: int) -> Answer:
    """The ledger of one register over its whole life."""
    cells: dict[int, list[int]] = defaultdict(lambda: [0] * 6)
    gaps = []
    for leg in sort_into_legs(raw, device):
        for before, after in pairwise(without_spikes(leg, device)):
            amount = device.step(leg, before[:2], after[:2])
            if amount is None:
                gaps.append((before[0], after[0], after[1] - before[1]))
            else:
                _cut(cells, leg, device, before, after, amount, grid)
    start = datetime(1970, 1, 1)
    return Answer({start + timedelta(seconds=c * grid): cell for c, cell in cells.items()}, sorted(gaps))


def _cut(
    cells: dict[int, list[int]],
    leg: Leg,
    device: Device,
    before: tuple[datetime, int, str],
    after: tuple[datetime, int, str],
    amount: int,
    grid: int,
) -> None:
    """Cut one step at the grid: at one rate, in whole seconds; beyond max_gap the hours are bounded, not known."""
    s0, s1 = (int((one[0] - datetime(1970, 1, 1)).total_seconds()) for one in (before, after))
    real = int(after[2] != "declared")
    first, last = s0 // grid, max((s1 - 1) // grid, s0 // grid)
    if s0 >= (s1 - 1) // grid * grid:  # inside one cell
        for i, add in enumerate((amount, amount, amount, 0, s1 - s0, real)):
            cells[(s1 - 1) // grid][i] += add
        return
    vague = (after[0] - before[0]).total_seconds() > device.max_gap
    for c in range(first, last + 1):
        a, b = max(c * grid, s0), min((c + 1) * grid, s1)
        part = amount * (b - s0) // (s1 - s0) - amount * (a - s0) // (s1 - s0)
        low = high = part
        if vague:
            low, high = 0, amount
            if device.max_rate is not None:
                slack = max(1.0, float(leg.scales[0][1] * TICKS / 10**leg.decimals))
                rate = float(device.max_rate * TICKS) / 3.6e9 * 1e6
                low = round(max(0.0, amount - rate * (s1 - s0 - (b - a)) - slack))
                high = round(min(amount, rate * (b - a) + slack))
            low, high = min(low, part), max(high, part)
        for i, add in enumerate((part, low, high, part if vague else 0, b - a, real if c == last else 0)):
            cells[c][i] += add
