"""Two answers: as-of dates, options, rulebooks, factor tables, and files that are not loaded yet."""

from datetime import date
from pathlib import Path

import pytest

import celadon
from tests.plant import small

BOOK = "cn_gbt_32150_2015"


def difference(found, quantity: str) -> tuple:
    (line,) = [line for line in found.comparison.lines if line.quantity == quantity]
    return line


def test_a_preview_equals_the_later_commit(tmp_path: Path) -> None:
    hours = [*range(300), *range(324, small.HOURS - 40)]
    text = "time,E1,E2\n" + "".join(small.rows(hour, hour, header=False) for hour in hours)
    plant = small.loaded(tmp_path, readings=text)
    before = plant.view().snapshot.recorded_at
    batches = len(plant.store.batches())
    (tmp_path / "data" / "late.csv").write_text(small.rows(300, small.HOURS))
    (tmp_path / "fuel" / "late.csv").write_text(
        "date,kind,fuel,amount,unit,number\n2024-01-20,bought,diesel,2,t,D2\n"
    )
    preview = plant.compare(BOOK, "2024-01", pending_files=True)
    assert len(plant.store.batches()) == batches  # nothing is committed
    assert small.emission(plant) == pytest.approx(3.515, abs=1e-12)
    plant.load()
    later = plant.compare(BOOK, "2024-01", before={"as_of": before})
    assert preview.comparison.lines == later.comparison.lines
    line = difference(later, "purchased_electricity_emission")
    assert (line.before, line.after) == (pytest.approx(3.515, abs=1e-12), pytest.approx(3.72, abs=1e-12))
    assert [cause.kind for cause in line.causes] == ["fact"]
    assert sum(cause.difference for cause in line.causes) == pytest.approx(line.difference, abs=1e-12)
    assert preview.to_json()["after"]["pending"] is True
    assert later.to_json()["after"]["pending"] is False


def test_a_preview_of_the_load_itself(tmp_path: Path) -> None:
    plant = celadon.open_plant(small.write(tmp_path))
    would = plant.preview()
    assert (would.readings, would.records) == (2 * (small.HOURS + 1), 3)
    done = plant.load()
    assert (done.readings, done.records) == (would.readings, would.records)
    assert plant.preview().readings == 0


def test_a_changed_factor_in_the_plant_file_before_and_after(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    before = plant.view().snapshot.recorded_at
    (tmp_path / "plant.yaml").write_text(
        small.PLANT.replace("value: 0.5, unit: kgCO2/kWh", "value: 0.6, unit: kgCO2/kWh")
    )
    changed = celadon.open_plant(tmp_path)
    preview = changed.compare(BOOK, "2024-01", pending_files=True)
    line = difference(preview, "purchased_electricity_emission")
    assert line.after == pytest.approx(4.464, abs=1e-12)
    assert [(cause.kind, cause.name) for cause in line.causes] == [("factor", "grid_emission_factor")]
    done = changed.load()
    assert (done.readings, done.ledger_parts) == (0, 0)  # no reading is touched by a factor
    assert small.emission(changed) == pytest.approx(4.464, abs=1e-12)
    assert small.emission(changed, as_of=before) == pytest.approx(3.72, abs=1e-12)


def test_two_rulebooks_and_two_options(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    found = plant.compare(BOOK, "2024-01", after={"rulebook": "ghg_protocol_corporate"})
    assert difference(found, "scope_2_location_based").before is None
    options = plant.compare(
        "cn_gbt_2589_2020",
        "2024-01",
        before={"options": {"electricity_basis": "equivalent"}},
        after={"options": {"electricity_basis": "equal_value"}},
    )
    line = difference(options, "comprehensive_energy")
    assert sum(cause.difference for cause in line.causes) == pytest.approx(line.difference, abs=1e-12)


def test_factor_tables_of_two_dates(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, plant=small.PLANT[: small.PLANT.index("factors:")])
    found = plant.compare(
        BOOK,
        "2024-01",
        before={"factors_as_of": date(2024, 12, 1)},
        after={"factors_as_of": date(2026, 12, 1)},
    )
    line = difference(found, "purchased_electricity_emission")
    assert {cause.kind for cause in line.causes} == {"factor"}
    assert line.difference == pytest.approx(sum(cause.difference for cause in line.causes), abs=1e-12)
