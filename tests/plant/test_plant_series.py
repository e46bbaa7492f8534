"""What meters counted cell by cell, and the readings behind it, on the small plant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from celadon.core.findings import FindingError
from tests.plant import small

VIRTUAL = "virtual_meters:\n  - {id: V1, name: rest, carrier: electricity, unit: kWh, formula: E1 - 0.5*E2}\n"
START = datetime(2023, 12, 31, 16, tzinfo=UTC)  # 1 January in Shanghai


def test_series_by_cell_day_and_month(tmp_path: Path) -> None:
    plant = small.PLANT.replace("sources:\n", VIRTUAL + "sources:\n", 1)
    with small.loaded(tmp_path, plant=plant) as opened:
        hourly = opened.series(["E1", "V1"], "2024-01")
        assert len(hourly.starts) == 744
        assert hourly.starts[:2] == (START, START + timedelta(hours=1))
        assert set(hourly.seconds) == {3600}
        # 10 kWh an hour; 10 − 0.5 × 4
        assert [set(line.values) for line in hourly.lines] == [{10.0}, {8.0}]
        assert [line.unit for line in hourly.lines] == ["kWh", "kWh"]
        daily = opened.series(["E2"], "2024-01", per="day")
        assert daily.lines[0].values == (96.0,) * 31
        assert daily.seconds[0] == 86400
        monthly = opened.series(["E1"], "2024", per="month")
        assert monthly.lines[0].values == (7440.0, *(None,) * 11)
        balance = opened.balance("2024-01")
        assert sum(hourly.lines[0].values) * 10**6 == balance.proofs[0].attributed  # type: ignore[arg-type]


def test_what_is_absent_stays_absent_and_outages_are_estimated(tmp_path: Path) -> None:
    # hours 10 to 19 are missing: 10 h × 10 kWh are known in sum, and estimated in each hour
    lines = small.rows(0, 9) + small.rows(20, 40, header=False)
    with small.loaded(tmp_path, readings=lines) as opened:
        found = opened.series(["E1"], "2024-01-01..2024-01-02").lines[0]
        assert found.values[:40] == pytest.approx([10.0] * 40)
        assert found.values[40:] == (None,) * 8
        assert [round(share, 6) for share in found.estimated[8:21]] == [0.0, *[1.0] * 11, 0.0]


def test_readings_around_a_stretch(tmp_path: Path) -> None:
    with small.loaded(tmp_path) as opened:
        found = opened.readings("E1", START + timedelta(hours=5), START + timedelta(hours=7), beyond=2)
        # hours 3 and 4 before, 5 and 6 inside, 7 and 8 after; the file's header is line 1
        assert [(item.value, item.line) for item in found] == [
            (1000.0 + 10 * hour, hour + 2) for hour in range(3, 9)
        ]
        assert {item.file for item in found} == {"data/january.csv"}
        assert found[0].time == START + timedelta(hours=3)


def test_refusals(tmp_path: Path) -> None:
    with small.loaded(tmp_path) as opened:
        with pytest.raises(FindingError) as unknown:
            opened.series(["E3"], "2024-01")
        assert unknown.value.findings[0].code == "series.meter-unknown"
        assert unknown.value.findings[0].values["meter"] == "E3"
        with pytest.raises(FindingError):
            opened.readings("E9", START, START + timedelta(hours=1))
        with pytest.raises(FindingError) as long:
            opened.series(["E1"], "1900..2024")
        found = long.value.findings[0]
        assert (found.code, found.values["most"]) == ("series.too-long", "1,000,000")
