"""Registers with whole lives (swaps, resets, CT and unit changes) against the plain loop of `oracle_lives.py`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celadon.core.model import Meter, MeterChange
from celadon.core.periods import Period
from tests.metering.ledgers import Row, ledger, meter
from tests.metering.oracle_lives import Change, Device, ledger_of

START = datetime(2024, 2, 28, 21, 7)
ALWAYS = Period(datetime(2024, 1, 1), datetime(2025, 1, 1))
QUICK = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
UNITS = {"kWh": Fraction(1), "MWh": Fraction(1000), "MJ": Fraction(10, 36)}


class Plant:
    """A register simulated with its display, its devices and the faults of its export."""

    def __init__(self, seed: int) -> None:
        self.draw = draw = random.Random(seed)
        self.digits = draw.choice([None, 3, 4, 6])
        self.decimals = draw.choice([0, 2, 3])
        self.multiplier = draw.choice([Fraction(1), Fraction(80), Fraction(400, 5), Fraction(400, 3)])
        self.first = (self.multiplier, self.digits, self.decimals)
        self.max_rate = draw.choice([None, None, 400])
        self.unit = "kWh"
        self.display = draw.uniform(0, 10**self.digits if self.digits else 1000)  # in kWh of the display
        self.t = START
        self.line = 1
        self.rows: list[Row] = []
        self.changes: list[Change] = []
        self.declared: list[MeterChange] = []
        self.installed: tuple[datetime, float | None] | None = None
        self.removed: tuple[datetime, float | None] | None = None

    def shown(self) -> float:
        """What the export says now: the display, in the unit of the export."""
        value = round(self.display, self.decimals)
        if self.digits:
            value %= 10**self.digits
        return float(Fraction(str(round(value, self.decimals))) / UNITS[self.unit])

    def run(self, seconds: float) -> None:
        """Time goes on and the device counts."""
        self.t += timedelta(seconds=seconds)
        self.display += self.draw.choice([0, 1, 1, 2]) * 90 / float(self.multiplier) * seconds / 3600
        if self.digits:
            self.display %= 10**self.digits

    def read(self, value: float | None = None, batch: int = 1) -> None:
        self.line += 1
        self.rows.append((1, self.t, 0, self.shown() if value is None else value, 1, self.line, batch))

    def some(self, n: int) -> None:
        """A stretch of reading: regular, with holes, spikes, duplicates and corrections."""
        step = self.draw.choice([300, 900, 3600, 5000])
        for _ in range(n):
            self.run(step if self.draw.random() < 0.8 else step * self.draw.choice([0.3, 4, 30]))
            chance = self.draw.random()
            if chance < 0.03:
                self.read(self.draw.choice([0.0, self.shown() * 10, self.shown() + 77, -1.0]))
                continue
            self.read()
            if chance > 0.97:
                self.read(batch=self.draw.choice([1, 2]))
            elif chance > 0.95:
                self.read(self.shown() + 1, batch=self.draw.choice([1, 2]))

    def happen(self) -> None:
        """A declared change, its registers read, read and exported as well, or partly unknown."""
        self.run(self.draw.choice([60, 400, 3000]))
        kind = self.draw.choice(["swap", "swap", "reset", "multiplier", "unit"])
        closing: float | None = self.shown()
        if self.draw.random() < 0.4 or kind == "multiplier":
            self.read()  # the old display, stamped at the change
        if kind == "unit":
            self.unit = self.draw.choice([name for name in UNITS if name != self.unit])
            self._declare(
                Change(self.t, kind, unit=UNITS[self.unit]), MeterChange(self.t, kind, unit=self.unit)
            )
            return
        if kind == "multiplier":
            self.multiplier = self.draw.choice([Fraction(60), Fraction(200, 3)])
            change = Change(self.t, kind, closing, closing, self.multiplier)
            self._declare(change, MeterChange(self.t, kind, closing, closing, self.multiplier))
            return
        if self.draw.random() < 0.2:
            closing = None
        self.display = self.draw.choice([0.0, 0.0, 5.25, 31.0])
        if kind == "swap":
            self.digits, self.decimals = (
                self.draw.choice([3, 5, 6]) if self.digits else None,
                self.draw.choice([1, 2]),
            )
            self.multiplier = self.draw.choice([self.multiplier, Fraction(40)])
        opening: float | None = self.shown()
        if kind == "swap" and self.draw.random() < 0.2:
            opening = None
        if self.draw.random() < 0.3:
            self.read()  # the new display, stamped at the change
        more = (
            {"multiplier": self.multiplier, "digits": self.digits, "decimals": self.decimals}
            if kind == "swap"
            else {}
        )
        self._declare(
            Change(self.t, kind, closing, opening, **more),
            MeterChange(self.t, kind, closing, opening, **more),
        )

    def _declare(self, change: Change, declared: MeterChange) -> None:
        self.changes.append(change)
        self.declared.append(declared)


def life(seed: int) -> tuple[list[Row], Meter, Device]:
    """A register from its first to its last reading, with zero to four declared changes."""
    plant = Plant(seed)
    draw = plant.draw
    if draw.random() < 0.4:
        plant.installed = (plant.t, plant.shown() if draw.random() < 0.7 else None)
        plant.changes.append(Change(plant.t, "installed", opening=plant.installed[1]))
    plant.some(draw.randrange(2, 40))
    for _ in range(draw.randrange(5)):
        plant.happen()
        plant.some(draw.randrange(0, 40))
    if draw.random() < 0.4:
        plant.run(500)
        plant.removed = (plant.t, plant.shown() if draw.random() < 0.7 else None)
        plant.changes.append(Change(plant.t, "removed", closing=plant.removed[1]))
        if draw.random() < 0.5:
            plant.some(3)  # somebody reads on
    multiplier, digits, decimals = plant.first
    how = {
        "installed_at": plant.installed and plant.installed[0], "installed_register": plant.installed and plant.installed[1],
        "removed_at": plant.removed and plant.removed[0], "removed_register": plant.removed and plant.removed[1],
    }  # fmt: skip
    made = meter(
        unit="kWh", digits=digits, decimals=decimals, multiplier=multiplier, max_rate=plant.max_rate,
        changes=tuple(plant.declared), **how,
    )  # fmt: skip
    rate = None if plant.max_rate is None else Fraction(plant.max_rate)
    rows = list(plant.rows)
    draw.shuffle(rows)
    return rows, made, Device(multiplier, digits, decimals, rate, plant.changes)


def agree(rows: Sequence[Row], made: Meter, device: Device, grid: int) -> None:
    """Cell by cell and gap by gap, and the program's own proof closes."""
    got = ledger(rows, made, ALWAYS, grid)
    wanted = ledger_of(
        [(t, value, batch, file, line) for _, t, _, value, file, line, batch in rows], device, grid
    )
    assert {t: list(cell) for (_, t), cell in got.cells.items()} == wanted.cells
    proved = got.proved()
    known = sorted((gap.since, gap.until, gap.amount) for gap in proved.gaps if gap.code != "change-unread")
    assert known == wanted.gaps


@QUICK
@given(seed=st.integers(0, 10**9), grid=st.sampled_from([900, 1800, 3600]))
def test_a_whole_life_is_as_the_plain_loop_says(seed: int, grid: int) -> None:
    rows, made, device = life(seed)
    agree(rows, made, device, grid)
