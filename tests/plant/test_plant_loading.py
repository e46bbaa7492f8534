"""Loading: once, whole files, resumable, restatable; every earlier answer stays readable."""

from pathlib import Path

import pytest

import celadon
from celadon.core.findings import FindingError
from celadon.plant.loading import PLANT_RESTATED, READ_ANEW
from celadon.plant.opened import AS_OF_EARLY, CHANGED_SINCE_LOAD
from tests.plant import small


def statuses(done) -> dict[str, str]:
    return {item.name: item.status for item in done.files}


def test_everything_counts_once(tmp_path: Path) -> None:
    plant = celadon.open_plant(small.write(tmp_path))
    done = plant.load()
    assert statuses(done) == {"data/january.csv": "loaded", "fuel/fuel.csv": "loaded"}
    assert (done.readings, done.records) == (2 * (small.HOURS + 1), 3)
    assert small.energy(plant) == 7440.0
    assert small.energy(plant, "E2") == 2976.0
    assert small.emission(plant) == pytest.approx(3.72, abs=1e-12)


def test_the_same_file_twice_is_nothing(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    batches = len(plant.store.batches())
    done = plant.load()
    assert set(statuses(done).values()) == {"known"}
    assert not done.changed
    assert len(plant.store.batches()) == batches
    (tmp_path / "data" / "copy.csv").write_text((tmp_path / "data" / "january.csv").read_text())
    again = plant.load()
    assert again.readings == 0  # another name, the same readings
    assert small.energy(plant) == 7440.0


def test_a_grown_file_adds_what_is_new(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, readings=small.rows(0, 100))
    assert small.energy(plant) == 1000.0
    small.write(tmp_path)
    done = plant.load()
    grown = next(item for item in done.files if item.name == "data/january.csv")
    assert (grown.readings, grown.repeated) == (2 * (small.HOURS - 100), 2 * 101)
    assert small.energy(plant) == 7440.0


def test_a_corrected_reading_restates_and_the_earlier_answer_stays(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    before = plant.view().snapshot.recorded_at
    last = f"2024-02-01 00:00,{1000 + 10 * small.HOURS + 50},{500 + 4 * small.HOURS}\n"
    (tmp_path / "data" / "correction.csv").write_text("time,E1,E2\n" + last)
    done = plant.load()
    assert done.readings == 1  # E2's value is the one known
    assert small.energy(plant) == 7490.0
    assert small.energy(plant, as_of=before) == 7440.0
    assert small.emission(plant) == pytest.approx(3.745, abs=1e-12)
    assert small.emission(plant, as_of=before) == pytest.approx(3.72, abs=1e-12)


def test_a_late_reading_derives_only_what_it_touches(tmp_path: Path) -> None:
    hours = [*range(400), *range(424, small.HOURS + 1)]
    text = "time,E1,E2\n" + "".join(small.rows(hour, hour, header=False) for hour in hours)
    plant = small.loaded(tmp_path, readings=text)
    assert {"metering.outage"} <= {
        item.code for item in plant.account("cn_gbt_32150_2015", "2024-01").findings
    }
    (tmp_path / "data" / "late.csv").write_text(small.rows(412, 412).replace(",2148", ","))
    done = plant.load()
    assert done.readings == 1
    assert done.ledger_parts == 1  # E1 in January, nothing else
    assert small.energy(plant) == 7440.0


def test_findings_of_an_outage_go_when_it_is_filled(tmp_path: Path) -> None:
    hours = [*range(48), *range(72, small.HOURS + 1)]
    text = "time,E1,E2\n" + "".join(small.rows(hour, hour, header=False) for hour in hours)
    plant = small.loaded(tmp_path, readings=text)
    first = plant.view().snapshot.recorded_at

    def outages(as_of=None) -> int:
        found = plant.account("cn_gbt_32150_2015", "2024-01", as_of=as_of).findings
        return sum(1 for item in found if item.code == "metering.outage")

    assert outages() == 2
    (tmp_path / "data" / "late.csv").write_text(small.rows(48, 71))
    plant.load()
    assert outages() == 0
    assert outages(first) == 2


def test_a_changed_declaration_restates_from_now_on(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    before = plant.view().snapshot.recorded_at
    (tmp_path / "plant.yaml").write_text(
        small.PLANT.replace("digits: 6, decimals: 1", "digits: 6, decimals: 1, multiplier: 2", 1)
    )
    changed = celadon.open_plant(tmp_path)
    found = changed.account("cn_gbt_32150_2015", "2024-01")
    assert CHANGED_SINCE_LOAD.code in {item.code for item in found.findings}  # not recorded yet
    assert small.emission(changed) == pytest.approx(3.72, abs=1e-12)
    done = changed.load()
    notice = next(item for item in done.findings if item.kind is PLANT_RESTATED)
    assert notice.says("en").startswith("The plant file changed since it was last loaded (1 meters")
    assert "1 个计量点" in notice.says("zh")
    assert small.emission(changed) == pytest.approx(7.44, abs=1e-12)
    assert small.emission(changed, as_of=before) == pytest.approx(3.72, abs=1e-12)
    assert not changed.load().changed


def test_a_changed_mapping_replaces_the_rows_it_made(tmp_path: Path) -> None:
    wrong = small.PLANT.replace("{E1: E1, E2: E2}", "{E1: E2, E2: E1}")
    plant = small.loaded(tmp_path, plant=wrong)
    before = plant.view().snapshot.recorded_at
    assert small.energy(plant) == 2976.0
    (tmp_path / "plant.yaml").write_text(small.PLANT)
    right = celadon.open_plant(tmp_path)
    done = right.load()
    assert [item.says("en") for item in done.findings if item.kind is READ_ANEW] == [
        "How data/january.csv reads has changed, so it was read again: its earlier rows (batch 2) no longer count."
    ]
    assert small.energy(right) == 7440.0
    assert small.energy(right, "E2") == 2976.0
    assert small.energy(right, as_of=before) == 2976.0


def test_a_changed_zone_moves_every_reading(tmp_path: Path) -> None:
    wrong = small.PLANT.replace("time: {column: time}", "time: {column: time, zone: UTC}")
    plant = small.loaded(tmp_path, plant=wrong)
    assert small.energy(plant, period="2024-01-01") == 160.0  # its first eight hours are missing
    (tmp_path / "plant.yaml").write_text(small.PLANT)
    right = celadon.open_plant(tmp_path)
    right.load()
    assert small.energy(right, period="2024-01-01") == 240.0
    assert small.energy(right, period="2024-02") is None


def test_before_the_first_load_nothing_was_known(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    with pytest.raises(FindingError) as caught:
        plant.account("cn_gbt_32150_2015", "2024-01", as_of="2001-01-01")
    (finding,) = caught.value.findings
    assert finding.kind is AS_OF_EARLY
    assert finding.says("en").startswith(
        "Nothing had been loaded at 2001-01-01; the first load was recorded at 20"
    )
    assert finding.says("zh").startswith("2001-01-01 时尚未加载任何数据")


def test_without_a_store_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FindingError) as caught:
        celadon.open_plant(small.write(tmp_path)).account("cn_gbt_32150_2015", "2024-01")
    assert [item.code for item in caught.value.findings] == ["store.absent"]


def test_half_a_plant_is_not_loaded(tmp_path: Path) -> None:
    plant = celadon.open_plant(small.write(tmp_path, plant=small.PLANT.replace("parent: E1", "parent: E9")))
    with pytest.raises(FindingError):
        plant.load()
    assert not (tmp_path / "celadon-store").exists()


def test_an_unreadable_file_is_tried_again(tmp_path: Path) -> None:
    plant = celadon.open_plant(small.write(tmp_path))
    (tmp_path / "data" / "broken.csv").write_bytes(b"")
    done = plant.load()
    assert statuses(done)["data/broken.csv"] == "failed"
    assert small.energy(plant) == 7440.0
    (tmp_path / "data" / "broken.csv").write_text(small.rows(small.HOURS + 1, small.HOURS + 2))
    assert statuses(plant.load())["data/broken.csv"] == "loaded"
    assert small.energy(plant, period="2024-02") == 20.0


@pytest.mark.parametrize(
    ("form", "stamps"),
    [
        ("excel", ["45293", "45293.0416666667"]),
        ("unix", ["1704124800", "1704128400"]),
        ("unix_ms", ["1704124800000", "1704128400000"]),
        ('"%d/%m/%Y %I:%M %p"', ["02/01/2024 12:00 AM", "02/01/2024 1:00 AM"]),
    ],
)
def test_times_as_counts_and_half_days(tmp_path: Path, form: str, stamps: list[str]) -> None:
    """0:00 and 1:00 of 2 January at Shanghai, as Excel serials, Unix seconds and by a clock of twelve hours."""
    plant = small.PLANT.replace("time: {column: time}", f"time: {{column: time, format: {form}}}")
    readings = "time,E1,E2\n" + "".join(f"{t},{100 + 7 * n},5\n" for n, t in enumerate(stamps))
    made = small.loaded(tmp_path, plant=plant, readings=readings)
    hours = made.series(["E1"], "2024-01-02", per="hour")
    assert hours.lines[0].values[:2] == (7.0, None)


def test_one_reading_is_a_period_of_its_month(tmp_path: Path) -> None:
    """On the very edge of the month: nothing can be counted, and nothing is wrong with the question."""
    small.write(tmp_path, readings="time,E1,E2\n2024-01-01 00:00,1000,500\n", fuel=None)
    plant = celadon.open_plant(tmp_path)
    checked = plant.check()
    assert checked.period == "2024-01"
    assert "period.unreadable" not in {item.code for item in checked.findings}
    plant.load()
    assert plant.balance().conserved
