"""End to end: files that grow, are corrected elsewhere, or lose rows; what each version says that is new, and no more."""

from pathlib import Path

import celadon
from tests.plant import small

HEADER = "date,kind,fuel,amount,unit,number\n"
OPENING, CLOSING = "2024-01-01,opening,diesel,1.5,t,\n", "2024-01-31,closing,diesel,0.5,t,\n"


def bought(amount: float, number: str, day: str = "2024-01-10") -> str:
    return f"{day},bought,diesel,{amount},t,{number}\n"


def diesel(plant: celadon.Plant, as_of: object = None) -> float | None:
    answer = plant.account("cn_gbt_32150_2015", "2024-01", quantities=("energy_consumed",), as_of=as_of)  # type: ignore[arg-type]
    return next((row.value for row in answer.rows if row.item == "diesel"), None)


def with_fuel(folder: Path, name: str, text: str) -> None:
    (folder / "fuel" / name).write_text(HEADER + text, encoding="utf-8")


def plant_with(folder: Path, fuel: str) -> celadon.Plant:
    return small.loaded(folder, fuel=HEADER + fuel)


def test_a_row_taken_out_of_a_register_no_longer_counts(tmp_path: Path) -> None:
    plant = plant_with(tmp_path, OPENING + bought(4, "D1") + bought(3, "D2") + CLOSING)
    before = plant.view().snapshot.recorded_at
    assert diesel(plant) == 8.0
    with_fuel(tmp_path, "fuel.csv", OPENING + bought(4, "D1") + CLOSING)
    done = plant.load()
    told = [item for item in done.findings if item.code == "load.rows-withdrawn"]
    assert [item.values["count"] for item in told] == [1]
    assert all("D2" in told[0].says(lang) for lang in ("zh", "en"))
    assert next(item for item in done.files if item.status == "loaded").repeated == 3
    assert diesel(plant) == 5.0
    assert diesel(plant, as_of=before) == 8.0
    with_fuel(tmp_path, "fuel.csv", OPENING + bought(4, "D1") + bought(3, "D2") + CLOSING)
    plant.load()
    assert diesel(plant) == 8.0  # put back


def test_a_file_written_anew_each_month_takes_nothing_back(tmp_path: Path) -> None:
    plant = plant_with(tmp_path, OPENING + bought(4, "D1") + CLOSING)
    with_fuel(tmp_path, "fuel.csv", bought(2, "D9", "2024-02-10"))
    assert "load.rows-withdrawn" not in [item.code for item in plant.load().findings]
    assert diesel(plant) == 5.0


def test_a_register_that_only_grew_leaves_a_correction_in_another_file(tmp_path: Path) -> None:
    plant = plant_with(tmp_path, OPENING + bought(4, "D1") + CLOSING)
    with_fuel(tmp_path, "mended.csv", bought(3, "D1"))
    plant.load()
    assert diesel(plant) == 4.0
    with_fuel(tmp_path, "fuel.csv", OPENING + bought(4, "D1") + bought(1, "D3") + CLOSING)
    plant.load()
    assert diesel(plant) == 5.0
    with_fuel(tmp_path, "fuel.csv", OPENING + bought(4.5, "D1") + bought(1, "D3") + CLOSING)
    plant.load()
    assert diesel(plant) == 6.5  # what the register changes itself is its newest word


def test_one_invoice_listed_twice_is_told(tmp_path: Path) -> None:
    folder = small.write(tmp_path, fuel=HEADER + OPENING + bought(4, "D1") + bought(4, "D1") + CLOSING)
    plant = celadon.open_plant(folder)
    told = [item for item in plant.load().findings if item.code == "load.rows-repeated"]
    assert [(item.values["lines"], item.where.line) for item in told] == [("4", 4)]
    assert diesel(plant) == 5.0


def test_an_export_that_only_grew_leaves_a_reading_corrected_in_another_file(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, readings=small.rows(0, 100))
    assert small.energy(plant, "E1", "2024-01-02") == 240.0
    (tmp_path / "data" / "mended.csv").write_text("time,E1,E2\n2024-01-03 00:00,1470,\n", encoding="utf-8")
    plant.load()
    assert small.energy(plant, "E1", "2024-01-02") == 230.0
    (tmp_path / "data" / "january.csv").write_text(small.rows(0, 200), encoding="utf-8")
    grown = plant.load()
    assert [(item.readings, item.repeated) for item in grown.files if item.status == "loaded"] == [(200, 202)]
    assert small.energy(plant, "E1", "2024-01-02") == 230.0
    assert small.energy(plant, "E1", "2024-01-03") == 250.0
