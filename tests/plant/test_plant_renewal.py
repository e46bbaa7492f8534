"""Late readings renew the facts of their own sites; the answer is that of a plant opened afresh."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import celadon
from celadon.adapters.plant_file import read_plant
from celadon.plant.opened import View, open_file
from celadon.plant.renewal import stand_apart
from celadon.plant.workspace import FactTable
from tests.plant import small

TWO_SITES = """\
celadon: 1
enterprise: {id: acme, name: Acme}
zone: Asia/Shanghai
sites:
  - {id: north, name: North, region: CN-SD, processes: [{id: melt, name: Melting}]}
  - {id: south, name: South, region: CN-HE, processes: [{id: roll, name: Rolling}]}
meters:
  - {id: E1, carrier: electricity, flow: purchased, site: north, unit: kWh, digits: 6, decimals: 1, max_rate: 500 kW}
  - {id: E3, carrier: electricity, parent: E1, site: north, process: melt, unit: kWh, digits: 6, max_rate: 500 kW}
  - {id: E2, carrier: electricity, flow: purchased, site: south, unit: kWh, digits: 6, decimals: 1, max_rate: 500 kW}
sources:
  - id: meters
    role: readings
    files: [data/*.csv]
    time: {column: time}
    wide: {E1: E1, E2: E2}
  - id: fuel
    role: records
    files: [fuel/*.csv]
    fields: {date: date, item: fuel, quantity: kind, value: amount, unit: unit, note: number, site: site, purpose: =mobile}
    map: {quantity: {bought: fuel_purchased}}
factors:
  - {factor: grid_emission_factor, value: 0.5, unit: kgCO2/kWh, since: 2024-01-01, until: 2024-12-31, source: supplier}
"""
FUEL = "date,kind,fuel,amount,unit,number,site\n2024-01-10,bought,diesel,4,t,D1,south\n2024-01-11,bought,diesel,1,t,D2,\n"
BOOK = "cn_gbt_32150_2015"


def _counted(plant: celadon.Plant) -> list[int]:
    """How many sites each later building of facts is of."""
    built: list[int] = []
    work = plant._work
    build = work._build

    def counted(seen: View, *asked: Any, **rest: Any) -> FactTable:
        built.append(len(seen.model.sites))
        return build(seen, *asked, **rest)

    work._build = counted  # type: ignore[method-assign]  (its calls are counted)
    return built


def _rows(plant: celadon.Plant, by: str, as_of: object = None) -> list[object]:
    return sorted(map(str, plant.account(BOOK, "2024-01", by=by, as_of=as_of).rows))  # type: ignore[arg-type]


def _said(plant: celadon.Plant) -> set[str]:
    return {f"{item.code} {item.where} {item.says()}" for item in plant.account(BOOK, "2024-01").findings}


@pytest.mark.parametrize("by", ["site", "process", "meter"])
def test_only_the_site_of_a_late_reading_is_made_anew(tmp_path: Path, by: str) -> None:
    first = small.rows(0, 100) + small.rows(200, small.HOURS, header=False)
    plant = small.loaded(tmp_path, plant=TWO_SITES, readings=first, fuel=FUEL)
    before = _rows(plant, by)
    early = plant.view().snapshot.recorded_at
    (tmp_path / "data" / "late.csv").write_text("time,E1,E2\n2024-01-07 12:00,2600,\n", encoding="utf-8")
    built = _counted(plant)
    assert plant.load().readings == 1
    after = _rows(plant, by)
    assert built == [1]
    afresh = small.open_again(tmp_path)
    assert after == _rows(afresh, by)
    assert _said(plant) == _said(afresh)
    assert any(said.startswith("records.site-unknown") for said in _said(plant))
    assert _rows(plant, by, as_of=early) == before


@pytest.mark.parametrize("by", ["site", "process", "meter"])
@pytest.mark.parametrize(
    ("change", "made"),
    [
        (("process: melt", "process: cast"), 1),
        (("parent: E1, site: north, process: melt", "site: south, process: roll"), 2),
        (("value: 0.5", "value: 0.6"), 0),
        (("{id: roll, name: Rolling}", "{id: roll, name: Rolling}, {id: cut, name: Cutting}"), 2),
    ],
)  # fmt: skip
def test_only_the_sites_whose_meters_are_declared_otherwise_are_made_anew(
    tmp_path: Path, by: str, change: tuple[str, str], made: int
) -> None:
    before = TWO_SITES.replace(
        "processes: [{id: melt, name: Melting}]",
        "processes: [{id: melt, name: Melting}, {id: cast, name: Casting}]",
    )
    before = before.replace("wide: {E1: E1, E2: E2}", "wide: {E1: E1, E2: E2, E3: E3}")
    rows = [
        "time,E1,E2,E3",
        *(f"2024-01-{day:02d} 00:00,{day * 100},{day * 90},{day * 30}" for day in range(1, 32)),
    ]
    plant = small.loaded(tmp_path, plant=before, readings="\n".join(rows) + "\n", fuel=FUEL)
    earlier = _rows(plant, by)
    early = plant.view().snapshot.recorded_at
    after = before.replace(*change)
    assert after != before
    (tmp_path / "plant.yaml").write_text(after, encoding="utf-8")
    built = _counted(plant)
    plant.opened = replace(open_file(tmp_path), stored=plant.opened.stored)
    assert plant.load().plant_changed
    answer = _rows(plant, by)
    assert built == ([made] if made else [])
    afresh = small.open_again(tmp_path)
    assert answer == _rows(afresh, by)
    assert _said(plant) == _said(afresh)
    assert answer != earlier or by == "site" or "cut" in change[1]
    assert _rows(plant, by, as_of=early) == earlier == _rows(afresh, by, as_of=early)


def test_a_record_or_a_shared_meter_makes_all_of_it_anew(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, plant=TWO_SITES, fuel=FUEL)
    _rows(plant, "site")
    text = "date,kind,fuel,amount,unit,number,site\n2024-01-12,bought,diesel,2,t,D3,north\n"
    (tmp_path / "fuel" / "more.csv").write_text(text, encoding="utf-8")
    plant.load()
    assert _rows(plant, "site") == _rows(small.open_again(tmp_path), "site")
    shared = TWO_SITES.replace(
        "{id: E3, carrier: electricity, parent: E1, site: north",
        "{id: E3, carrier: electricity, parent: E2, site: north",
    )
    for text, apart in ((TWO_SITES, True), (shared, False)):
        (tmp_path / "plant.yaml").write_text(text, encoding="utf-8")
        model, _ = read_plant(tmp_path)
        assert model is not None
        assert stand_apart(model) is apart
