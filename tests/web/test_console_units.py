"""The units that pages show figures in: converted exactly, in one place, by whoever's choice comes first."""

from __future__ import annotations

import csv
import io
import types
import typing
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from celadon.core.findings import FindingError
from celadon.core.units import parse_unit
from celadon.web.access import Grant, Role
from celadon.web.routing import folders
from celadon.web.units import AS_GIVEN, KINDS, InUnits, Units, asked_for, converted, shown
from tests.web.consoles import Console, codes

JANUARY = "/plants/small/overview"
ENERGY = 8.199876
"""tce of January 2024: 7.44 MWh × 0.1229 tce/MWh + 5 t × 1.4571 tce/t (pages/overview/case.yaml)."""


# -- converting -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "into", "is_"),
    [
        (1000.0, "kWh", "GJ", 3.6),  # 1 kWh = 3.6 MJ
        (2.5, "GJ", "MJ", 2500.0),
        (7440.0, "kWh", "10^4 kWh", 0.744),
        (ENERGY, "tce", "kgce", 8199.876),
        (153969.0, "tCO2", "10^4 tCO2", 15.3969),
        (-0.35, "MW", "kW", -350.0),
        (12000.0, "m3", "10^4 m3", 1.2),
    ],
)
def test_a_figure_in_another_unit(value: float, unit: str, into: str, is_: float) -> None:
    assert converted(value, unit, into) == is_


@given(
    st.floats(1e-12, 1e12),
    st.sampled_from([(a, b) for kind in ("energy", "power", "volume") for a in KINDS[kind].units for b in KINDS[kind].units]),
)  # fmt: skip
def test_there_and_back_is_the_same_figure(value: float, pair: tuple[str, str]) -> None:
    assert converted(converted(value, *pair), *reversed(pair)) == pytest.approx(value, rel=1e-15, abs=0)


class Part(BaseModel):
    in_units: ClassVar[InUnits] = {"volume_unit": ("volume",)}
    value: float | None
    volume: float
    volume_unit: str


class Whole(BaseModel):
    in_units: ClassVar[InUnits] = {"unit": ("total", "parts.value", "series"), "by.emission": ("carbon",)}
    unit: str
    by: dict[str, str]
    total: float
    carbon: float
    series: dict[str, list[float | None]]
    parts: list[Part]
    intensity: float
    cost: float


WHOLE = Whole(
    unit="kWh", by={"emission": "tCO2e", "output": "CNY"}, total=30.0, carbon=0.5, series={"a": [10.0, None, 20.0]},
    parts=[Part(value=10.0, volume=2.0, volume_unit="m3"), Part(value=20.0, volume=3.0, volume_unit="m3"),
           Part(value=None, volume=0.0, volume_unit="m3")], intensity=3.25, cost=99.0,
)  # fmt: skip


def test_a_model_says_what_is_in_which_unit() -> None:
    found = shown(WHOLE, Units({"energy": "MJ", "emission": "kg"}))
    assert (found.unit, found.total) == ("MJ", 108.0)  # 30 kWh × 3.6
    assert [part.value for part in found.parts] == [
        36.0,
        72.0,
        None,
    ]  # absent stays absent; the parts are the total
    assert found.series == {"a": [36.0, None, 72.0]}
    assert (found.by, found.carbon) == ({"emission": "kgCO2e", "output": "CNY"}, 500.0)
    assert [part.volume for part in found.parts] == [2.0, 3.0, 0.0]
    assert (found.intensity, found.cost) == (3.25, 99.0)
    assert WHOLE.total == 30.0, "what the view made may be kept; it is not changed"
    assert shown(WHOLE, AS_GIVEN) is WHOLE


@pytest.mark.parametrize(
    ("unit", "largest", "into"),
    [
        ("kWh", 9_999.0, "kWh"),  # 9.999 MWh would be small
        ("kWh", 10_000.0, "MWh"),
        ("kWh", 2e7, "GWh"),
        ("GJ", 0.004, "kJ"),  # stays joules: 4 kJ, none reaches 10
        ("GJ", 25_000.0, "TJ"),
        ("tce", 48_452.8, "tce"),
        ("tce", 484_528.0, "10^4 tce"),
        ("tCO2", 153_969.0, "ktCO2"),
        ("kgCO2e", 12.0, "kgCO2e"),
        ("kW", 0.0, "kW"),
        ("tce/t", 5e9, "tce/t"),  # a ratio is no amount
        ("CNY", 5e9, "CNY"),
    ],
)
def test_automatic_goes_by_the_largest_figure(unit: str, largest: float, into: str) -> None:
    assert Units(dict.fromkeys(KINDS, "automatic")).of(unit, largest) == into


def test_automatic_keeps_figures_of_one_unit_together() -> None:
    found = shown(WHOLE.model_copy(update={"total": 30_000.0}), Units({"energy": "automatic"}))
    assert (found.unit, found.total, found.parts[0].value) == ("MWh", 30.0, 0.01)


