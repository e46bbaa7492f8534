"""Early warning: the forecast by hand, its band against what came to pass, levels from the region file, and what is told."""

import json
import math

import duckdb
import pytest

from celadon.cli import main
from celadon.cli.shapes import problems
from celadon.core.findings import FindingError
from celadon.region import warning
from celadon.region.facade import open_region
from celadon.region.warning import forecast_sql, student


@pytest.mark.parametrize(
    ("band", "freedom", "t"),
    [(0.8, 3, 1.638), (0.8, 7, 1.415), (0.8, 11, 1.363), (0.95, 4, 2.776), (0.95, 9, 2.262), (0.9, 1, 6.314), (0.9, 2, 2.920)],
)  # fmt: skip
def test_student_as_printed(band, freedom, t):
    assert student(band, freedom) == pytest.approx(t, abs=6e-4)


def outlook(rows, last, quota=100.0, band=0.8):
    """The one enterprise of (month number, x) rows."""
    with duckdb.connect() as con:
        con.execute("CREATE TABLE facts (enterprise INTEGER, m INTEGER, x DOUBLE)")
        con.executemany("INSERT INTO facts VALUES (1, ?, ?)", rows)
        con.execute(
            "CREATE TABLE quota AS SELECT 1 AS enterprise, 'q' AS quantity, ?::DOUBLE AS value", [quota]
        )
        con.execute(f"CREATE TABLE outlook ({warning._OUTLOOK})")
        con.execute(forecast_sql("SELECT * FROM facts", "q", 2024, last, band))
        [row] = con.execute(f"SELECT {', '.join(warning._NUMBERS)} FROM outlook").fetchall()
    return dict(zip(warning._NUMBERS, row, strict=True))


JANUARY = 2024 * 12


def test_forecast_by_hand():
    before = [(JANUARY - 12 + k, 10.0) for k in range(12)]
    now = [(JANUARY + k, x) for k, x in enumerate([11.0, 13.0, 11.0, 13.0])]
    found = outlook([*before, *now], JANUARY + 3)
    # 48 so far; growth 48/40 = 1.2; the rest 8 x 10 x 1.2 = 96; 144 in all
    assert (found["used"], found["growth"], found["rest"], found["forecast"]) == (48, 1.2, 96, 144)
    assert found["ratio"] == 1.44
    logs = [math.log(1.1), math.log(1.3)] * 2
    mean = sum(logs) / 4
    spread = math.sqrt(sum((x - mean) ** 2 for x in logs) / 3)
    assert found["spread"] == pytest.approx(spread)
    # eight equal months: sum of squared shares 8/64; and 1/4 for the growth
    width = student(0.8, 3) * spread * math.sqrt(8 / 64 + 1 / 4)
    assert found["low"] == pytest.approx(48 + 96 * math.exp(-width))
    assert found["high"] == pytest.approx(48 + 96 * math.exp(width))


def test_a_seasonal_year_is_followed():
    season = [3, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 6]
    before = [(JANUARY - 12 + k, float(x)) for k, x in enumerate(season)]
    now = [(JANUARY + k, 2.0 * x) for k, x in enumerate(season[:6])]
    found = outlook([*before, *now], JANUARY + 5)
    assert found["forecast"] == 2 * sum(season)
    assert found["low"] == found["high"] == 2 * sum(season)  # growth was even: nothing to doubt


def test_too_few_months_no_forecast_and_a_whole_year_needs_none():
    before = [(JANUARY - 12 + k, 10.0) for k in range(12)]
    few = outlook([*before, *((JANUARY + k, 50.0) for k in range(3))], JANUARY + 2)
    assert (few["used"], few["forecast"], few["ratio"]) == (150, None, 1.5)
    gap = outlook([*before[:11], *((JANUARY + k, 10.0) for k in range(6))], JANUARY + 5)
    assert gap["forecast"] is None  # last December is not known
    whole = outlook([*before, *((JANUARY + k, 10.0) for k in range(12))], JANUARY + 11)
    assert (whole["forecast"], whole["low"], whole["high"], whole["rest"]) == (120, 120, 120, 0)


