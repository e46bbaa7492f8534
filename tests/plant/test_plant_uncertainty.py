"""From what the plant file states of meters, registers and own factors to the width of a result."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import celadon
from celadon import cli
from celadon.cli.shapes import problems
from celadon.engine.uncertainty import Uncertainty
from celadon.examples import cement_works
from celadon.plant.new import new_plant
from tests.plant.small import FUEL, PLANT, loaded
from tests.rules.books import ABOUT

BOOK = "cn_gbt_32150_2015"
STATED = (
    PLANT.replace("flow: purchased, unit", "flow: purchased, uncertainty: 1%, unit")
    .replace("parent: E1, process", "parent: E1, uncertainty: 2%, process")
    .replace("    role: records\n", "    role: records\n    uncertainty: 3%\n")
    .replace("source: supplier", "uncertainty: 4%, source: supplier")
)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> celadon.Plant:
    return loaded(tmp_path_factory.mktemp("uncertainty"), plant=STATED)


def widths(
    plant: celadon.Plant, quantity: str, by: str = "site", book: str = BOOK
) -> dict[tuple[str, str, str], Uncertainty]:
    """(item, process, meter) -> the width, of January 2024."""
    found = plant.account(book, "2024-01", by=by, quantities=[quantity], uncertainty=True)
    assert found.uncertainties is not None
    return {
        (row.item, row.process, row.meter): one
        for row, one in zip(found.rows, found.uncertainties, strict=True)
        if one is not None
    }


def test_a_meter_times_an_own_factor(plant: celadon.Plant) -> None:
    [one] = widths(plant, "purchased_electricity_emission").values()
    # 7.44 MWh × 0.5 t/MWh; √(1² + 4²) = 4.1231 %, of the variance 1/17 and 16/17
    assert math.isclose(one.value, 3.72, rel_tol=1e-12)
    assert math.isclose(one.relative or 0, math.sqrt(17) / 100, rel_tol=1e-12)
    assert math.isclose(one.standard, 3.72 * math.sqrt(17) / 200, rel_tol=1e-12)
    assert [(part.origin.kind, round(part.share, 9)) for part in one.sources] == [
        ("own_factor", round(16 / 17, 9)),
        ("meter", round(1 / 17, 9)),
    ]
    assert [part.origin.id for part in one.sources][1] == "meter:E1"
    assert one.exact == ()


def test_a_remainder_is_its_meter_less_the_one_below(plant: celadon.Plant) -> None:
    found = widths(plant, "energy_consumed", "meter")
    # per hour 10 ± 0.1 less 4 ± 0.08: 6 ± √(0.1² + 0.08²) = 6 ± 0.128062
    rest = found[("electricity", "", "E1~rest")]
    assert math.isclose(rest.relative or 0, math.hypot(0.1, 0.08) / 6, rel_tol=1e-12)
    assert {part.origin.id: round(part.sensitivity or 0, 9) for part in rest.sources} == {
        "meter:E1": round(10 / 6, 9),
        "meter:E2": round(-4 / 6, 9),
    }
    assert math.isclose(found[("electricity", "melt", "E2")].relative or 0, 0.02, rel_tol=1e-12)


def test_the_parts_of_a_site_add_up_to_the_meter_at_its_boundary(plant: celadon.Plant) -> None:
    """E2 and what remains of E1 share E2's error with opposite signs: together they are E1's 1 %."""
    found = plant.account(BOOK, "2024-01", by="process", quantities=["purchased_electricity_emission"])
    assert len(found.rows) == 2
    trace = plant.explain(
        "purchased_electricity_emission", BOOK, "2024-01", where={"site": "works"}, uncertainty=True
    )
    assert trace.uncertainty is not None
    assert math.isclose(trace.uncertainty.relative or 0, math.sqrt(17) / 100, rel_tol=1e-12)


def test_records_of_one_item_err_together(plant: celadon.Plant) -> None:
    [one] = [
        width for (item, *_), width in widths(plant, "energy_consumed").items() if item == "diesel"
    ]  # 1.5 + 4 − 0.5 t of one register at 3 %
    assert math.isclose(one.half_width, 0.15, rel_tol=1e-12)
    assert [part.origin.id for part in one.sources] == ["records:fuel:diesel"]


def test_stocks_of_another_source_err_apart(tmp_path: Path) -> None:
    two = STATED.replace("files: [fuel/*.csv]", "files: [fuel/fuel.csv]").replace(
        "factors:",
        """  - id: stocks
    role: records
    uncertainty: 10%
    files: [fuel/stocks.csv]
    fields: {date: date, item: fuel, quantity: kind, value: amount, unit: unit, note: number, site: =works, purpose: =mobile}
    map: {quantity: {opening: fuel_opening_stock, bought: fuel_purchased, closing: fuel_closing_stock}}
