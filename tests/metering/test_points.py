"""What the ledger counts a point in."""

import pytest

from celadon.core.model import Meter, PointKind
from celadon.core.text import Text
from celadon.metering.points import ledger_unit


def _meter(unit: str, carrier: str | None, kind: PointKind = PointKind.REGISTER) -> Meter:
    return Meter(id="M", name=Text("M", "M"), kind=kind, site="S", carrier=carrier, unit=unit)


@pytest.mark.parametrize(
    ("unit", "carrier", "kind", "expected"),
    [
        ("MWh", "electricity", PointKind.REGISTER, "kWh"),
        ("kW", "electricity", PointKind.RATE, "kWh"),
        ("MWh", "heat", PointKind.REGISTER, "GJ"),
        ("kg", "diesel", PointKind.REGISTER, "t"),
        ("10^4 m3", "natural_gas", PointKind.REGISTER, "m3"),
        ("GJ/(40 MJ/m3)", "natural_gas", PointKind.REGISTER, "m3"),
        ("kvarh", None, PointKind.REGISTER, "kvarh"),
        ("piece", None, PointKind.COUNT, "piece"),
    ],
)
def test_ledger_unit(unit: str, carrier: str | None, kind: PointKind, expected: str) -> None:
    assert ledger_unit(_meter(unit, carrier, kind)).text == expected