def test_months_without_a_report_are_forecast_and_not_zero():
    before = [(JANUARY - 12 + k, 10.0) for k in range(12)]
    # up to August: May to July were not reported. 11 + 13 + 11 + 13 + 12 = 60 on 50: growth 1.2; seven months at 10: 84
    gaps = outlook(
        [*before, *((JANUARY + k, x) for k, x in [(0, 11.0), (1, 13.0), (2, 11.0), (3, 13.0), (7, 12.0)])],
        JANUARY + 7,
    )
    assert (gaps["used"], gaps["missing"], gaps["before_rest"], gaps["growth"]) == (60, 3, 70, 1.2)
    assert (gaps["rest"], gaps["forecast"]) == (84, 144)
    # and in December: ten months of 12 on 10, two not reported
    late = outlook([*before, *((JANUARY + k, 12.0) for k in range(10))], JANUARY + 11)
    assert (late["missing"], late["forecast"]) == (2, 144)
    # a month that last year does not know either cannot be forecast
    both = outlook([*before[:11], *((JANUARY + k, 12.0) for k in range(10))], JANUARY + 11)
    assert (both["forecast"], both["ratio"]) == (None, 1.2)


def test_months_at_zero_count_in_the_growth():
    before = [(JANUARY - 12 + k, 10.0) for k in range(12)]
    # four months as last year, four at a stand: 40 on 80 is a growth of 0.5; four more at 5
    half = outlook([*before, *((JANUARY + k, 10.0 if k < 4 else 0.0) for k in range(8))], JANUARY + 7)
    assert (half["growth"], half["months"], half["forecast"]) == (0.5, 4, 60)
    closed = outlook([*before, *((JANUARY + k, 0.0) for k in range(12))], JANUARY + 11)
    assert (closed["used"], closed["forecast"], closed["ratio"]) == (0, 0, 0)


def test_the_band_holds_what_came_to_pass_about_as_often_as_it_says(country):
    """Backtest: from eight months of 2024 the year's end of every firm with a quota, against its own twelve months; firms
    with a planted anomaly are no test of a forecast and are left out."""
    planted = {line.split(",")[0] for line in (country / "truth.csv").read_text("utf-8").splitlines()[1:]}
    with open_region(country) as region:
        found = region.account(
            "cn_gbt_2589_2020",
            "2023..2024",
            by="enterprise",
            per="month",
            quantities=["comprehensive_energy"],
        )
    series = {}
    for row in found.rows:
        if row.group[0] not in planted:
            series.setdefault(row.group[0], {})[row.start.year * 12 + row.start.month - 1] = row.value
    whole = {name: values for name, values in series.items() if len(values) == 24}
    assert len(whole) > 800
    numbers = {name: number for number, name in enumerate(whole)}
    with duckdb.connect() as con:
        con.execute("CREATE TABLE facts (enterprise INTEGER, m INTEGER, x DOUBLE)")
        listed = [
            f"({numbers[name]}, {m}, {x!r})" for name, values in whole.items() for m, x in values.items()
        ]
        con.execute(f"INSERT INTO facts VALUES {', '.join(listed)}")
        con.execute(
            "CREATE TABLE quota AS SELECT DISTINCT enterprise, 'q' AS quantity, 1e0 AS value FROM facts"
        )
        con.execute(f"CREATE TABLE outlook ({warning._OUTLOOK})")
        con.execute(forecast_sql("SELECT * FROM facts", "q", 2024, JANUARY + 7, 0.8))
        [(held, above, off)] = con.execute(
            "SELECT avg((y BETWEEN low AND high)::INTEGER), avg((y > high)::INTEGER), median(abs(forecast / y - 1)) FROM outlook "
            f"JOIN (SELECT enterprise, sum(x) AS y FROM facts WHERE m >= {JANUARY} GROUP BY 1) USING (enterprise)"
        ).fetchall()
    assert 0.72 < held < 0.88
    assert 0.06 < above < 0.14  # misses fall on both sides
    assert off < 0.02