def test_every_unit_offered_measures_its_kind() -> None:
    gases = {"CO2_mass": "CO2", "CO2e_mass": "CO2e", "CH4_mass": "CH4", "N2O_mass": "N2O"}
    for word, kind in KINDS.items():
        for dimension in kind.dimensions:
            for plain in (*kind.units, *(step for ladder in kind.ladders for step in ladder)):
                assert parse_unit(plain + gases.get(dimension, "")).kind_text == dimension, (word, plain)


# -- asking and choosing ----------------------------------------------------------------------------------------------------


def test_what_is_not_offered_is_said() -> None:
    assert asked_for(" energy:GJ , emission:kt,") == Units({"energy": "GJ", "emission": "kt"})
    with pytest.raises(FindingError) as unknown:
        asked_for("GJ")
    assert unknown.value.findings[0].code == "units.kind-unknown"
    assert unknown.value.findings[0].values["asked"] == "GJ"
    assert "standard_coal" in unknown.value.findings[0].fix("en")
    with pytest.raises(FindingError) as refused:
        asked_for("energy:tce")
    assert refused.value.findings[0].code == "units.not-offered"
    assert refused.value.findings[0].says("en") == "“tce” is no unit to show Energy in."
    assert refused.value.findings[0].says("zh") == "“tce”不能作为能量的显示单位。"


def overview(console: Console, query: str = "", kind: str = ".json", client: typing.Any = None) -> typing.Any:
    answer = (client or console.administrator()).get(f"{JANUARY}{kind}?period=2024-01{query}")
    assert answer.status_code == 200, answer.text
    return answer.json() if kind == ".json" else answer.text


def test_a_program_gets_the_rulebooks_units_unless_it_asks(console: Console) -> None:
    plain = overview(console)["figures"][0]
    assert (plain["unit"], plain["value"]) == ("tce", pytest.approx(ENERGY))
    asked = overview(console, "&units=standard_coal:kgce,emission:kg")["figures"]
    assert (asked[0]["unit"], asked[0]["value"]) == ("kgce", pytest.approx(1000 * ENERGY))
    assert asked[0]["months"][0]["value"] == asked[0]["value"]
    assert asked[0]["own_unit"] == "tce"
    assert asked[1]["unit"] == "kgCO2"
    boss = console.administrator()
    refused = boss.get(f"{JANUARY}.json?period=2024-01&units=energy:horsepower")
    assert (refused.status_code, codes(refused)) == (422, ["units.not-offered"])


def test_a_persons_pages_and_downloads_are_in_their_units(console: Console) -> None:
    name = "units-erik"
    mine = console.signed_in(name, Grant(Role.ENGINEER, "plant", "small"))
    chosen = {"standard_coal": "kgce", "power": "MW", "energy": "MWh", "csrf": mine.headers["x-csrf-token"]}
    assert mine.post("/me/units", data=chosen).status_code == 303
    assert '<option value="kgce" selected>' in mine.get("/me").text
    page = overview(console, "&lang=en", "", mine)
    assert "8,199.88" in page
    assert "kgce" in page
    assert "8.200" not in page
    rows = list(csv.DictReader(io.StringIO(overview(console, "", ".csv", mine))))
    assert (rows[0]["unit"], float(rows[0]["value"])) == ("kgce", pytest.approx(1000 * ENERGY))
    assert overview(console, "", ".json", mine)["figures"][0]["unit"] == "tce", "for programs"
    bearer = {"authorization": f"Bearer {console.token(name)}"}
    plain = console.client().get(f"{JANUARY}.csv?period=2024-01", headers=bearer).text
    assert ",tce\n" in plain
    assert "kgce" not in plain
    # 10 kWh in each hour: 0.01 MW; the page's chart asks for the same
    load = mine.get("/plants/small/load?period=2024-01&cell=hour").text
    assert "load.json?units=energy%3AMWh%2Cstandard_coal%3Akgce%2Cpower%3AMW" in load
    series = mine.get("/plants/small/load.json?period=2024-01&cell=hour&units=power:MW,energy:MWh").json()
    assert (series["unit"], series["lines"][0]["values"][0]) == ("MW", pytest.approx(0.01))
    assert (series["lines"][0]["total_unit"], series["lines"][0]["total"]) == ("MWh", pytest.approx(7.44))


def test_a_trace_shows_the_rulebooks_figure_with_the_one_chosen(console: Console) -> None:
    mine = console.signed_in("units-vera", Grant(Role.VERIFIER, "plant", "small"))
    path = (
        "/plants/small/explain?quantity=comprehensive_energy&rulebook=cn_gbt_2589_2020&period=2024-01&lang=en"
    )
    plain = mine.get(path).text
    assert "8.200" in plain
    assert "8,199.88" not in plain
    both = mine.get(f"{path}&units=standard_coal:kgce").text
    assert "8.200" in both
    assert "= 8,199.88 kgce" in both


