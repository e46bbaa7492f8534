"""A changed factor, a meter in another area, one late reading, an explanation: how long each takes against deriving all of
history anew, and whether that grows with history."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measure import Watch, cpu, run
from benchmarks.works import Works, make_store

BOOK = "ghg_protocol_corporate"
MONTH = "2023-12"
WANTED = ("scope_2_location_based", "scope_2_market_based")
"""What a grid factor moves."""
TIMES = 7


def compare(folder: Path, histories: tuple[int, ...], sites: int, leaves: int) -> dict[str, Any]:
    """The same three changes to the last month of stores that hold 1, 4 and 16 months (or as given)."""
    found: dict[str, Any] = {}
    for months in histories:
        works = Works(sites, leaves, months)
        place = folder / f"restating-{months}"
        shutil.rmtree(place, ignore_errors=True)
        make_store(place, works)
        used = run("restating:celadon", folder=str(place), sites=sites, leaves=leaves, months=months)
        found[f"{months} months"] = {"plant": works.name, **used.answer, "peak_mb": round(used.peak_mb)}
        shutil.rmtree(place, ignore_errors=True)
    return found


def celadon(watch: Watch, folder: str, **shape: int) -> dict[str, Any]:
    """All of it in one open plant."""
    from celadon.plant.facade import open_plant
    from celadon.rules.rulebook import load_rulebook

    works = Works(**shape)
    with open_plant(folder) as plant, watch.running():
        book = load_rulebook(BOOK)
        cpu_before, begun = cpu(), time.perf_counter()
        plant.load()  # derives and stores the ledger of all history
        plant.account(book, MONTH, by="meter", per="month", quantities=WANTED)
        anew = {
            "wall_ms": round((time.perf_counter() - begun) * 1000, 1), "cpu_ms": round((cpu() - cpu_before) * 1000, 1),
        }  # fmt: skip

        def account(by: str) -> float:
            rows = plant.account(book, MONTH, by=by, per="month", quantities=WANTED).rows
            return sum(row.value or 0.0 for row in rows if row.quantity == "scope_2_location_based")

        before = account("meter")
        os.sync()  # what making the store has left to write is not of the changes
        return {
            "all_anew": anew,
            "changed_factor": _changed_factor(plant, book, before),
            "boundary": _boundary(plant, book, works),
            "late_reading": _late_reading(plant, works, Path(folder), account),
            "explain": _explain(plant, book, works),
        }


def _several(act: Callable[[int], object], times: int = TIMES) -> dict[str, float]:
    """Median wall and CPU of several goes, in milliseconds."""
    walls, cpus = [], []
    for number in range(times):
        cpu_before, begun = cpu(), time.perf_counter()
        act(number)
        walls.append(time.perf_counter() - begun)
        cpus.append(cpu() - cpu_before)
    return {"wall_ms": round(median(walls) * 1000, 1), "cpu_ms": round(median(cpus) * 1000, 1)}


def _changed_factor(plant: Any, book: Any, before: float) -> dict[str, Any]:
    """Another grid factor for every site, then the month of every meter again (the plant's file is not read again)."""
    from celadon.core.model import FactorEntry

    opened = plant.opened

    def act(number: int) -> None:
        entry = FactorEntry("grid_emission_factor", 0.5 + number / 100, "tCO2/MWh", source="benchmark")
        plant.opened = replace(opened, model=replace(opened.model, factors=(*opened.model.factors, entry)))
        plant.load()
        rows = plant.account(book, MONTH, by="meter", per="month", quantities=WANTED).rows
        after = sum(row.value or 0.0 for row in rows if row.quantity == "scope_2_location_based")
        assert after != before

    answer = _several(act)

    def only_account(number: int) -> None:
        entry = FactorEntry("grid_emission_factor", 0.6 + number / 100, "tCO2/MWh", source="benchmark")
        changed = replace(opened.model, factors=(*opened.model.factors, entry))
        _account_of(plant, book, changed)

    answer |= {f"query_only_{name}": value for name, value in _several(only_account).items()}
    plant.opened = opened
    plant.load()
    return answer


def _boundary(plant: Any, book: Any, works: Works) -> dict[str, Any]:
    """One meter belongs to another area from now on: recorded, and the month of every area accounted again."""
    opened = plant.opened

    def areas() -> dict[str, float]:
        rows = plant.account(book, MONTH, by="process", per="month", quantities=WANTED[:1]).rows
        return {row.process: row.value or 0.0 for row in rows}

    def act(number: int) -> None:
        leaf = 1 + number
        name, goal = works.meters()[leaf][0], f"{works.area(leaf + 1)}-0"
        meters = tuple(
            replace(meter, process=goal) if meter.id == name else meter for meter in plant.opened.model.meters
        )
        plant.opened = replace(opened, model=replace(plant.opened.model, meters=meters))
        plant.load()
        assert areas()[goal] > before[goal]

    before = areas()
    answer = _several(act, min(TIMES, works.leaves - 1))
    plant.opened = opened
    plant.load()
    return answer


def _account_of(plant: Any, book: Any, model: Any) -> None:
    """The engine's part: the same facts under other factors, before anything is committed."""
    from celadon.core.periods import parse_period
    from celadon.core.quantities import Space
    from celadon.engine.request import Request, fact_grain
    from celadon.engine.run import run as run_engine

    seen, work = plant.view(), plant._work
    request = Request(parse_period(MONTH, model.zone), Space.METER, None, WANTED).checked(book)
    facts = work.facts(seen, request.period, *fact_grain(book, request))
    run_engine(work.con, book, model, request, facts=facts.name)


def _late_reading(plant: Any, works: Works, folder: Path, account: Callable[[], float]) -> dict[str, Any]:
    """A file with one reading inside an outage of the last month: loaded, and the month of every area accounted again."""
    files = folder / "readings"
    files.mkdir(exist_ok=True)
    name = works.meters()[1][0]
    parts: list[float] = []
    values = [_value(plant, name, number) for number in range(TIMES)]  # somebody read them off the meter

    def act(number: int) -> None:
        path = files / f"late-{number}.csv"
        path.write_text(
            f"time,meter,value\n2023-12-15 10:{number + 1:02d},{name},{values[number]}\n",
            encoding="utf-8",
        )
        begun = time.perf_counter()
        done = plant.load()
        parts.append(time.perf_counter() - begun)
        assert done.readings == 1, done.to_json()
        account("process")

    answer = _several(act)
    return answer | {"of_which_load_wall_ms": round(median(parts) * 1000, 1)}


def _value(plant: Any, name: str, number: int) -> float:
    """The value between the neighbours of that instant, as if the meter counted evenly from one to the other."""
    from datetime import UTC, datetime, timedelta

    seen = plant.view()
    point, at = seen.snapshot.points()[name], datetime(2023, 12, 15, 10, number + 1, tzinfo=UTC)
    sql = seen.snapshot.readings_sql([point], at, at + timedelta(seconds=1), 1)
    found = plant._work.con.execute(f"SELECT t, value FROM ({sql}) ORDER BY t").fetchall()
    (first, low), (last, high) = found[0], found[-1]
    return round(low + (high - low) * ((at.replace(tzinfo=None) - first) / (last - first)), 2)


def _explain(plant: Any, book: Any, works: Works) -> dict[str, Any]:
    """A site's emission, an area's, and a meter's energy; the first of each kind, then others of the same kind."""
    meters = works.meters()

    def site(number: int) -> None:
        plant.explain("scope_2_location_based", book, MONTH, where={"site": works.site(number % works.sites)})

    def area(number: int) -> None:
        home = number % works.sites
        where = {"site": works.site(home), "process": f"{works.area(number)}-{home}"}
        plant.explain("scope_2_market_based", book, MONTH, where=where)

    def meter(number: int) -> None:
        name, home, leaf = meters[1 + number]
        where = {"site": works.site(home), "process": f"{works.area(leaf)}-{home}", "meter": name}
        plant.explain("electricity_purchased", book, MONTH, where=where)

    answer: dict[str, Any] = {}
    for kind, act in (("site", site), ("area", area), ("meter", meter)):
        begun = time.perf_counter()
        act(0)
        answer[kind] = {
            "first_wall_ms": round((time.perf_counter() - begun) * 1000, 1),
            **_several(lambda n, act=act: act(n + 1)),
        }
    return answer