def test_levels_and_words(country, capsys):
    with open_region(country) as region:
        found = region.warn(2024, 8, most=1000)
        everything = region.warn(2024, 8, most=100_000)
    assert [level.id for level in found.levels] == ["blue", "yellow", "orange", "red"]
    bounds = {"blue": (0.95, 1.0), "yellow": (1.0, 1.05), "orange": (1.05, 1.1), "red": (1.1, math.inf)}
    for item in everything.warnings:
        low, high = bounds[item.level]
        assert low <= item.numbers["ratio"] < high
    assert len(everything.warnings) == sum(found.counts.values()) > 10
    ratios = [item.numbers["ratio"] for item in found.warnings]
    assert ratios == sorted(ratios, reverse=True)
    told = [item for item in found.findings if item.code == "warning.quota"]
    assert len(told) == len(found.warnings)
    first = found.warnings[0]
    assert first.numbers["forecast"] == pytest.approx(first.numbers["used"] + first.numbers["rest"])
    assert first.numbers["ratio"] == pytest.approx(first.numbers["forecast"] / first.numbers["quota"])
    assert told[0].values["level"].zh == "红色"
    assert "heading for" in told[0].says("en")
    assert "预计全年" in told[0].says("zh")
    assert "warning.no-forecast" in {item.code for item in found.findings}  # some months were not reported
    assert main(["warn", str(country), "--year", "2024", "--month", "8", "--most", "3", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert problems(body) == []
    assert len(body["warnings"]) == 3
    assert main(["warn", str(country), "--year", "2024", "--month", "8", "--most", "1", "--lang", "zh"]) == 0
    assert "橙色" in capsys.readouterr().out
    with open_region(country) as region, pytest.raises(FindingError) as error:
        region.warn(2025)
    assert error.value.findings[0].code == "warning.no-quotas"


QUOTAS = """celadon-region: 1
region: {id: r1}
registry: {files: [registry.csv], columns: {enterprise: id, industry: code, region: place}}
sources:
  - {id: reports, files: [reports.csv], enterprise: id, month: month, values: [{column: used, quantity: energy_consumed, item: electricity, unit: MWh}]}
quotas: {files: [quotas.csv], rulebook: cn_gbt_2589_2020, columns: {enterprise: id, year: year, quantity: q, value: v, unit: u}}
"""


def test_quotas_that_cannot_be_used_are_told(tmp_path):
    (tmp_path / "region.yaml").write_text(QUOTAS, encoding="utf-8")
    (tmp_path / "registry.csv").write_text("id,code,place\nA,3411,370100\nB,3411,370100\n", encoding="utf-8")
    lines = [
        f"{name},{year}-{month:02},1000"
        for name in "AB"
        for year in (2023, 2024)
        for month in range(1, 13 if year == 2023 else 7)
    ]
    (tmp_path / "reports.csv").write_text("id,month,used\n" + "\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "quotas.csv").write_text(
        "id,year,q,v,u\nA,2024,comprehensive_energy,1400000,kgce\nB,2024,comprehensive_energy,1,t\nB,2024,happiness,1,t\nB,2024,standard_coal_equivalent,9,tce\n",
        encoding="utf-8",
    )
    with open_region(tmp_path) as region:
        region.load()
    with open_region(tmp_path) as region:
        found = region.warn(2024)
    codes = {item.code: item.values for item in found.findings}
    assert (codes["warning.quota-unit"]["unit"], codes["warning.quota-unit"]["count"]) == ("t", 1)
    assert codes["warning.quota-quantity"]["quantity"] == "happiness"
    assert codes["region.no-total"]["quantity"] == "standard_coal_equivalent"  # it is told by carrier
    [told] = found.warnings
    # 12 x 1000 MWh x 0.1229 = 1474.8 tce on 1400 tce: 105.3 %
    assert (told.enterprise, told.level) == ("A", "orange")
    assert told.numbers["forecast"] == pytest.approx(1474.8)
    assert told.numbers["quota"] == pytest.approx(1400)
    assert found.month == "2024-06"


def test_gaps_are_told_and_a_quota_of_zero_is_at_the_last_level(tmp_path):
    """A: from July on without reports, as of August; B: whole, with a quota of nothing."""
    (tmp_path / "region.yaml").write_text(QUOTAS, encoding="utf-8")
    (tmp_path / "registry.csv").write_text("id,code,place\nA,3411,370100\nB,3411,370100\n", encoding="utf-8")
    lines = [f"{name},2023-{month:02},1000" for name in "AB" for month in range(1, 13)]
    lines += [
        f"{name},2024-{month:02},1000" for name, last in (("A", 6), ("B", 8)) for month in range(1, last + 1)
    ]
    (tmp_path / "reports.csv").write_text("id,month,used\n" + "\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "quotas.csv").write_text(
        "id,year,q,v,u\nA,2024,comprehensive_energy,1400,tce\nB,2024,comprehensive_energy,0,tce\n",
        encoding="utf-8",
    )
    with open_region(tmp_path) as region:
        region.load()
        found = region.warn(2024, 8)
    by_name = {item.enterprise: item for item in found.warnings}
    # 12 x 1000 MWh x 0.1229 = 1474.8 tce on 1400 tce, though July and August are not reported
    assert (by_name["A"].level, by_name["A"].numbers["missing"]) == ("orange", 2)
    assert by_name["A"].numbers["forecast"] == pytest.approx(1474.8)
    assert (by_name["B"].level, by_name["B"].numbers["ratio"]) == ("red", None)
    assert found.counts == {"blue": 0, "yellow": 0, "orange": 1, "red": 1}
    [told] = [item for item in found.findings if item.code == "warning.months-estimated"]
    assert told.values == {"count": 1, "month": "2024-08"}
