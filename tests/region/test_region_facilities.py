"""Five thousand real European sites as a region: groups, what was not reported, and an intensity, against computed answers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pytest

from celadon.core.periods import Grain, parse_period
from celadon.engine.region import RegionResult, account_region
from celadon.engine.region_model import FactColumn, Region
from celadon.engine.request import Request
from celadon.rules.rulebook import Rulebook, load_rulebook
from tests.rules.books import ABOUT
from tests.shared_data import shared

pytestmark = pytest.mark.shared_data
CHAPTER = '''"""Chapter 1."""

from celadon.rules import document, key, total

standard = document("S-1")
sums = standard.clause("1", "what registers and models say, added up")


@sums.rule(unit="tCO2", per="site, month", label={"zh": "交易登记排放", "en": "Emission in the trading register"})
def traded(reported_emission):
    """ETS."""
    return total(reported_emission, over="register", when=key("register") == "ETS")


@sums.rule(unit="tCO2", per="site, month", label={"zh": "污染登记排放", "en": "Emission in the pollutant register"})
def released(reported_emission):
    """E-PRTR."""
    return total(reported_emission, over="register", when=key("register") == "EPRTR")


@sums.rule(unit="GJ", per="site, month", label={"zh": "余热", "en": "Excess heat"})
def excess_heat(heat_by_band):
    """All bands."""
    return total(heat_by_band, over="band")


@sums.rule(unit="tCO2/t", per="site, month", label={"zh": "强度", "en": "Intensity"}, adds=False)
def intensity(released, production):
    """Emission over output."""
    return released / production
'''
QUANTITIES = """facts:
  reported_emission: {label: {zh: 登记排放, en: Reported}, unit: tCO2, grain: "site, month, register", on_missing: not_applicable, clause: S-1 1}
  heat_by_band: {label: {zh: 分温度余热, en: Heat by band}, unit: GJ, grain: "site, month, band", on_missing: not_applicable, clause: S-1 1}
  production: {label: {zh: 产量, en: Output}, unit: t, grain: "site, month", on_missing: not_applicable, clause: S-1 1}
"""
COLUMNS = (
    FactColumn("reported_emission", "ETS", "", "tCO2", "ets"),
    FactColumn("reported_emission", "EPRTR", "", "tCO2", "eprtr"),
    *(FactColumn("heat_by_band", band, "", "GJ", f"heat {band}") for band in ("100-200C", "200-500C", "500C")),
    FactColumn("production", "", "", "t", "production"),
)  # fmt: skip


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared("data/facilities/expected.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    folder: Path = tmp_path_factory.mktemp("facilities") / "b"
    (folder / "tables").mkdir(parents=True)
    about = ABOUT.replace("emission", "traded")
    for name, text in (("about.yaml", about), ("quantities.yaml", QUANTITIES), ("s1_sums.py", CHAPTER)):
        (folder / name).write_text(text, encoding="utf-8")
    return load_rulebook(folder)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """The register as it was published: a blank is nothing reported, and no row."""
    path = shared("data/facilities/hotmaps_industrial_database.csv.gz")
    heat = ", ".join(f'"Excess_Heat_{band}" AS "heat {band}"' for band in ("100-200C", "200-500C", "500C"))
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE sites AS SELECT * FROM read_csv(?, delim = ';', header = true)", [str(path)]
        )
        con.execute(
            "CREATE TABLE registry AS SELECT SiteID::INTEGER AS enterprise, 'EU' AS region, Subsector AS subsector, "
            "Country AS country FROM sites"
        )
        con.execute(
            "CREATE TABLE facts AS SELECT SiteID::INTEGER AS enterprise, DATE '2014-12-01' AS month, "
            f"Emissions_ETS_2014::DOUBLE AS ets, Emissions_EPRTR_2014::DOUBLE AS eprtr, Production::DOUBLE AS production, {heat} "
            "FROM sites"
        )
        yield con


def ask(con: duckdb.DuckDBPyConnection, book: Rulebook, wanted: tuple[str, ...], *by: str) -> RegionResult:
    region = Region("registry", "facts", COLUMNS, "UTC")
    return account_region(
        con, book, region, Request(parse_period("2014", "UTC"), time=Grain.YEAR, wanted=wanted), by
    )


def values(result: RegionResult, quantity: str) -> dict[Any, float]:
    return {
        row.group[0]: row.value for row in result.rows if row.quantity == quantity and row.value is not None
    }


def test_by_subsector(con: duckdb.DuckDBPyConnection, book: Rulebook, expected: dict[str, Any]) -> None:
    result = ask(con, book, ("traded", "released", "excess_heat"), "subsector")
    found = {name: values(result, name) for name in ("traded", "released", "excess_heat")}
    for subsector, want in expected["by_subsector"].items():
        for name, key in (
            ("traded", "ETS_t"),
            ("released", "EPRTR_t"),
            ("excess_heat", "excess_heat_total"),
        ):
            amount = found[name].get(subsector, 0.0)
            # the printed total of a site differs from its bands by up to 0.02
            near = (
                want["sites"] * expected["excess_heat_identity_max_abs_diff"] if name == "excess_heat" else 0
            )
            assert math.isclose(amount, want[key], rel_tol=1e-12, abs_tol=near), (subsector, name)
    assert found["traded"].keys() <= expected["by_subsector"].keys()


def test_by_country(con: duckdb.DuckDBPyConnection, book: Rulebook, expected: dict[str, Any]) -> None:
    found = values(ask(con, book, ("traded",), "country"), "traded")
    most = sorted(found, key=lambda country: -found[country])[: len(expected["by_country_ETS_t"])]
    assert most == list(expected["by_country_ETS_t"])
    for country, amount in expected["by_country_ETS_t"].items():
        assert math.isclose(found[country], amount, rel_tol=1e-12)


def test_what_was_not_reported_is_no_zero(
    con: duckdb.DuckDBPyConnection, book: Rulebook, expected: dict[str, Any]
) -> None:
    result = ask(con, book, ("traded", "released", "production"), "enterprise")
    sites = expected["rows"]
    assert len(values(result, "traded")) == sites - expected["null"]["Emissions_ETS_2014"]
    assert len(values(result, "released")) == sites - expected["null"]["Emissions_EPRTR_2014"]
    assert len(values(result, "production")) == sites - expected["null"]["Production"]


def test_the_intensity_of_steel_sites(
    con: duckdb.DuckDBPyConnection, book: Rulebook, expected: dict[str, Any]
) -> None:
    steel = {row[0] for row in con.execute("SELECT enterprise FROM registry WHERE subsector = 'Iron and steel'").fetchall()}  # fmt: skip
    found = values(ask(con, book, ("intensity",), "enterprise"), "intensity")
    of_steel = [value for site, value in found.items() if site in steel]
    want = expected["steel_sites_t_per_t_from_EPRTR"]
    assert len(of_steel) == want["n"]
    assert math.isclose(median(of_steel), want["median"], rel_tol=1e-12)