factors:""",
    )
    lines = FUEL.splitlines(keepends=True)
    (tmp_path / "fuel").mkdir()
    (tmp_path / "fuel" / "stocks.csv").write_text("".join([lines[0], lines[1], lines[3]]), encoding="utf-8")
    plant = loaded(tmp_path, plant=two, fuel=lines[0] + lines[2])
    [one] = [width for (item, *_), width in widths(plant, "energy_consumed").items() if item == "diesel"]
    # bought 4 ± 3 %, the stocks together 1.5 − 0.5 = 1 ± 10 %
    assert math.isclose(one.half_width, math.hypot(4 * 0.03, 1 * 0.10), rel_tol=1e-12)
    assert {part.origin.id: round(part.half_width, 12) for part in one.sources} == {
        "records:fuel:diesel": 0.12,
        "records:stocks:diesel": 0.1,
    }


def test_what_nobody_states_is_told(tmp_path: Path) -> None:
    plant = loaded(tmp_path)
    found = plant.account(BOOK, "2024-01", quantities=["purchased_electricity_emission"], uncertainty=True)
    [one] = found.uncertainties or ()
    assert one is not None
    assert (one.half_width, one.sources) == (0.0, ())
    assert [part.origin.id for part in one.exact] == ["factors:grid_emission_factor::2024-01-01", "meter:E1"]
    said = [item for item in found.findings if item.code == "uncertainty.not-stated"]
    assert [(item.where.subject, item.values["share"]) for item in said] == [
        ("factors:grid_emission_factor::2024-01-01", "100.0%"),
        ("meter:E1", "100.0%"),
    ]
    assert "meter E1" in said[1].says("en")
    assert "计量点 E1" in said[1].says("zh")
    assert plant.account(BOOK, "2024-01").uncertainties is None


def test_through_what_another_rulebook_calculates(tmp_path: Path) -> None:
    """The kiln's electricity is calculated under GB/T 2589 and judged under GB 16780: its meter is still what errs."""
    new_plant(tmp_path, contents=cement_works.texts())
    with celadon.open_plant(tmp_path) as works:
        works.load()
        asked = works.account(
            "cn_product_energy_quota", "2025", quantities=["electricity_intensity"], uncertainty=True
        )
        [one] = asked.uncertainties or ()
        trace = works.explain("electricity_intensity", "cn_product_energy_quota", "2025", uncertainty=True)
    assert one is not None
    # output 1 %; the meter 2 × 0.5 % / √3
    assert math.isclose(one.relative or 0, math.hypot(0.01, 0.01 / math.sqrt(3)), rel_tol=1e-12)
    assert [part.origin.id for part in one.sources] == ["records:records:product_output clinker", "meter:E1"]
    assert trace.uncertainty == one


def test_factors_of_another_rulebook_are_counted(tmp_path: Path) -> None:
    """The verified emission of the line is the cement account's: its unchecked factor is in the trading position too."""
    new_plant(tmp_path, contents=cement_works.texts())
    with celadon.open_plant(tmp_path) as works:
        works.load()
        account = works.account(
            "cn_ndrc_2013_cement", "2025", quantities=["process_emission", "fuel_combustion_emission"]
        )
        trading = works.account("cn_national_ets", "2025", quantities=["surrender_obligation"])
    process = next(row for row in account.rows if row.quantity == "process_emission")
    coal = next(row for row in account.rows if row.item == "bituminous")
    [due] = trading.rows
    assert process.value is not None
    assert coal.value is not None
    assert due.value is not None
    unchecked = process.value * process.recalled + coal.value * coal.recalled
    assert math.isclose(due.value, process.value + coal.value, rel_tol=1e-12)
    assert math.isclose(due.recalled, unchecked / due.value, rel_tol=1e-9)
    assert due.recalled > 0
    assert math.isclose(due.quality.verified1, coal.value * coal.quality.verified1 / due.value, rel_tol=1e-9)


