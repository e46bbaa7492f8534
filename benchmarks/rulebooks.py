"""Rulebooks: loading each, a year of one plant under all that apply to it, and one against a statement written by hand.

books     every shipped rulebook loaded in a fresh process, and all of them with their counts, as `celadon rulebooks` lists them
plant     the example cement works, open and loaded: its year under each rulebook that applies, asked for the first time and again
by hand   GB/T 32150 over sites and months, the engine's query against one statement on the same facts and the same CSV tables
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from benchmarks.measure import Watch, in_turns, run

BOOK = "cn_gbt_32150_2015"
APPLY = (
    "cn_gbt_2589_2020", "cn_gbt_32150_2015", "cn_ndrc_2013_cement", "cn_national_ets", "eu_cbam",
    "cn_product_energy_quota", "mfg_operations_kpi", "ghg_protocol_corporate", "iso_14064_1_2018",
)  # fmt: skip
"""The rulebooks that find facts in the example cement works."""
FUELS = {"bituminous": 900.0, "diesel": 12.5, "natural_gas": 80_000.0, "coke": 40.0, "fuel_oil": 3.25}
"""Carrier -> amount a month in its own unit, times 1 + site/100."""


def compare(folder: Path, sites: int, runs: int) -> dict[str, Any]:
    """CPU seconds of the work, medians; `sites` of the comparison with a statement by hand."""
    from celadon.rules.rulebook import shipped_ids

    books = {name: (lambda name=name: run("starting:rulebook", name=name)) for name in shipped_ids()}
    loaded = {name: round(one.work_cpu, 4) for name, one in in_turns(runs, books).items()}
    listed = in_turns(runs, {"listed": lambda: run("rulebooks:listed")})["listed"]
    place = folder / "works"
    run("rulebooks:made", place=str(place))
    year = in_turns(
        runs, {again: (lambda again=again: run("rulebooks:year", place=str(place), again=again == "again"))
               for again in ("first", "again")}
    )  # fmt: skip
    contenders = {
        "Celadon": lambda: run("rulebooks:engine", sites=sites),
        "SQL by hand": lambda: run("rulebooks:by_hand", sites=sites),
    }
    found = in_turns(runs, contenders)
    ours, hand = found["Celadon"], found["SQL by hand"]
    for site, value in hand.answer.items():
        assert math.isclose(ours.answer[site], value, rel_tol=1e-12), (site, value, ours.answer[site])
    return {
        "books": loaded,
        "listed_cpu_s": round(listed.work_cpu, 3),
        "plant": {name: round(one.work_cpu, 3) for name, one in year.items()},
        "applied": len(APPLY),
        "facts": sites * 12 * (len(FUELS) + 1),
        "contenders": {name: {"cpu_s": round(one.work_cpu, 3)} for name, one in found.items()},
        "cpu_ratio": round(ours.work_cpu / hand.work_cpu, 2),
    }


def listed(watch: Watch) -> int:
    """Every rulebook with its counts."""
    from celadon.rules.coverage import coverage
    from celadon.rules.rulebook import load_rulebook, shipped_ids

    with watch.running():
        return sum(len(coverage(load_rulebook(name)).clauses) for name in shipped_ids())


def made(watch: Watch, place: str) -> int:
    """Write and load the example cement works."""
    import celadon
    from celadon.examples.cement_works import texts

    Path(place).mkdir(parents=True, exist_ok=True)
    for name, content in texts().items():
        (Path(place) / name).write_text(content, encoding="utf-8")
    with watch.running():
        celadon.open_plant(place).load()
    return 0


def year(watch: Watch, place: str, again: bool) -> int:
    """2025 under every rulebook that applies; `again`: asked before, so that facts and rulebooks are there."""
    import celadon
    from celadon.plant import account, deriving, pooling  # noqa: F401  (imported when called, and no part of the work)

    plant = celadon.open_plant(place)
    if again:
        _account_all(plant)
    with watch.running():
        return _account_all(plant)


def _account_all(plant: Any) -> int:
    return sum(len(plant.account(name, "2025").rows) for name in APPLY)


def engine(watch: Watch, sites: int) -> dict[str, float]:
    """Total emission of every site and year, by the engine."""
    import duckdb

    from celadon.core.model import Plant, Site
    from celadon.core.periods import parse_period
    from celadon.core.text import Text
    from celadon.engine.request import Request
    from celadon.engine.run import run as answer
    from celadon.rules.rulebook import load_rulebook

    book = load_rulebook(BOOK)
    named = tuple(Site(f"s{n}", Text(f"s{n}", f"s{n}"), "CN-SD", "Asia/Shanghai") for n in range(sites))
    plant = Plant("many", Text("many", "many"), "Asia/Shanghai", 3600, named, ())
    request = Request(parse_period("2022", "Asia/Shanghai"), wanted=("total_emission",))
    with duckdb.connect() as con:
        _facts(con, sites)
        with watch.running():
            result = answer(con, book, plant, request)
    return {row.site: row.value for row in result.rows if row.value is not None}


def by_hand(watch: Watch, sites: int) -> dict[str, float]:
    """The same by one statement on the same facts and tables; it knows neither absence, editions, quality nor own factors."""
    import duckdb

    from celadon.rules.rulebook import SHIPPED

    tables = SHIPPED / BOOK / "tables"
    with duckdb.connect() as con:
        _facts(con, sites)
        with watch.running():
            rows = con.execute(
                f"""WITH fuel AS (
                    SELECT carrier, net_calorific_value::DOUBLE * CASE net_calorific_value_unit WHEN 'GJ/1e4 Nm3' THEN 1e-4 ELSE 1 END
                        * carbon_content::DOUBLE / 1000 * oxidation_rate::DOUBLE / 100 * 44 / 12 AS factor
                    FROM read_csv('{tables}/fuel_defaults.csv', all_varchar = true) WHERE set = 'NDRC-2013-C'),
                grid AS (SELECT value::DOUBLE AS factor FROM read_csv('{tables}/national_grid_factors.csv', all_varchar = true)
                    WHERE series = 'national_statistical' AND '2022-06-01' BETWEEN valid_from AND coalesce(valid_to, '9999'))
                SELECT f.site, sum(f.value * CASE f.quantity WHEN 'energy_consumed' THEN fuel.factor ELSE grid.factor END)
                FROM facts f LEFT JOIN fuel ON fuel.carrier = f.item CROSS JOIN grid
                WHERE f.quantity = 'energy_consumed' OR f.item = 'electricity' GROUP BY f.site"""
            ).fetchall()
    return dict(rows)


def _facts(con: Any, sites: int) -> None:
    """A year of fuels burnt and electricity bought for `sites` sites, as the ledger and the records give them."""
    from celadon.core.carriers import CARRIERS
    from celadon.core.facts import FACT_COLUMNS

    con.execute(f"CREATE TABLE facts ({', '.join(f'{name} {kind}' for name, kind in FACT_COLUMNS.items())})")
    rows = [("energy_consumed", carrier, "combustion", amount) for carrier, amount in FUELS.items()]
    for quantity, carrier, purpose, amount in [*rows, ("energy_purchased", "electricity", "", 1234.5)]:
        given = {
            "quantity": f"'{quantity}'", "item": f"'{carrier}'", "purpose": f"'{purpose}'", "enterprise": "'many'",
            "site": "'s' || s.range", "time_start": "m.month - INTERVAL 8 HOUR",
            "time_end": "m.month + INTERVAL 1 MONTH - INTERVAL 8 HOUR", "value": f"{amount!r} * (1 + s.range / 100.0)",
            "unit": f"'{CARRIERS[carrier].unit}'", "coverage": "1.0", "status": "1", "basis": "1", "source": "'ledger'",
        }  # fmt: skip
        zeros = ("estimated", "defaulted", "factored", "verified1", "own", "recalled")
        given |= dict.fromkeys(zeros, "0.0") | dict.fromkeys(("process", "meter"), "''")
        cells = ", ".join(given.get(name, "NULL") for name in FACT_COLUMNS)
        con.execute(
            f"""INSERT INTO facts SELECT {cells} FROM range({sites}) s,
            (SELECT unnest(generate_series(TIMESTAMP '2022-01-01', TIMESTAMP '2022-12-01', INTERVAL 1 MONTH)) AS month) m"""
        )
