"""What a meter's displayed values mean: ticks, service life, legs between changes, plausibility limits.

A displayed value v becomes the integer T(v) = round(v · multiplier · unit factor · 10^6);
all later arithmetic is on these integers, so that differences telescope to the last digit.

A *leg* is a stretch in which T is one continuous count: a swap, a reset or a CT change ends a leg, a change of the
exported unit does not. An *epoch* is a stretch with one scale; a leg holds one epoch or more.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache

from celadon.core.dataclass import dataclass
from celadon.core.model import Meter, MeterChange, PointKind
from celadon.core.same import Same
from celadon.core.text import Text
from celadon.core.units import Unit, UnitError, parse_unit
from celadon.metering.points import TICKS, ledger_unit

LIMIT = 10**17
"""No register or amount reaches this many ticks (100 TWh); what does is no reading, so that sums stay inside 64 bits."""
_WORD = 2**63 - 2**53
"""What a count times its factor stays below: 64 bits, with room for the rounding of a bound in float64."""
ALGORITHM = 2
"""Goes up when the derivation would give another ledger for the same readings: stored parts are then derived anew."""

SUMMED = (PointKind.REGISTER, PointKind.INTERVAL, PointKind.COUNT, PointKind.RATE)
"""Kinds of point that have amounts, and so a ledger."""

_BEGINNING, _END = datetime(1970, 1, 1), datetime(9999, 1, 1)
_STEP = timedelta(microseconds=1)


def ticks_per_unit(meter: Meter, at: datetime | None = None) -> Fraction:
    """Ticks in one displayed unit (a rate: ticks per hour) under the multiplier and unit in force at `at`.

    Without `at`, as installed. UnitError when a declared unit change goes to another kind of unit.
    """
    multiplier, unit = meter.multiplier, meter.unit
    for change in _changes(meter):
        if at is not None and utc(change.at) <= utc(at):
            multiplier = change.multiplier or multiplier
            unit = change.unit or unit
    return _scale(meter, multiplier, unit)


def _amount_unit(meter: Meter, text: str) -> Unit:
    """The unit of amounts: a rate's unit times one hour."""
    unit = parse_unit(text)
    return unit * parse_unit("h") if meter.kind is PointKind.RATE else unit


def _scale(meter: Meter, multiplier: Fraction, unit: str) -> Fraction:
    factor: Fraction = _amount_unit(meter, unit).factor_to(ledger_unit(meter))
    return multiplier * factor * Fraction(TICKS)


def _changes(meter: Meter) -> list[MeterChange]:
    return sorted(meter.changes, key=lambda change: change.at)


def utc(moment: datetime) -> datetime:
    """`moment` as the store writes it: UTC without an offset (an offset-less moment is UTC already)."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


@dataclass(frozen=True, slots=True)
class Scale:
    """T(v) = round(round(v · 10^places) · num / den), half away from zero."""

    places: int
    num: int
    den: int

    def ticks(self, value: float) -> int:
        """T(value), exactly as the SQL computes it."""
        return self.all_ticks((value,))[0]

    def all_ticks(self, values: Iterable[float]) -> list[int]:
        """T of each value, in a loop that looks nothing up."""
        power, num, half, den = float(10**self.places), self.num, self.den // 2, self.den
        found = []
        if num == den == 1:
            for value in values:
                from_display = value * power
                count = int(from_display)
                rest = from_display - count
                found.append(count + (rest >= 0.5) - (rest <= -0.5))
            return found
        for value in values:
            from_display = abs(value * power)
            count = int(from_display)
            count += from_display - count >= 0.5
            ticks = (count * num + half) // den
            found.append(-ticks if value < 0 else ticks)
        return found

    @property
    def per_unit(self) -> Fraction:
        return Fraction(self.num, self.den) * Fraction(10) ** self.places

    @property
    def wide(self) -> bool:
        """Whether count · num may pass 64 bits before the division."""
        return self.den > 1 and self.num > 10**3


def scale_of(ticks_per_display: Fraction, digits: int | None) -> Scale:
    """The scale of a display: six decimals are kept, fewer where float64 cannot hold them beside the integer digits."""
    places = min(6, max(0, 15 - digits)) if digits is not None else 6
    factor = ticks_per_display / 10**places
    if max(factor.numerator, factor.denominator) > _WORD // 2:
        raise UnitError(
            Text(
                "unit and multiplier together have more digits than can be counted exactly",
                "单位与倍率合在一起的位数过多，无法精确计数",
            )
        )
    return Scale(places, factor.numerator, factor.denominator)


@dataclass(frozen=True, slots=True)
class Epoch:
    """A stretch of one scale: readings with lo < t < hi belong to it (UTC, no offset)."""

    leg: int
    lo: datetime
    hi: datetime
    scale: Scale
    digits: int | None
    decimals: int
    full: float | None
    """What a whole turn of the display counts, in the unit of this epoch: the first value it cannot show."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where a leg ends and the next begins, or where service begins (`before` None) or ends (`after` None)."""

    at: datetime
    kind: str  # installed | removed | swap | reset | multiplier
    before: int | None
    after: int | None
    closing: float | None
    opening: float | None


@dataclass(frozen=True, slots=True)
class Life:
    """A point's service life: its epochs in order of time, and the boundaries between its legs."""

    meter: Meter
    epochs: tuple[Epoch, ...]
    boundaries: tuple[Boundary, ...]

    def of_leg(self, leg: int) -> list[Epoch]:
        return [epoch for epoch in self.epochs if epoch.leg == leg]