def test_ones_own_choice_comes_before_the_places_and_that_before_all(console: Console) -> None:
    boss = console.administrator()
    vik = console.signed_in("units-vik", Grant(Role.VIEWER, "plant", "*"))

    def unit(plant: str) -> str:
        text = vik.get(f"/plants/{plant}/overview.csv?period=2024-01").text
        return str(next(csv.DictReader(io.StringIO(text)))["unit"])

    try:
        assert boss.post("/units/choose.json", json={"standard_coal": "kgce"}).status_code == 200
        assert unit("small") == "kgce"
        boss.post("/units/choose.json", json={"standard_coal": "10^4 tce", "place": "plant:small"})
        assert (unit("small"), unit("other")) == ("10^4 tce", "kgce")
        mine = {"csrf": vik.headers["x-csrf-token"]}
        vik.post("/me/units", data={**mine, "standard_coal": "rulebook"})
        assert (unit("small"), unit("other")) == ("tce", "tce")
        vik.post("/me/units", data={**mine, "standard_coal": ""})
        assert unit("small") == "10^4 tce"
        lines = boss.get("/audit.json?limit=8").json()["lines"]
        assert {"units.set", "units.own"} <= {line["action"] for line in lines}
        nowhere = boss.post(
            "/units/choose.json", json={"place": "plant:x"}, headers={"accept": "application/json"}
        )
        assert (nowhere.status_code, codes(nowhere)) == (404, ["access.not-there"])
        wrong = boss.post("/units/choose.json", json={"power": "tce"}, headers={"accept": "application/json"})
        assert (wrong.status_code, codes(wrong)) == (422, ["units.not-offered"])
        assert vik.post("/units/choose.json", json={}).status_code == 403
    finally:
        for place in ("console", "plant:small"):
            boss.post("/units/choose.json", json={"standard_coal": "", "place": place})


def test_a_target_is_set_in_the_rulebooks_unit_and_shown_in_the_one_chosen(console: Console) -> None:
    boss = console.administrator()
    target = {
        "rulebook": "cn_gbt_2589_2020",
        "quantity": "comprehensive_energy",
        "period": "2024-01",
        "value": 10,
    }
    assert boss.post("/plants/small/overview/target.json", json=target).status_code == 200
    assert overview(console)["figures"][0]["target"] == 10
    found = overview(console, "&units=standard_coal:kgce")["figures"][0]
    assert (found["target"], found["of_target"]) == (10_000.0, pytest.approx(ENERGY / 10))
    page = overview(console, "&units=standard_coal:kgce&lang=en", "")
    assert "(tce)</option>" in page, "the form still asks for tce"


# -- every page -------------------------------------------------------------------------------------------------------------

AS_WRITTEN = {
    "facts", "readings", "findings", "mapping",  # records and readings as their files say them
    "filing", "filings", "rulebook", "rulebook_table", "explain", "region_explain", "reports",
}  # fmt: skip
"""Pages that show what was written, filed or published, in its own unit."""


def models(hint: object) -> typing.Iterator[type[BaseModel]]:
    """Every model in a type."""
    if isinstance(hint, type) and not isinstance(hint, types.GenericAlias) and issubclass(hint, BaseModel):
        yield hint
        for item in hint.model_fields.values():
            yield from models(item.annotation)
    for part in typing.get_args(hint):
        yield from models(part)


def test_every_model_with_a_unit_says_which_numbers_are_in_it() -> None:
    missing, seen = [], 0
    for folder in folders():
        if folder.name in AS_WRITTEN:
            continue
        for model in models(typing.get_type_hints(folder.view).get("return")):
            own = {name for name in model.model_fields if name in ("unit", "total_unit", "amount_unit")}
            amounts = [name for name, item in model.model_fields.items() if "float" in str(item.annotation)]
            declared = getattr(model, "in_units", {})
            if own and amounts and not declared and model.__name__ != "Intensity":
                missing.append(f"{folder.name}.{model.__name__}")
            for unit_path, paths in declared.items():
                seen += 1
                for path in (unit_path, *paths):
                    assert path.split(".")[0] in model.model_fields, (model.__name__, path)
    assert missing == []
    assert seen >= 14


def test_addresses_with_figures_document_units(console: Console) -> None:
    document = console.administrator().get("/openapi.json").json()
    named = {
        path for path, item in document["paths"].items()
        if any(one["name"] == "units" for one in item.get("get", {}).get("parameters", ()))
    }  # fmt: skip
    assert {
        "/plants/{plant}/overview.json",
        "/plants/{plant}/load.csv",
        "/regions/{region}/enterprises.arrow",
    } <= named
    assert "/plants/{plant}/readings.json" not in named
    assert "/people.json" not in named
