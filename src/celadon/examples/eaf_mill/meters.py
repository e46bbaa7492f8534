"""The mill's meters: what drives each of them, how their displays count, and the year's amounts and displays.

Amounts are integers per quarter-hour in a thousandth of the meter's unit (Wh, varh, dm3, MJ, kg). A display is an
integer count of its last digit. The plant file says the same about digits and multipliers; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from random import Random

from celadon.core.dataclass import dataclass
from celadon.examples.eaf_mill.process import Year

# What a driver's unit stands for, so that loads can be written in kW, kWh/t … (for gas: m3/h, m3/t; for heat: GJ/h).
_SCALE = {
    "cast": 1_000_000,  # per t
    "roll": 1_000_000,  # per t
    "eaf": 1000,  # thousandths of the furnace's energy
    "lf": 1000,
    "cold": 2_500_000,  # per 10 degrees below 18 °C
    "warm": 2_500_000,  # per 10 degrees above 22 °C
}
_STATE = 250_000  # kW while the driver is full
_ALWAYS = 250_000_000  # kW

Load = Mapping[str, float]
"""Driver → how much of it; `always` is a constant load, `noise` the half-width in thousandths (30)."""

LOADS: dict[str, Load] = {
    # furnace bus
    "E101": {"eaf": 1000, "run": 60, "noise": 0},
    "E102": {"lf": 1000, "run": 25, "noise": 10},
    "E103": {"vd": 520, "run": 30},
    "E104": {"run": 150, "eaf": 8},
    # section I: melt shop
    "E2011": {"run": 330, "eaf": 22},
    "E2012": {"run": 330, "eaf": 21},
    "E2021": {"cast": 6.2, "run": 25},
    "E2022": {"cast": 8.5, "run": 60},
    "E2023": {"cast": 2.1, "run": 12},
    "E203": {"always": 18, "eaf": 5, "staff": 55},
    "E204": {"always": 40, "run": 150, "eaf": 9},
    "E2051": {"always": 60, "run": 380},
    "E2052": {"always": 30, "run": 330},
    "E2053": {"run": 95, "warm": 160},
    "E206": {"run": 22, "eaf": 2},
    # section II: rolling and services
    "E301": {"roll": 4.1, "shift": 85, "always": 12},
    "E3021": {"roll": 17.5, "shift": 70, "noise": 60},
    "E3022": {"roll": 22.0, "shift": 80, "noise": 60},
    "E3023": {"roll": 26.5, "shift": 95, "noise": 60},
    "E3024": {"roll": 7.5, "shift": 45},
    "E303": {"roll": 8.8, "staff": 40, "always": 15},
    "E307": {"treat": 900, "always": 20},
    "E3041": {"run": 690, "always": 20},
    "E3042": {"eaf": 28, "run": 110},
    "E3043": {"run": 42, "lf": 6},
    "E3051": {"run": 205, "always": 6},
    "E3052": {"run": 120, "shift": 60},
    "E3053": {"run": 90, "roll": 2.4},
    "E3061": {"always": 18, "staff": 110, "warm": 45, "cold": 9},
    "E3062": {"always": 34, "staff": 35, "night": 22, "warm": 20},
    "E3063": {"always": 9, "staff": 64},
    "E3064": {"night": 95, "staff": 15},
    "E3065": {"dark": 72, "always": 3},
    # photovoltaic plants: always generating into section II
    "G01": {"sun": 5200, "noise": 8},
    "G02": {"sun": 940, "noise": 8},
    # natural gas
    "N11": {"roll": 34.0, "shift": 110, "always": 25},
    "N12": {"run": 118, "always": 4},
    "N13": {"cast": 1.9, "run": 8},
    "N14": {"treat": 150, "always": 2},
    "N15": {"staff": 8, "night": 3, "cold": 14},
    # heat
    "H03": {"eaf": 0.21, "noise": 60},
    "H11": {"vd": 11.5, "run": 0.8},
    "H12": {"cold": 2.6, "always": 0.05},
    "H13": {"warm": 3.4, "always": 0.05},
    # oxygen, compressed air, water
    "O11": {"eaf": 82, "noise": 40},
    "O12": {"cast": 1.3},
    "C11": {"run": 1500, "eaf": 30},
    "C12": {"shift": 900, "roll": 9.0},
    "W11": {"cast": 0.55, "roll": 0.35, "warm": 9.0, "always": 6},
    "W12": {"staff": 2.2, "always": 0.9, "warm": 0.7},
    # the office in town
    "E90": {"always": 4, "staff": 46, "warm": 17, "cold": 4},
    "H90": {"cold": 0.11, "staff": 0.01},
    "W90": {"staff": 0.35, "always": 0.02},
}

# Meters above others: the children, a constant loss (kW) and a loss in thousandths of what the children take.
PARENTS: dict[str, tuple[tuple[str, ...], int, int]] = {
    "E10": (("E101", "E102", "E103", "E104"), 22, 3),
    "E201": (("E2011", "E2012"), 12, 2),
    "E202": (("E2021", "E2022", "E2023"), 9, 2),
    "E205": (("E2051", "E2052", "E2053"), 7, 2),
    "E20": (("E201", "E202", "E203", "E204", "E205", "E206"), 24, 4),
    "E302": (("E3021", "E3022", "E3023", "E3024"), 4, 2),
    "E304": (("E3041", "E3042", "E3043"), 8, 2),
    "E305": (("E3051", "E3052", "E3053"), 3, 1),
    "E306": (("E3061", "E3062", "E3063", "E3064", "E3065"), 6, 2),
    "E30": (("E301", "E302", "E303", "E304", "E305", "E306", "E307"), 26, 4),
    "N01": (("N11", "N12", "N13", "N14", "N15"), 1, 4),
    "O01": (("O11", "O12"), 12, 20),
    "C01": (("C11", "C12"), 60, 35),
    "W01": (("W11", "W12"), 1, 12),
}

OVERREAD = -16  # the fault: the sub-meters of the rolling stands together read 1.6 % too much


@dataclass(frozen=True, slots=True)
class Display:
    """How a meter's register counts: digits before and after the point, and what one count of the last is worth."""

    digits: int
    decimals: int
    multiplier: int
    start: int
    """Count of the last digit on 1 January."""

    @property
    def step(self) -> int:
        """Thousandths of the unit per count."""
        return int(1000 * self.multiplier // 10**self.decimals)

    @property
    def modulus(self) -> int:
        return int(10 ** (self.digits + self.decimals))

    def text(self, count: int) -> str:
        """The display as printed: `012` with two decimals is 0.12."""
        unit = 10**self.decimals
        return f"{count // unit}.{count % unit:0{self.decimals}d}" if self.decimals else str(count)


# id: digits, decimals, multiplier (current × voltage transformer), first count
_DISPLAYS: dict[str, tuple[int, int, int, int]] = {
    "E01": (6, 4, 1100 * 120, 41_852_310),
    "E02": (6, 4, 1100 * 60, 22_068_774),
    "E03": (6, 4, 1100 * 60, 310_276),
    "Q01": (6, 4, 1100 * 120, 16_240_008),
    "Q02": (6, 4, 1100 * 60, 9_120_455),
    "Q10": (6, 3, 350 * 240, 4_410_207),
    "E10": (6, 3, 350 * 240, 5_530_918),
    "E101": (6, 3, 350 * 200, 4_918_233),
    "E102": (6, 3, 350 * 40, 3_002_716),
    "E103": (6, 2, 350 * 10, 88_120),
    "E104": (6, 2, 350 * 10, 120_466),
    "E20": (6, 3, 100 * 120, 2_871_440),
    "E201": (6, 2, 100 * 40, 411_873),
    "E2011": (6, 2, 100 * 20, 391_205),
    "E2012": (6, 2, 100 * 20, 388_471),
    "E202": (6, 2, 100 * 20, 350_288),
    "E203": (6, 2, 100 * 8, 199_034),
    "E204": (6, 2, 100 * 15, 402_219),
    "E205": (6, 2, 100 * 30, 377_642),
    "E206": (6, 2, 100 * 4, 251_003),
    "E30": (6, 3, 100 * 160, 3_310_765),
    "E301": (6, 2, 100 * 15, 210_044),
    "E302": (6, 2, 100 * 80, 298_871),
    "E3021": (6, 2, 100 * 20, 271_006),
    "E3022": (6, 2, 100 * 30, 262_410),
    "E3023": (6, 2, 100 * 30, 301_922),
    "E3024": (6, 2, 100 * 10, 240_137),
    "E303": (6, 2, 100 * 10, 275_580),
    "E304": (6, 2, 100 * 30, 500_124),
    "E3041": (6, 2, 100 * 20, 511_870),
    "E3042": (6, 2, 100 * 15, 287_433),
    "E307": (6, 2, 100 * 15, 133_902),
    "E305": (6, 2, 80, 8_210_334),  # 400/5, from 8 August 600/5
    "E3053": (5, 1, 40, 870_412),  # 200/5; rolls over in the year
    "G01": (6, 2, 100 * 60, 61_227),
    "G02": (6, 2, 300, 340_771),
    "N01": (9, 1, 1, 184_402_117),
}
# Hourly points of the utilities: read directly, in their unit.
_UTILITY: dict[str, tuple[int, int, int, int]] = {
    "H01": (7, 1, 1, 422_718), "H02": (7, 1, 1, 208_854), "H03": (7, 1, 1, 1_120_405), "H11": (7, 1, 1, 688_790),
    "H12": (7, 1, 1, 241_112), "H13": (7, 1, 1, 96_318),
    "O01": (9, 0, 1, 12_403_551), "O11": (9, 0, 1, 11_000_872), "O12": (9, 0, 1, 512_009),
    "C01": (9, 0, 1, 33_120_776), "C11": (9, 0, 1, 20_400_153), "C12": (9, 0, 1, 11_087_340), "W01": (7, 1, 1, 1_204_433),
    "W11": (7, 1, 1, 1_090_025), "W12": (7, 1, 1, 90_871), "H90": (6, 2, 1, 40_218), "W90": (6, 2, 1, 7_744),
}  # fmt: skip

SCADA = (
    "E01", "E02", "E03", "G01", "G02", "Q01", "Q02", "Q10", "E10", "E101", "E102", "E103", "E104", "E20", "E201", "E2011",
    "E2012", "E202", "E2021", "E2022", "E2023", "E203", "E204", "E205", "E2051", "E2052", "E2053", "E206", "E30", "E301",
    "E302", "E3021", "E3022", "E3023", "E3024", "E303", "E307",
)  # fmt: skip
GATEWAY = (
    "E304", "E3041", "E3042", "E3043", "E305", "E3051", "E3052", "E3053", "E306", "E3061", "E3062", "E3063", "E3064", "E3065",
)  # fmt: skip
GAS = ("N01", "N11", "N12", "N13", "N14", "N15")
UTILITIES = (
    "H01", "H02", "H03", "H11", "H12", "H13", "O01", "O11", "O12", "C01", "C11", "C12", "W01", "W11", "W12",
)  # fmt: skip
OFFICE = ("E90", "H90", "W90")
INTERVAL = ("N11", "N12", "N13", "N14", "N15", "E90")  # amounts per interval; all the others are registers


_UNITS = {"E": "kWh", "G": "kWh", "Q": "kvarh", "N": "m3", "O": "m3", "C": "m3", "H": "GJ", "W": "t"}


def unit_of(meter: str) -> str:
    """What a meter counts, after its multiplier."""
    return _UNITS[meter[0]]


def display_of(meter: str) -> Display:
    """The display of a register (its first one, where it was changed)."""
    low_voltage = (7, 2, 1, int(meter[1:]) * 1303)  # read directly
    return Display(*(_DISPLAYS.get(meter) or _UTILITY.get(meter) or low_voltage))


def amounts(year: Year, random: Random, faults: bool) -> dict[str, list[int]]:
    """The physical amounts of every meter, per quarter-hour, in thousandths of its unit."""
    out = {meter: _load(year, load, random) for meter, load in LOADS.items()}
    for meter, (children, constant, share) in PARENTS.items():
        if meter == "E302" and faults:
            constant, share = 0, OVERREAD
        out[meter] = [
            total + constant * 250 + total * share // 1000
            for total in map(sum, zip(*(out[child] for child in children), strict=True))
        ]
    _incomers(year, out)
    _heat_purchase(year, out)
    return out


def _load(year: Year, load: Load, random: Random) -> list[int]:
    noise = int(load.get("noise", 30))
    total = [int(load.get("always", 0) * _ALWAYS)] * year.calendar.quarters
    for name, value in load.items():
        if name not in ("always", "noise"):
            factor = int(value * _SCALE.get(name, _STATE) + 0.5)
            total = [t + factor * d for t, d in zip(total, year.drivers[name], strict=True)]
    if not noise:
        return [t // 1_000_000 for t in total]
    draw, low, width = random.random, 1000 - noise, 2 * noise
    return [t * (low + int(width * draw())) // 1_000_000_000 for t in total]


def _incomers(year: Year, out: dict[str, list[int]]) -> None:
    """110 kV: line 1 feeds the furnace transformer; line 2 the 10 kV sections, less what the roofs generate."""
    out["E01"] = [e * 1006 // 1000 + 7500 for e in out["E10"]]
    net = [
        (a + b) * 1007 // 1000 + 11_000 - g - h
        for a, b, g, h in zip(out["E20"], out["E30"], out["G01"], out["G02"], strict=True)
    ]
    out["E02"] = [max(n, 0) for n in net]
    out["E03"] = [max(-n, 0) for n in net]
    # Reactive energy: the compensator holds the furnace bus, but for June and July one of its branches is out of service.
    june, august = year.calendar.quarter("06-01 00:00"), year.calendar.quarter("08-01 00:00")
    out["Q10"] = [e * (48 if june <= q < august else 34) // 100 + 30_000 for q, e in enumerate(out["E10"])]
    out["Q01"] = [q + e * 6 // 100 + 45_000 for q, e in zip(out["Q10"], out["E01"], strict=True)]
    out["Q02"] = [(a + b) * 41 // 100 + 40_000 for a, b in zip(out["E20"], out["E30"], strict=True)]


def _heat_purchase(year: Year, out: dict[str, list[int]]) -> None:
    """Waste heat goes to the works first, in the heating season 30 % of it to the town; the rest is bought."""
    cal = year.calendar
    spring, autumn = cal.quarter("03-16 00:00"), cal.quarter("11-15 00:00")
    sold = [made * 3 // 10 if q < spring or q >= autumn else 0 for q, made in enumerate(out["H03"])]
    users = zip(out["H11"], out["H12"], out["H13"], strict=True)
    need = [sum(heat) * 103 // 100 for heat in users]
    out["H02"] = sold
    out["H01"] = [max(0, n - made + s) for n, made, s in zip(need, out["H03"], sold, strict=True)]


@dataclass(frozen=True, slots=True)
class Register:
    """A register's year: `counts[q]` is the display's count at quarter-hour q (0 … quarters); `worth[q]` is what the
    counts of quarter-hour q amount to, in thousandths of the unit. After an exchange they follow the new device;
    a roll-over is in the counts and not in the amounts. `removed`: the last count before an exchange."""

    counts: list[int]
    worth: list[int]
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """A declared change: at minute `minute` of quarter-hour `quarter` the display becomes `display`.

    `restart`: the new device's first count; None = the same device goes on counting."""

    quarter: int
    minute: int
    display: Display
    restart: int | None


def register(meter: str, series: Sequence[int], exchange: Exchange | None = None) -> Register:
    """The year of a register whose physical amounts are `series`."""
    first = display_of(meter)
    if exchange is None:
        return Register(*_count(series, first, first.start))
    q, new = exchange.quarter, exchange.display
    within = series[q] * exchange.minute // 15
    head, worth_head = _count([*series[:q], within], first, first.start)
    start = head[-1] if exchange.restart is None else exchange.restart
    tail, worth_tail = _count([series[q] - within, *series[q + 1 :]], new, start)
    worth = [*worth_head[:-1], worth_head[-1] + worth_tail[0], *worth_tail[1:]]
    return Register([*head[:-1], *tail[1:]], worth, head[-1])


def _count(series: Sequence[int], display: Display, start: int) -> tuple[list[int], list[int]]:
    step, modulus = display.step, display.modulus
    full = [start + total // step for total in accumulate(series, initial=0)]
    worth = [(b - a) * step for a, b in pairwise(full)]
    return [count % modulus for count in full], worth
