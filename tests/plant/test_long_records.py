"""Records of a year in a plant that is asked by the month: analyses hold throughout, shares are not cut, amounts are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

import celadon
from tests.plant.small import FUEL, PLANT, loaded, rows

BOOK = "cn_ndrc_2013_cement"
LONG = """  - id: long
    role: records
    files: [long.csv]
    fields: {start: start, end: end, item: item, quantity: kind, value: value, unit: unit, weight: mass, weight_unit: =t, site: =works}
factors:
"""
YEAR = "2024-01-01,2024-12-31"
TABLE = f"""start,end,kind,item,value,unit,mass
{YEAR},net_calorific_value,diesel,43,GJ/t,
{YEAR},clinker_cao_content,,65,%,
{YEAR},clinker_mgo_content,,0,%,
{YEAR},product_output,clinker,366,t,
2024-01-29,2024-02-04,carbon_content,diesel,0.021,tC/GJ,7
2024-02-05,2024-02-05,carbon_content,diesel,0.019,tC/GJ,4
"""
FUELS = FUEL + "2024-02-10,bought,diesel,1,t,D2\n"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[celadon.Plant]:
    folder: Path = tmp_path_factory.mktemp("long")
    (folder / "long.csv").write_text(TABLE, encoding="utf-8")
    text = PLANT.replace("factors:\n", LONG).replace(
        "meters:\n", "products: [{id: clinker, name: clinker, unit: t}]\nmeters:\n", 1
    )
    opened = loaded(folder, plant=text, readings=rows(0, 24), fuel=FUELS)
    yield opened
    opened.close()


def value(plant: celadon.Plant, quantity: str, period: str, item: str = "") -> float:
    found = plant.account(BOOK, period, by="site", quantities=[quantity])
    [row] = [row for row in found.rows if row.item == item]
    assert row.value is not None
    return row.value


@pytest.mark.parametrize("period", ["2024-01", "2024-02"])
def test_the_analysis_of_a_year_counts_in_each_of_its_months(plant: celadon.Plant, period: str) -> None:
    """43 GJ/t, not the default 42.652 of the months after January."""
    assert value(plant, "applied_net_calorific_value", period, "diesel") == 43


def test_a_batch_over_the_edge_of_a_month_weighs_by_its_days(plant: celadon.Plant) -> None:
    """7 t from 29 January to 4 February: 3 t in January; 4 t in February, with 4 t of another batch."""
    assert math.isclose(value(plant, "applied_carbon_content", "2024-01", "diesel"), 0.021)
    assert math.isclose(value(plant, "applied_carbon_content", "2024-02", "diesel"), 0.020, rel_tol=1e-12)


def test_a_share_is_not_cut_where_an_amount_is(plant: celadon.Plant) -> None:
    """January has 31 of the year's 366 t, all of it at 65 %: 31 × 0.65 × 44/56."""
    assert math.isclose(value(plant, "calcination_emission", "2024-01"), 31 * 0.65 * 44 / 56, rel_tol=1e-12)
    assert math.isclose(value(plant, "calcination_emission", "2024"), 366 * 0.65 * 44 / 56, rel_tol=1e-12)
