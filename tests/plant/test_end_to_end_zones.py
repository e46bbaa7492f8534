"""End to end: sites in several time zones, whose own calendars make one enterprise; bills of months that begin before the data."""

from datetime import datetime, timedelta

import pytest

import celadon
from celadon.core.periods import parse_period

PLANT = """\
celadon: 1
enterprise: {id: pair, name: Two works}
zone: America/Chicago
grid: 30min
sites:
  - {id: ames, name: Ames, region: US}
  - {id: pune, name: Pune, region: IN, zone: Asia/Kolkata}
meters:
  - {id: A1, carrier: electricity, flow: purchased, site: ames, kind: interval, stamp: start, interval: 1h, unit: kWh}
  - {id: P1, carrier: electricity, flow: purchased, site: pune, kind: interval, stamp: start, interval: 1h, unit: kWh}
  - {id: H1, carrier: heat, flow: purchased, site: ames, kind: interval, stamp: start, interval: until-next, unit: GJ}
sources:
  - {id: power, role: readings, files: [power.csv], time: {column: from}, long: {meter: meter, value: value}}
  - {id: bills, role: readings, files: [bills.csv], time: {column: from}, wide: {GJ: H1}}
factors:
  - {factor: grid_emission_factor, value: 0.5, unit: tCO2/MWh, since: 2026-01-01, until: 2026-12-31, source: supplier}
  - {factor: heat_emission_factor, value: 0.1, unit: tCO2/GJ, since: 2026-01-01, until: 2026-12-31, source: supplier}
"""
BOOK = "ghg_protocol_corporate"
QUANTITY = ("scope_2_location_based",)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> celadon.Plant:
    """January and February 2026 by each site's own clock: 100 kWh an hour at Ames, 10 at Pune; two heat bills."""
    folder = tmp_path_factory.mktemp("zones")
    rows = ["from,meter,value"]
    for hour in range(59 * 24):
        moment = datetime(2026, 1, 1) + timedelta(hours=hour)
        rows += [f"{moment:%Y-%m-%dT%H:%M},A1,100", f"{moment:%Y-%m-%dT%H:%M}:00+05:30,P1,10"]
    (folder / "plant.yaml").write_text(PLANT, encoding="utf-8")
    (folder / "power.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "bills.csv").write_text(
        "from,GJ\n2026-01-01,310\n2026-02-01,560\n2026-03-01,\n", encoding="utf-8"
    )
    opened = celadon.open_plant(folder)
    assert not [item for item in opened.load().findings if item.severity == "error"]
    return opened


def numbers(plant: celadon.Plant, period: str, **asked: str) -> list[tuple[str, str, float]]:
    answer = plant.account(BOOK, period, quantities=QUANTITY, **asked)
    assert all(row.coverage == 1 for row in answer.rows)
    return [(row.site, row.label, round(row.value or 0, 9)) for row in answer.rows]


# electricity: 31 and 28 days of 24 h × (100 + 10) kWh × 0.5 kg; heat 31.0 and 56.0 t
JANUARY, FEBRUARY = 31 * 24 * 0.05 + 31.0, 28 * 24 * 0.05 + 56.0
PUNE = 24 * 0.005  # t a day


def test_each_site_counts_its_own_month(plant: celadon.Plant) -> None:
    assert numbers(plant, "2026-01", by="site") == [
        ("ames", "2026-01", round(JANUARY, 9)),
        ("pune", "2026-01", round(31 * PUNE, 9)),
    ]
    assert numbers(plant, "2026-01..2026-02", by="site") == [
        ("ames", "2026-01-01..2026-02-28", round(JANUARY + FEBRUARY, 9)),
        ("pune", "2026-01-01..2026-02-28", round(59 * PUNE, 9)),
    ]


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        (None, [("", "2026-01-01..2026-02-28", round(JANUARY + FEBRUARY + 59 * PUNE, 9))]),
        (
            "month",
            [
                ("", "2026-01", round(JANUARY + 31 * PUNE, 9)),
                ("", "2026-02", round(FEBRUARY + 28 * PUNE, 9)),
            ],
        ),
    ],
)
def test_an_enterprise_adds_the_months_of_its_sites(
    plant: celadon.Plant, per: str | None, expected: list[tuple[str, str, float]]
) -> None:
    asked = {"by": "enterprise", **({"per": per} if per else {})}
    assert numbers(plant, "2026-01..2026-02", **asked) == expected


def test_a_period_inside_months_and_days_add_up_too(plant: celadon.Plant) -> None:
    # 20..31 January and 1..10 February; the heat bills are spread evenly over their 31 and 28 days
    whole = 22 * (24 * 0.05 + PUNE) + 12 * 1.0 + 10 * 2.0
    assert numbers(plant, "2026-01-20..2026-02-10", by="enterprise")[0][2] == pytest.approx(whole, abs=1e-6)
    days = numbers(plant, "2026-01-20..2026-02-10", by="enterprise", per="day")
    assert [label for _, label, _ in days] == [
        f"{datetime(2026, 1, 20) + timedelta(days=n):%Y-%m-%d}" for n in range(22)
    ]
    assert sum(value for *_, value in days) == pytest.approx(whole, abs=1e-6)


def test_a_bill_that_begins_months_before_its_end_counts_from_its_first_day(plant: celadon.Plant) -> None:
    """Readings are stored by the month they end in; the account must agree with the balance on where they begin."""
    rows = {row.start.month: row for row in plant.balance("2026-01..2026-02").meters if row.node == "H1"}
    assert sorted((row.own or 0) / 1e6 for row in rows.values()) == [310.0, 560.0]
    heat = [
        row.value
        for row in plant.account(BOOK, "2026-01", quantities=("energy_purchased",)).rows
        if row.item == "heat"
    ]
    assert heat == [310.0]


@pytest.mark.parametrize("text", ["0001", "0001-01", "9999", "9999-12-31", "2024-13"])
def test_a_period_outside_the_calendar_is_a_finding(text: str) -> None:
    with pytest.raises(celadon.FindingError) as said:
        parse_period(text, "Asia/Shanghai")
    assert [item.code for item in said.value.findings] == ["period.unreadable"]
