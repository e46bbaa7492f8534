"""What the ledger counts a point in: its ledger unit and the tick."""

from __future__ import annotations

from celadon.core.model import Meter, PointKind, VirtualMeter
from celadon.core.units import Unit, parse_unit

TICKS = 10**6
"""Ticks in one ledger unit: ledger amounts are whole numbers of 10^-6 of the unit."""

_KWH, _GJ, _T, _M3, _HOUR = (parse_unit(text) for text in ("kWh", "GJ", "t", "m3", "h"))


def ledger_unit(meter: Meter | VirtualMeter) -> Unit:
    """The unit whose millionths are the point's ticks.

    A carrier by what the meter counts: electricity kWh, other energy GJ, mass t, volume m3. A rate counts what it
    makes in an hour. Points that are no carrier keep their own unit (UnitError when it cannot be read).
    """
    counted = parse_unit(meter.unit)
    if isinstance(meter, Meter) and meter.kind is PointKind.RATE:
        counted = counted * _HOUR
    if meter.carrier is None:
        return counted
    if counted.same_kind(_KWH):
        return _KWH if meter.carrier == "electricity" else _GJ
    return next((unit for unit in (_T, _M3) if counted.same_kind(unit)), counted)
