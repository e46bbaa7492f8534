"""Units: exact, dimension-safe, and in agreement with pint where both know a unit."""

from __future__ import annotations

from fractions import Fraction

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from celadon.core.units import UnitError, conversion, parse_unit, recorded_factor

PINT = pint.UnitRegistry()
# Celadon name -> pint name, for units both define alike.
SHARED = {
    "kWh": "kilowatt_hour", "MWh": "megawatt_hour", "J": "joule", "kJ": "kilojoule", "MJ": "megajoule", "GJ": "gigajoule",
    "TJ": "terajoule", "kW": "kilowatt", "MW": "megawatt", "g": "gram", "kg": "kilogram", "t": "metric_ton", "kt": "kilometric_ton",
    "m3": "meter**3", "L": "liter", "gal": "gallon", "ft3": "foot**3", "bbl": "oil_barrel", "h": "hour", "min": "minute", "d": "day",
    "m": "meter", "km": "kilometer", "mile": "mile", "ha": "hectare", "m2": "meter**2", "bar": "bar", "kPa": "kilopascal", "lb": "pound",
    "short_ton": "US_ton", "therm": "therm", "Btu": "Btu", "GWh": "gigawatt_hour",
}  # fmt: skip


@pytest.mark.parametrize("first", sorted(SHARED))
def test_ratios_agree_with_pint(first: str) -> None:
    for second in SHARED:
        ours, theirs = parse_unit(first), parse_unit(second)
        same = PINT.Quantity(1, SHARED[first]).is_compatible_with(SHARED[second])
        # A volume is its own thing here, and so is an area: pint makes both of lengths.
        assert ours.same_kind(theirs) == same, (first, second)
        if same:
            factor = float(PINT.Quantity(1, SHARED[first]).to(SHARED[second]).magnitude)
            assert float(ours.factor_to(theirs)) == pytest.approx(factor, rel=1e-6), (first, second)


@pytest.mark.parametrize(
    ("source", "target", "factor"),
    [
        ("kgce/kWh", "tce/MWh", Fraction(1)),
        ("tC/TJ", "tC/GJ", Fraction(1, 1000)),
        ("GJ/10^4 Nm3", "GJ/m3", Fraction(1, 10_000)),
        ("GJ/1e4 Nm3", "MJ/m3", Fraction(1, 10)),
        ("万kWh", "MWh", Fraction(10)),
        ("万元", "CNY", Fraction(10_000)),
        ("吨标准煤", "kgce", Fraction(1000)),
        ("kg CO2/kWh", "tCO2/MWh", Fraction(1)),
        ("kgCO2e/kgCH4", "tCO2e/tCH4", Fraction(1)),
        ("kW·h", "kWh", Fraction(1)),
        ("m³", "L", Fraction(1000)),
        ("10⁴ m³", "m3", Fraction(10_000)),
        ("tce/(10^4 CNY)", "kgce/CNY", Fraction(1, 10)),
        ("%", "1", Fraction(1, 100)),
        ("kcal/kg", "kJ/kg", Fraction(41868, 10_000)),
        ("t/h", "kg/s", Fraction(1000, 3600)),
    ],
)
def test_the_trades_own_units(source: str, target: str, factor: Fraction) -> None:
    assert conversion(source, target) == factor


@pytest.mark.parametrize(
    ("recorded", "wanted", "factor"),
    [
        ("kg", "kgCH4", Fraction(1)), ("t", "tCO2e", Fraction(1)), ("kg", "tCO2", Fraction(1, 1000)),
        ("%", "tC/t", Fraction(1, 100)), ("kg/GJ", "tC/GJ", Fraction(1, 1000)), ("kgCH4", "tCH4", Fraction(1, 1000)),
    ],
)  # fmt: skip
def test_a_recorded_mass_may_leave_out_the_substance(recorded: str, wanted: str, factor: Fraction) -> None:
    assert recorded_factor(parse_unit(recorded), parse_unit(wanted)) == factor


@pytest.mark.parametrize(
    ("recorded", "wanted"), [("tCO2", "tCO2e"), ("kgCH4", "kg"), ("tC", "tCO2"), ("t", "tce")]
)
def test_a_recorded_substance_is_no_other(recorded: str, wanted: str) -> None:
    with pytest.raises(UnitError):
        recorded_factor(parse_unit(recorded), parse_unit(wanted))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("tCO2", "tCO2e"),
        ("tC", "tCO2"),
        ("kgCH4", "kgCO2e"),
        ("t", "tCO2"),
        ("kWh", "tce"),
        ("m3", "t"),
        ("kvarh", "kWh"),
        ("CNY", "USD"),
    ],
)
def test_what_must_never_be_mixed(one: str, other: str) -> None:
    with pytest.raises(UnitError):
        conversion(one, other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kWh/",
        "/h",
        "kkWh",
        "tonn es",
        "(kWh",
        "kWh)",
        "10^x m3",
        "kW--h",
        "☃",
        "10^999999999 t",
        "m^99999999",
    ],
)
def test_what_is_no_unit(text: str) -> None:
    with pytest.raises(UnitError):
        parse_unit(text)


def test_a_hint_for_a_misspelling() -> None:
    with pytest.raises(UnitError, match="did you mean “kgce”"):
        parse_unit("kgcee")


@given(
    st.lists(st.sampled_from(["kWh", "t", "m3", "h", "tCO2", "kgce", "CNY", "GJ"]), min_size=1, max_size=4),
    st.data(),
)
def test_products_multiply_exactly(names: list[str], data: st.DataObject) -> None:
    signs = [data.draw(st.sampled_from("·/")) for _ in names[1:]]
    text, ratio = names[0], parse_unit(names[0]).ratio
    for sign, name in zip(signs, names[1:], strict=True):
        text += sign + name
        part = parse_unit(name).ratio
        ratio = ratio * part if sign == "·" else ratio / part
    assert parse_unit(text).ratio == ratio
    assert (parse_unit(text) / parse_unit(text)).dimension == ()
