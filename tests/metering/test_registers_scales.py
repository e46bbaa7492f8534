"""Ticks, digests, limits, and what a window needs around it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celadon.core.model import MeterChange, PointKind
from celadon.core.text import Text
from celadon.core.units import UnitError
from celadon.metering.around import take_around
from celadon.metering.changes import NEIGHBOURS
from celadon.metering.registers import declare, in_force, ticks_sql
from celadon.metering.scales import config_digest, life, scale_of, ticks_per_unit
from tests.metering.ledgers import at, every, ledger, load, meter, rows, window


def test_ticks_per_unit_follows_ratio_and_unit() -> None:
    changes = (
        MeterChange(at("05-01 00:00"), "unit", unit="MWh"),
        MeterChange(at("03-01 00:00"), "multiplier", multiplier=Fraction(60)),
    )
    made = meter(multiplier=Fraction(40), changes=changes)
    assert ticks_per_unit(made) == 40 * 10**6
    assert ticks_per_unit(made, at("03-01 00:00")) == 60 * 10**6
    assert ticks_per_unit(made, at("05-02 00:00")) == 60 * 10**9
    assert ticks_per_unit(meter(unit="kW", kind=PointKind.RATE)) == 10**6
    assert ticks_per_unit(meter(unit="kWh", carrier="heat")) == 3600


def test_what_the_digest_depends_on() -> None:
    made = meter(digits=6)
    same = replace(made, name=Text("other", "别名"), parent="X", process="p", tariff="t", uncertainty=0.5)
    assert config_digest(same, 3600) == config_digest(made, 3600)
    others = [
        replace(made, digits=7), replace(made, multiplier=Fraction(2)), replace(made, max_rate=9.0), replace(made, unit="MWh"),
        replace(made, changes=(MeterChange(at("03-01 00:00"), "reset"),)), replace(made, installed_at=at("03-01 00:00")),
    ]  # fmt: skip
    digests = {config_digest(one, 3600) for one in [made, *others]} | {config_digest(made, 900)}
    assert len(digests) == 8


@settings(max_examples=30, deadline=None)
@given(
    value=st.one_of(st.floats(-(10**7), 10**7), st.integers(0, 10**9).map(lambda i: i / 100)),
    ratio=st.sampled_from(
        [Fraction(1), Fraction(4000), Fraction(5, 3), Fraction(1, 7), Fraction(45359237, 10**8)]
    ),
)
def test_ticks_in_sql_and_in_python_agree(value: float, ratio: Fraction) -> None:
    made = meter(multiplier=ratio)
    con = duckdb.connect()
    lives = {1: life(made)}
    declare(con, lives)
    con.execute(
        "CREATE TABLE r AS SELECT 1::INTEGER AS point, TIMESTAMP '2024-01-01' AS t, ?::DOUBLE AS value",
        [value],
    )
    (got,) = con.execute(f"SELECT {ticks_sql(lives)} FROM r {in_force(['register'])}").fetchone() or (None,)
    assert got == lives[1].epochs[0].scale.ticks(value)
    assert abs(got - Fraction(value) * ratio * 10**6) <= ratio / 2 + 1


def test_the_display_decides_how_many_decimals_are_kept() -> None:
    assert scale_of(Fraction(10**6), 7).places == 6
    assert scale_of(Fraction(10**6), 12).places == 3
    assert scale_of(Fraction(10**6), 18).places == 0


assert NEIGHBOURS == 20


@pytest.mark.parametrize("usable", [True, False])
def test_what_is_taken_around_a_window(usable: bool) -> None:
    """NEIGHBOURS usable instants on each side; readings the meter cannot show are taken along but do not count."""
    quarter = timedelta(minutes=15)
    values = [1.0 if usable or i % 2 else 500.0 for i in range(4 * 24 * 3)]
    con = load(rows(every("03-01 00:00", quarter, values)))
    made = meter(digits=2)
    short = take_around(con, "r", [made], {"M": 1}, window("03-02 00:00", "03-02 12:00"), "near")
    assert short == (set(), set())
    first, last = con.execute("SELECT min(t), max(t) FROM near").fetchone() or (None, None)
    before, after = (
        (19, 20) if usable else (39, 39)
    )  # every other reading is usable, those on the edges are not
    assert (first, last) == (at("03-02 00:00") - quarter * before, at("03-02 12:00") + quarter * after)
    assert take_around(con, "r", [made], {"M": 1}, window("03-01 00:00", "03-03 22:00"), "near") == ({1}, {1})


def test_large_counts_times_odd_ratios_are_exact() -> None:
    """5·10^9 on the display of a ratio of 0.123456 = 1929/15625: the product passes 64 bits, the amount is 15 × 0.123456 kWh."""
    readings = rows([("01-01 00:00", 5e9), ("01-01 00:15", 5e9 + 15)])
    got = ledger(readings, meter(multiplier=Fraction("0.123456")), window("01-01 00:00", "01-02 00:00"))
    assert got.cells[1, at("01-01 00:00")][0] == 1_851_840
    assert "out-of-range" not in got.codes()


def test_a_value_that_cannot_be_counted_is_no_reading() -> None:
    """5·10^13 Wh are 5·10^10 kWh, below the limit of amounts, but 5·10^19 of the counts they would be counted in."""
    made = meter(kind=PointKind.INTERVAL, unit="Wh")
    readings = rows([("01-01 00:15", 5e13), ("01-01 00:30", 1200.0)], span=900)
    got = ledger(readings, made, window("01-01 00:00", "01-02 00:00"))
    assert got.event("out-of-range")["value"] == 5e13
    assert got.total() == 1_200_000


def test_a_ratio_of_too_many_digits_makes_the_meter_unusable() -> None:
    ratio = Fraction(10**23 + 1, 10**23)
    with pytest.raises(UnitError, match="more digits than can be counted exactly"):
        life(meter(multiplier=ratio))
    got = ledger(rows([("01-01 00:15", 5.0)]), meter(multiplier=ratio), window("01-01 00:00", "01-02 00:00"))
    assert got.codes() == ["unit-unusable"]
    [found] = got.findings()
    assert found.says() == (
        "M is in no account: unit and multiplier together have more digits than can be counted exactly."
    )
    assert found.says("zh") == "M 未计入：单位与倍率合在一起的位数过多，无法精确计数。"
