"""Hourly accounts with the meters of a site added up, against the same accounts from a row of facts for each meter."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from celadon.adapters.plant_file import plant_to_json
from celadon.core.periods import Grain, parse_period
from celadon.core.quantities import Space
from celadon.engine.request import Request, fact_grain
from celadon.engine.run import run
from celadon.metering import columns, plain_amounts
from celadon.metering.amounts import load_rows
from celadon.plant import ledger
from celadon.plant.facade import Plant
from celadon.plant.keeping import keep_ledger
from celadon.plant.ledger import stream_ledger
from celadon.plant.opened import View, open_file
from celadon.plant.pooling import can_pool
from celadon.plant.workspace import Workspace
from celadon.rules.rulebook import Rulebook, load_rulebook
from celadon.store import Store, runs
from celadon.store.catalogue import Catalogue
from celadon.store.scratch import connect

BOOK = {
    "about.yaml": """id: pooled
edition: "1"
documents:
  - {number: PB-1, title: {zh: 测试规则, en: Rules of a test}, since: 2020-01-01}
scope: {zh: 仅用于测试, en: For a test}
totals: [used, emission, sold]
""",
    "quantities.yaml": """facts:
  energy_purchased: {label: {zh: 购入量, en: Bought}, unit: carrier_unit, grain: "site, hour, carrier", on_missing: not_applicable, clause: PB-1 1}
  energy_exported: {label: {zh: 外供量, en: Sold}, unit: carrier_unit, grain: "site, hour, carrier", on_missing: not_applicable, clause: PB-1 1}
  energy_consumed: {label: {zh: 消费量, en: Used}, unit: carrier_unit, grain: "site, hour, carrier, purpose", on_missing: not_applicable, clause: PB-1 1}
  grid_intensity: {label: {zh: 强度, en: Intensity}, unit: kgCO2/MWh, grain: "site, hour", clause: PB-1 2}
""",
    "s1.py": '''"""Hourly sums."""

from celadon.rules import constant, document, total

standard = document("PB-1")
sums = standard.clause("1", "Energy by the hour")
mwh = constant("1", unit="MWh/carrier_unit")


@sums.rule(unit="MWh", per="site, hour", label={"zh": "消费", "en": "Used"})
def used(energy_consumed):
    """All carriers alike: numbers, not physics."""
    return total(energy_consumed, over="carrier, purpose") * mwh


@sums.rule(unit="MWh", per="site, hour", label={"zh": "外供", "en": "Sold"})
def sold(energy_exported):
    """What left."""
    return total(energy_exported, over="carrier") * mwh


@sums.rule(unit="kgCO2", per="site, hour", label={"zh": "排放", "en": "Emission"})
def emission(energy_purchased, grid_intensity):
    """Hour by hour."""
    return total(energy_purchased, over="carrier") * mwh * grid_intensity
''',
}
PLANT = """celadon: 1
enterprise: {id: e, name: E}
zone: Asia/Shanghai
grid: 1h
sites:
  - {id: a, name: A, region: CN-SD}
  - {id: b, name: B, region: CN-SD, zone: Asia/Urumqi}
meters:
  - {id: A1, site: a, kind: interval, stamp: end, interval: 15min, carrier: electricity, flow: purchased, unit: kWh}
  - {id: A2, site: a, kind: interval, stamp: end, interval: 15min, carrier: electricity, flow: purchased, unit: MWh, multiplier: 1/30}
  - {id: A3, site: a, kind: interval, stamp: end, interval: 1h, carrier: electricity, flow: generated, unit: kWh}
  - {id: A4, site: a, kind: interval, stamp: end, interval: 30min, carrier: electricity, flow: exported, unit: kWh}
  - {id: A5, site: a, kind: register, carrier: electricity, flow: purchased, unit: kWh, digits: 6}
  - {id: AG, site: a, kind: interval, stamp: end, quantity: grid_intensity, unit: kgCO2/MWh, interval: 1h}
  - {id: AS, site: a, kind: interval, stamp: end, interval: 1h, carrier: steam_1mpa, flow: purchased, unit: t, INSTALLED}
  - {id: B1, site: b, kind: interval, stamp: end, interval: 15min, carrier: electricity, flow: purchased, unit: kWh}
  - {id: B2, site: b, kind: interval, stamp: end, interval: 15min, carrier: electricity, flow: purchased, unit: kWh}
  - {id: BG, site: b, kind: interval, stamp: end, quantity: grid_intensity, unit: kgCO2/MWh, interval: 1h}