def test_explained_with_the_width_of_each_value(plant: celadon.Plant) -> None:
    trace = plant.explain("purchased_electricity_emission", BOOK, "2024-01", uncertainty=True)
    nodes = {node.quantity: node for node in trace.root.walk() if node.kind in ("factor", "fact")}
    assert math.isclose(trace.root.uncertainty or 0, math.sqrt(17) / 100, rel_tol=1e-12)
    assert nodes["grid_emission_factor"].uncertainty == 0.04
    assert math.isclose(nodes["energy_purchased"].uncertainty or 0, 0.01, rel_tol=1e-12)
    text = trace.render("en")
    assert "± 4.12%" in text.splitlines()[1]
    assert "94.1%" in text  # 16/17 of the variance is the factor's
    plain = plant.explain("purchased_electricity_emission", BOOK, "2024-01")
    assert (plain.uncertainty, plain.root.uncertainty) == (None, None)


def test_each_hour_of_a_month_is_explained_by_its_own(tmp_path: Path) -> None:
    """What a rule of an hour read is the hour's, not the month's first."""
    book = tmp_path / "hourly"
    (book / "tables").mkdir(parents=True)
    (book / "about.yaml").write_text(ABOUT.replace("emission", "weighted"), encoding="utf-8")
    (book / "quantities.yaml").write_text(
        'facts:\n  energy_consumed: {label: {zh: 用能, en: Energy}, unit: carrier_unit, grain: "site, hour, carrier, purpose"}\n',
        encoding="utf-8",
    )
    (book / "s1_small.py").write_text(HOURLY, encoding="utf-8")
    changing = "time,E1,E2\n2024-01-01 00:00,0,0\n2024-01-01 01:00,10,0\n2024-01-01 02:00,40,0\n"
    plant = loaded(tmp_path / "plant", readings=changing, fuel=None)
    trace = plant.explain("weighted", book, "2024-01-01", where={"carrier": "electricity"})
    hours = [
        node for node in trace.root.walk() if node.kind == "rule" and node.where["period"].endswith(":00")
    ]
    # MWh
    known = {node.where["period"]: (node.value, node.children[0].value) for node in hours if node.value}
    assert known == {"2024-01-01T00:00": (0.02, 0.01), "2024-01-01T01:00": (0.06, 0.03)}


HOURLY = '''"""Chapter 1."""

from celadon.rules import document, total

standard = document("S-1")
eq1 = standard.clause("1", "twice the amount, hour by hour")


@eq1.rule(unit="carrier_unit", per="site, hour, carrier", label={"zh": "加权", "en": "Weighted"})
def weighted(energy_consumed):
    """Twice the amount."""
    return 2 * total(energy_consumed, over="purpose")
'''


def test_on_the_command_line(plant: celadon.Plant, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["account", str(plant.file), "-r", BOOK, "-p", "2024-01", "--uncertainty"]
    asked = [*arguments, "-q", "purchased_electricity_emission"]
    cli.main([*asked, "--json"])
    body = json.loads(capsys.readouterr().out)
    assert problems(body) == []
    width = body["rows"][0]["uncertainty"]
    assert math.isclose(width["relative"], math.sqrt(17) / 100, rel_tol=1e-12)
    assert [part["kind"] for part in width["sources"]] == ["own_factor", "meter"]
    cli.main([*asked, "--lang", "zh"])
    said = capsys.readouterr().out
    assert "4.12%" in said
    assert "计量点 E1" in said
    cli.main([*asked, "--csv"])
    header, line = capsys.readouterr().out.splitlines()
    assert header.endswith(",half_width")
    assert math.isclose(float(line.rsplit(",", 1)[1]), 3.72 * math.sqrt(17) / 100, rel_tol=1e-12)
    cli.main(["explain", str(plant.file), "purchased_electricity_emission", "-r", BOOK, "-p", "2024-01", "--uncertainty", "--json"])  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert problems(told) == []
    assert math.isclose(told["uncertainty"]["relative"], told["trace"]["uncertainty"], rel_tol=1e-12)