def life(meter: Meter) -> Life:
    """The epochs and boundaries that the meter's declaration gives.

    Register readings stamped exactly on a boundary belong to neither side here (`changes.py` decides);
    amounts are stamped with their end, so one that ends on a boundary belongs to the earlier side.
    """
    cumulative = meter.kind is PointKind.REGISTER
    after_edge = timedelta(0) if cumulative else _STEP  # hi is exclusive
    epochs: list[Epoch] = []
    boundaries: list[Boundary] = []
    leg, multiplier, unit, digits, decimals = 0, meter.multiplier, meter.unit, meter.digits, meter.decimals
    lo = _BEGINNING
    if meter.installed_at is not None:
        lo = utc(meter.installed_at)
        boundaries.append(Boundary(lo, "installed", None, 0, None, meter.installed_register))

    def close(until: datetime) -> None:
        scale = scale_of(_scale(meter, multiplier, unit), digits)
        full = None
        if digits is not None:  # of the device, whatever unit its export has gone over to since
            first = next((epoch.scale for epoch in epochs if epoch.leg == leg), scale)
            full = float(10**digits * first.per_unit / scale.per_unit)
        epochs.append(Epoch(leg, lo, until, scale, digits, decimals, full))

    for change in _changes(meter):
        at = utc(change.at)
        if change.kind == "unit":
            close(at if cumulative else at + after_edge)
            lo = at - _STEP if cumulative else at
        else:
            close(at + after_edge)
            boundaries.append(_boundary(change, at, leg))
            leg, lo = leg + 1, at
        multiplier, unit = change.multiplier or multiplier, change.unit or unit
        digits = change.digits if change.digits is not None else digits
        decimals = change.decimals if change.decimals is not None else decimals
    if meter.removed_at is not None:
        end = utc(meter.removed_at)
        boundaries.append(Boundary(end, "removed", leg, None, meter.removed_register, None))
        close(end + after_edge)
    else:
        close(_END)
    return Life(meter, tuple(epochs), tuple(boundaries))


def _boundary(change: MeterChange, at: datetime, leg: int) -> Boundary:
    closing, opening = change.removed_register, change.installed_register
    if change.kind == "multiplier":  # the display goes on: one register serves both sides
        closing = opening = closing if closing is not None else opening
    elif change.kind == "reset" and opening is None:
        opening = 0.0
    return Boundary(at, change.kind, leg, leg + 1, closing, opening)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a step between two readings of a leg may be, in ticks: at most rate · microseconds + base.

    Over a roll-over (`modulus` > 0) the limit is rate · microseconds + wrap_base. Without a declared max_rate a step may
    be half the display, and a roll-over is believed up to a tenth of it.
    """

    modulus: int
    rate: float
    base: float
    wrap_base: float

    def step(self, before: int, after: int, microseconds: int) -> int | None:
        """The amount between two readings, or None where it is not plausible."""
        wraps = after < before
        amount = after - before + (self.modulus if wraps else 0)
        limit = self.rate * microseconds + (self.wrap_base if wraps else self.base)
        return amount if 0 <= amount <= limit else None


def limits(meter: Meter, epoch: Epoch) -> Limits:
    """The limits of the leg that begins with `epoch`."""
    modulus = 0
    if meter.kind is PointKind.REGISTER and epoch.digits is not None:
        modulus = epoch.scale.ticks(float(10**epoch.digits))
        modulus = modulus if modulus < LIMIT else 0
    slack = float(max(1, epoch.scale.per_unit / 10**epoch.decimals))  # the display's last digit
    if meter.max_rate is not None:
        return Limits(modulus, float(ticks_per_hour(meter)) / 3.6e9, slack, slack)
    half, tenth = (modulus / 2, modulus / 10) if modulus else (float(2 * LIMIT), -1.0)
    return Limits(modulus, 0.0, half, tenth)


def ticks_per_hour(meter: Meter) -> Fraction:
    """The declared max_rate in ticks per hour (0 without one)."""
    return _scale(meter, Fraction(1), meter.unit) * Fraction(str(meter.max_rate or 0))


def value_range(meter: Meter, epoch: Epoch) -> tuple[float, float]:
    """Displayed values from the first (included) to the second (excluded) are possible; others are no readings."""
    scale = epoch.scale
    counted = (_WORD - scale.den) / (1 if scale.wide else scale.num) / 10**scale.places
    bound = min(float(LIMIT / scale.per_unit), counted)
    if meter.kind is PointKind.RATE and meter.max_rate is not None:
        bound = min(bound, float(ticks_per_hour(meter) / epoch.scale.per_unit))
        return -bound, math.nextafter(bound, math.inf)
    if meter.kind is not PointKind.REGISTER or epoch.full is None:
        return -bound, bound
    return 0.0, min(bound, epoch.full)


def config_digest(meter: Meter, grid_seconds: int) -> str:
    """Digest of everything in the declaration that the ledger of this point depends on (names and topology do not count)."""
    return _config_digest(Same(meter), grid_seconds)


@lru_cache(maxsize=20_000)
def _config_digest(same: Same[Meter], grid_seconds: int) -> str:
    meter = same.item
    try:
        kept_in = ledger_unit(meter).text
    except UnitError:
        kept_in = "?"
    parts = [
        ALGORITHM, grid_seconds, meter.kind.value, meter.unit, kept_in, meter.digits, meter.decimals, str(meter.multiplier),
        meter.max_rate, meter.max_gap_seconds, _when(meter.installed_at), meter.installed_register, _when(meter.removed_at),
        meter.removed_register,
        [
            [_when(c.at), c.kind, c.removed_register, c.installed_register, str(c.multiplier), c.digits, c.decimals, c.unit]
            for c in _changes(meter)
        ],
    ]  # fmt: skip
    if meter.left_out:  # not said where there is none: parts stored before stay valid
        parts.append([[_when(start), _when(end)] for start, end in meter.left_out])
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _when(moment: datetime | None) -> str | None:
    return None if moment is None else utc(moment).isoformat()