sources:
  - {id: meters, role: readings, files: [readings/*.csv], time: {column: time, zone: UTC}, long: {meter: meter, value: value}}
"""
STEPS = {
    "A1": 900,
    "A2": 900,
    "A3": 3600,
    "A4": 1800,
    "A5": 900,
    "AG": 3600,
    "AS": 3600,
    "B1": 900,
    "B2": 900,
    "BG": 3600,
}
START = datetime(2024, 1, 31, 12)
PERIOD = "2024-02-01..2024-02-02"
Row = tuple[str, datetime, int, float, int, int]
"""Meter, end, span, value, file, line."""


def readings(rnd: random.Random, calm: bool) -> list[Row]:
    """Three days around a month's edge: whole where `calm`, else with everything that meters do."""
    rows: list[Row] = []
    line = 2
    for name, step in STEPS.items():
        count, rough = 72 * 3600 // step, not calm and rnd.random() < 0.7
        if not calm and rnd.random() < 0.1:
            continue  # never read
        ends = rnd.randint(count // 2, count) if not calm and rnd.random() < 0.1 else count
        register = 1000.0
        for number in range(ends):
            line += 1
            if rough and rnd.random() < 0.01:
                continue
            t = START + timedelta(seconds=step * (number + 1))
            register += rnd.uniform(0, 9)
            value = register if name == "A5" else round(rnd.uniform(0, 90), rnd.choice([1, 3, 6]))
            span = 0 if name == "A5" else step
            if rough and rnd.random() < 0.003 and span:
                t, span, value = rnd.choice(
                    [
                        (t, span, -value),
                        (t + timedelta(seconds=7), span, value),
                        (t, span // 2, value),
                        (t, 2 * span, value),
                    ]
                )
            rows.append((name, t, span, value, 1 + (number > count // 2), line))
            if rough and rnd.random() < 0.003:
                rows.append((name, t, span, value + rnd.choice([0, 1]), 1, line + 5))
    if not calm and rnd.random() < 0.5:
        one, other = sorted(rnd.sample(range(len(rows)), 2))
        rows[one], rows[other] = (*rows[one][:5], rows[other][5]), (*rows[other][:5], rows[one][5])
    return rows


def store(
    folder: Path, rows: list[Row], installed: str, files: Sequence[tuple[str, str]] = (("readings.csv", "-"),)
) -> None:
    """The plant with its readings, and no ledger."""
    folder.mkdir()
    (folder / "plant.yaml").write_text(PLANT.replace("INSTALLED", installed), encoding="utf-8")
    opened = open_file(folder)
    opened.sound()
    Store.create(opened.store_path).close()
    add(folder, rows, files)


def add(folder: Path, rows: list[Row], files: Sequence[tuple[str, str]] = (("readings.csv", "-"),)) -> None:
    """One more batch of readings, of these files (name, mapping)."""
    opened = open_file(folder)
    columns = {
        "point": "INTEGER",
        "t": "TIMESTAMP",
        "span": "INTEGER",
        "value": "DOUBLE",
        "file": "INTEGER",
        "line": "INTEGER",
    }
    with Store.open(opened.store_path) as made, connect() as con:
        points = made.ensure_points(meter.id for meter in opened.model.meters)
        with made.begin("load", "") as pending:
            pending.set_plant(plant_to_json(opened.model))
            for number, (name, mapping) in enumerate(files):
                pending.add_file(name, f"{len(rows):062x}{number:02x}", 1, "meters", mapping)
            load_rows(con, "given", columns, [(points[row[0]], *row[1:]) for row in rows])
            pending.add_readings(con, "given", reach=20)
            pending.commit()


def answers(
    work: Workspace, seen: View, book: Rulebook, per: Grain | None, pooled: bool
) -> tuple[list[Any], list[Any]]:
    """Rows and findings of one account."""
    request = Request(parse_period(PERIOD, "Asia/Shanghai"), Space.SITE, per, book.totals).checked(book)
    assert can_pool(book, request)
    made = (
        work.pooled_for(seen, book, request)
        if pooled
        else work.facts_for(seen, [book], request, fact_grain(book, request))
    )
    result = run(work.con, book, seen.model, request, facts=made.name)
    rows = [
        (row.quantity, row.site, row.start, row.unit, row.value, row.coverage, *row.quality.shares().values())
        for row in result.rows
    ]
    findings = sorted(str(item.to_json()) for item in (*made.findings, *result.findings))
    return rows, list(dict.fromkeys(findings))


def alike(one: Any, other: Any) -> bool:
    return (
        math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-15)
        if isinstance(one, float) and isinstance(other, float)
        else one == other
    )


@pytest.fixture(autouse=True)
def runs_of_few_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_FEW", 0)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    folder = tmp_path_factory.mktemp("pooled") / "pooled"
    folder.mkdir()
    for name, text in BOOK.items():
        (folder / name).write_text(text, encoding="utf-8")
    return load_rulebook(folder)


@pytest.mark.parametrize("seed", range(5))
def test_both_ways_give_the_same_answers_and_findings(seed: int, tmp_path: Path, book: Rulebook) -> None:
    """With no ledger stored, with all of it, and with all but the months that late readings and corrections touch."""
    rnd = random.Random(seed)
    rows = readings(rnd, calm=seed == 0)
    late = [
        row
        for row in rows
        if row[0] in ("A2", "B1") and row[1] > START + timedelta(hours=30) and rnd.random() < 0.2
    ]
    corrected = [(*row[:3], row[3] + 1, *row[4:]) for row in rnd.sample(rows, seed)]
    installed = rnd.choice(
        ["name: AS", "installed: {at: 2024-02-01T09:00}", "removed: {at: 2024-02-02T01:00}"]
    )
    folder = tmp_path / "plant"
    store(folder, [row for row in rows if row not in late], installed)
    assert same(folder, book)
    with Plant(open_file(folder)) as plant, connect() as con:
        keep_ledger(plant.view(), con)
    same(folder, book)
    add(folder, late + corrected)
    same(folder, book)


def test_before_and_after_compaction(tmp_path: Path, book: Rulebook) -> None:
    rows = readings(random.Random(9), calm=True)
    folder = tmp_path / "plant"
    store(folder, [row for row in rows if row[5] % 7], "name: AS")
    add(folder, [row for row in rows if row[5] % 7 == 0])
    with Store.open(folder / "celadon-store") as made:
        first = made.batches()[0].recorded_at
        assert made.compact().merged == 4  # two batches of two months
    same(folder, book)
    same(folder, book, as_of=first)


@pytest.mark.parametrize("seed", range(5, 8))
def test_runs_of_rows_that_no_longer_count(seed: int, tmp_path: Path, book: Rulebook) -> None:
    """A file read again with another mapping: what its first reading gave is out, and with it the runs of its segment."""
    rnd = random.Random(seed)
    rows = readings(rnd, calm=seed == 5)
    folder = tmp_path / "plant"
    store(folder, rows, "name: AS", [("one.csv", "-"), ("two.csv", "-")])
    again = [(*row[:3], row[3] / 2, 3, row[5]) for row in rows if row[4] == 1]
    again += again[-1:] * (len(rows) - len(again))  # as many as before, and so the same digest
    add(folder, again, [("one.csv", "other")])
    assert same(folder, book)


def same(folder: Path, book: Rulebook, as_of: datetime | None = None) -> bool:
    """The pooled account, with the runs that the store lists, without them, and with segments added up as columns, is that from a row
    of facts for each meter.

    Whether it looked for runs: not where the ledger is stored."""
    with Plant(open_file(folder)) as plant:
        seen = plant.view(as_of)
        work, alone, columned = Workspace.open(), Workspace.open(), Workspace.open()
        for per in (Grain.HOUR, None) if as_of is None else (None,):
            expected, several = answers(work, seen, book, per, False), [answers(work, seen, book, per, True)]
            if per is not None:
                with patch.object(Catalogue, "runs", return_value={}) as asked:
                    several.append(answers(alone, seen, book, per, True))
                with patch.object(ledger, "WORTH", 0), patch.object(ledger, "_A_COLUMN", 0):
                    several.append(answers(columned, seen, book, per, True))
            for found in several:
                assert len(expected[0]) == len(found[0]) > 0
                for one, other in zip(expected[0], found[0], strict=True):
                    assert all(map(alike, one, other)), (one, other)
                assert found[1] == expected[1]
        for space in (work, alone, columned):
            space.close()
    return as_of is not None or bool(asked.called)


ODD = {
    "A1": lambda row: [(*row[:3], -row[3], *row[4:])],  # below zero
    "A2": lambda row: [row, (*row[:5], row[5] + 100_000)],  # two at one instant
    "A3": lambda row: [row, (row[0], row[1] - timedelta(minutes=5), 300, *row[3:])],  # one inside another
    "A4": lambda row: [(row[0], row[1] - timedelta(seconds=7), 1793, *row[3:])],  # beside the half hour
    "AS": lambda row: [(*row[:5], row[5] + 100_000)],  # a later line before
    "B1": lambda row: [],  # a gap, which is told and hinders nothing
}


def test_what_is_left_to_the_general_way(tmp_path: Path) -> None:
    rows = readings(random.Random(1), calm=True)
    for name, change in ODD.items():
        of = [row for row in rows if row[0] == name]
        middle = of[len(of) // 2 - 5]
        rows = [row for row in rows if row != middle] + change(middle)
    store(tmp_path / "plant", rows, "name: AS")
    with Plant(open_file(tmp_path / "plant")) as plant, connect() as con:
        seen = plant.view()
        points = seen.snapshot.points()
        findings, plain = stream_ledger(con, seen, parse_period(PERIOD, "Asia/Shanghai"), "streamed")
    assert plain is not None
    assert {name for name, point in points.items() if point in plain.lives} == {"AG", "B1", "B2", "BG"}
    [gap] = [
        item.values for item in findings if item.code == "metering.missing" and item.values["meter"] == "B1"
    ]
    # the 140th of 288 quarter-hours from 20:00 on 31 January in Shanghai
    assert (gap["n"], gap["t_before"], gap["t"]) == (1, "2024-02-02T06:45", "2024-02-02T07:00")
    assert gap["value_before"] == f"{[row for row in rows if row[0] == 'B1'][138][3]:.10g}"


def test_segments_are_added_up_as_columns_where_all_their_runs_are_known(
    tmp_path: Path, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A month of quarter-hours beside a register; not without what it needs, nor for few readings, nor of a segment with rows left out."""
    store(tmp_path / "plant", readings(random.Random(3), calm=True), "name: AS")
    taken: list[int] = []
    made = columns.columns

    def counted(*given: Any) -> Any:
        found = made(*given)
        taken.extend(int(column.runs["n"].sum()) for column in found)
        return found

    monkeypatch.setattr(columns, "columns", counted)
    with Plant(open_file(tmp_path / "plant")) as plant, connect() as con:
        seen, period = plant.view(), parse_period(PERIOD, "Asia/Shanghai")
        _, without = stream_ledger(con, seen, period, "streamed")
        monkeypatch.setattr(ledger, "WORTH", 0)
        monkeypatch.setattr(ledger, "_A_COLUMN", 0)
        _, plain = stream_ledger(con, seen, period, "streamed")
        monkeypatch.setattr(plain_amounts, "find_spec", lambda name: None)
        _, lacking = stream_ledger(con, seen, period, "streamed")
    assert without is not None
    assert plain is not None
    assert lacking is not None
    assert without.columns == lacking.columns == ()
    # of February: the twelve hours of January are too few of an hourly meter to be listed
    assert taken == [sum(column.runs["n"].sum() for column in plain.columns)]
