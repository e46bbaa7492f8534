"""The register rules once more, as a plain loop over Python integers: what the SQL is held against.

Written from the documented rules (`registers.py`, `spikes.py`, `intervals.py`), not from the SQL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

RUN = 4
LIMIT = 10**17
Raw = tuple[datetime, float, int, int, int]
"""t, value, batch, file, line"""


@dataclass
class Rules:
    """One leg, one scale: whole ticks per displayed unit, modulus in displayed units, limit in displayed units per hour."""

    ticks: int
    modulus: int | None = None
    max_rate: Fraction | None = None
    decimals: int = 3
    max_gap: int = 7200

    def count(self, value: float) -> int:
        places = min(6, 15 - len(str(self.modulus)) + 1) if self.modulus else 6
        return round(value * 10**places) * self.ticks // 10**places

    def step(self, a: tuple[datetime, int], b: tuple[datetime, int]) -> int | None:
        modulus = (self.modulus or 0) * self.ticks
        wrapped = b[1] < a[1]
        amount = b[1] - a[1] + (modulus if wrapped else 0)
        micros = round((b[0] - a[0]).total_seconds() * 10**6)
        if self.max_rate is not None:
            slack = max(Fraction(1), Fraction(self.ticks, 10**self.decimals))
            limit: Fraction | None = self.max_rate * self.ticks * micros / 3_600_000_000 + slack
        elif modulus:
            limit = Fraction(modulus, 10 if wrapped else 2)
        else:
            limit = None
        if amount < 0 or (wrapped and not modulus) or (limit is not None and amount > limit):
            return None
        return amount


def good_readings(raw: Iterable[Raw], rules: Rules) -> list[tuple[datetime, int]]:
    """Deduplicated, in order, without spikes."""
    last: dict[datetime, Raw] = {}
    for reading in raw:
        if rules.modulus and not 0 <= reading[1] < rules.modulus:
            continue
        if abs(reading[1]) * rules.ticks >= LIMIT:
            continue
        held = last.get(reading[0])
        if held is None or (reading[2:], reading[1]) > (held[2:], held[1]):
            last[reading[0]] = reading
    readings = [(t, rules.count(last[t][1])) for t in sorted(last)]
    plateaus: list[list[tuple[datetime, int]]] = []
    for reading in readings:
        if plateaus and plateaus[-1][0][1] == reading[1]:
            plateaus[-1].append(reading)
        else:
            plateaus.append([reading])
    wrong = _wrong(plateaus, rules)
    runs: list[list[int]] = []
    for i in sorted(wrong):
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    out = {i for run in runs if len(run) <= 2 for i in run}
    return [reading for i, plateau in enumerate(plateaus) if i not in out for reading in plateau]


def _wrong(plateaus: list[list[tuple[datetime, int]]], rules: Rules) -> set[int]:
    def fits(i: int, j: int) -> bool:
        return i >= 0 and j < len(plateaus) and rules.step(plateaus[i][-1], plateaus[j][0]) is not None

    bad = [i for i in range(len(plateaus) - 1) if not fits(i, i + 1)]
    wrong = set()
    for i in bad:
        this = len(plateaus[i]) <= RUN and fits(i - 1, i + 1)
        following = len(plateaus[i + 1]) <= RUN and fits(i, i + 2)
        if this and (not following or i - 1 in bad):
            wrong.add(i)
        elif following:
            wrong.add(i + 1)
    return wrong


Cell = list[int]
"""amount, low, high, estimated, covered, n"""


def cells(
    raw: Iterable[Raw], rules: Rules, grid: int, start: datetime, end: datetime
) -> dict[datetime, tuple[int, ...]]:
    """The ledger of one register with one leg."""
    found: dict[int, Cell] = defaultdict(lambda: [0, 0, 0, 0, 0, 0])
    epoch = datetime(1970, 1, 1)
    good = good_readings(raw, rules)
    for before, after in pairwise(good):
        step = rules.step(before, after)
        if step is not None:
            s0, s1 = (int((t - epoch).total_seconds()) for t in (before[0], after[0]))
            _spread(found, step, s0, s1, (after[0] - before[0]).total_seconds() > rules.max_gap, rules, grid)
    first, last = (int((t - epoch).total_seconds()) for t in (start, end))
    kept = {c: cell for c, cell in found.items() if first <= c * grid < last}
    return {datetime.utcfromtimestamp(c * grid): tuple(cell) for c, cell in kept.items()}


def _spread(
    found: dict[int, Cell], step: int, s0: int, s1: int, outage: bool, rules: Rules, grid: int
) -> None:
    edges = [s0]
    while (edges[-1] // grid + 1) * grid < s1:
        edges.append((edges[-1] // grid + 1) * grid)
    if s1 > s0:
        edges.append(s1)
    if len(edges) < 3:  # one cell
        cell = found[(s1 - 1) // grid]
        for i, add in enumerate((step, step, step, 0, s1 - s0, 1)):
            cell[i] += add
        return
    for a, b in pairwise(edges):
        part = step * (b - s0) // (s1 - s0) - step * (a - s0) // (s1 - s0)
        low = high = part
        if outage:
            low, high = 0, step
            if rules.max_rate is not None:
                slack = max(1.0, rules.ticks / 10**rules.decimals)
                per_second = float(rules.max_rate * rules.ticks) / 3.6e9 * 1e6
                low = round(max(0.0, step - per_second * (s1 - s0 - (b - a)) - slack))
                high = round(min(step, per_second * (b - a) + slack))
            low, high = min(low, part), max(high, part)
        cell = found[a // grid]
        for i, add in enumerate((part, low, high, part if outage else 0, b - a, int(b == s1))):
            cell[i] += add
