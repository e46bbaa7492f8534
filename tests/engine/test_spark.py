"""The same rulebooks on a real Spark cluster: the same numbers, the same grades, the same findings."""

import json
import math
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from celadon.cli import main
from celadon.core.facts import FACT_COLUMNS
from celadon.core.findings import FindingError
from celadon.core.model import Plant, Site
from celadon.core.periods import Grain, parse_period
from celadon.core.quantities import Space
from celadon.core.text import text_from
from celadon.engine import spark
from celadon.engine.region import account_region
from celadon.engine.region_model import FactColumn, Region
from celadon.engine.request import Request
from celadon.engine.run import Result, run
from celadon.engine.spark import Spark
from celadon.region.facade import open_region
from celadon.region.upkeep import compact
from celadon.rules.rulebook import Rulebook, load_rulebook, shipped_ids
from celadon.testing import Case, case_facts, case_plant, case_request, read_cases
from tests.engine.clusters import Cluster, cluster

pytestmark = [pytest.mark.slow, pytest.mark.stress, pytest.mark.xdist_group("spark")]


@pytest.fixture(scope="module")
def running():
    with cluster() as made:
        yield made


@pytest.fixture(scope="module")
def engine(running: Cluster, tmp_path_factory: pytest.TempPathFactory):
    made = Spark(running.address, tmp_path_factory.mktemp("it's [a] *folder*? 文件夹"))
    yield made
    made.close()


def same(first: Result, second: Result) -> None:
    """Row by row: words and spans are equal, numbers within 1e-9, what is absent is absent, findings are the same."""
    assert len(first.rows) == len(second.rows)
    for one, other in zip(first.rows, second.rows, strict=True):
        for name in (
            "quantity",
            "item",
            "purpose",
            "enterprise",
            "site",
            "process",
            "meter",
            "start",
            "end",
            "unit",
        ):
            assert getattr(one, name) == getattr(other, name)
        assert close(one.value, other.value), (one, other)
        assert close(one.coverage, other.coverage)
        assert [*one.quality.shares()] == [*other.quality.shares()]
        assert all(map(close, one.quality.shares().values(), other.quality.shares().values()))
    assert [item.to_json() for item in first.findings] == [item.to_json() for item in second.findings]


def close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


def answer(case: Case, book: Rulebook, engine: Spark | None = None) -> Result | None:
    """The answer to a case; None where the engine refuses it."""
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        try:
            return run(con, book, plant, request, on=engine)
        except FindingError:
            return None


REGION = """celadon-region: 1
region: {id: r1}
registry:
  files: [registry.csv]
  columns: {enterprise: id, industry: industry, region: region}
sources:
  - id: reports
    files: [facts*.csv]
    enterprise: id
    month: month
    values:
      - {column: coal, quantity: energy_consumed, item: cleaned_coal, purpose: combustion, unit: t}
      - {column: electricity, quantity: energy_purchased, item: electricity, unit: MWh}
      - {column: value, quantity: industrial_added_value, unit: 万元}
quotas: {files: [quotas.csv], rulebook: cn_gbt_2589_2020, columns: {enterprise: id, year: year, quantity: q, value: v, unit: u}}
accounts:
  cn_gbt_32150_2015: {options: {grid_factor: provincial}}
"""


def test_the_commands_of_a_region(
    running: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Accounted, graded, compared with peers and warned by the documented commands, now and as of before a correction that was
    compacted away."""
    folder = tmp_path / "region"
    folder.mkdir()
    (folder / "region.yaml").write_text(REGION, encoding="utf-8")
    places, industries = ("370100", "320100", "440100"), ("3011", "3120", "1711", "2614")
    firms = [f"E{number},{industries[number % 4]},{places[number % 3]}" for number in range(120)]
    (folder / "registry.csv").write_text("id,industry,region\n" + "\n".join(firms) + "\n")
    quotas = [
        f"E{number},2024,comprehensive_energy,{(23 + 1.5 * (number % 5)) * number + 1},tce"
        for number in range(0, 120, 3)
    ]
    (folder / "quotas.csv").write_text("id,year,q,v,u\n" + "\n".join(quotas) + "\n")
    months = [f"2023-{month:02}" for month in range(1, 13)] + [f"2024-{month:02}" for month in (4, 5, 6)]
    rows = [
        f"E{number},{month},{number * (1 + place % 5 / 10) * 1.0173},{number % 11 * 30},{5 + number % 13}"
        for place, month in enumerate(months)
        for number in range(120)
    ]
    (folder / "facts-before.csv").write_text("id,month,coal,electricity,value\n" + "\n".join(rows) + "\n")

    def reported(name: str, times: int, count: int) -> datetime:
        rows = [
            f"E{number},2024-0{month},{'' if number % 7 == 0 else times * number * 3.7},{(number % 11) * 100 / 3},{5 + number % 13}"
            for month in (1, 2, 3)
            for number in range(count)
        ]
        (folder / name).write_text("id,month,coal,electricity,value\n" + "\n".join(rows) + "\n")
        with open_region(folder) as region:
            assert list(region.load().findings) == []
            return region.store.batches()[-1].recorded_at

    before = reported("facts.csv", 1, 120).isoformat()
    reported("facts-corrected.csv", 3, 30)
    compact(folder)

    def asked(*words: object) -> dict[str, Any]:
        assert main([*map(str, words), "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    book = ("--rulebook", "cn_gbt_2589_2020", "--period", "2024-Q1")
    account = ("account", folder, *book, "--by", "industry,province", "--quantity", "comprehensive_energy")
    grade = ("grade", folder, "--period", "2024-Q1", "--most", 120)
    peers = ("peers", folder, *book, "--over", "industrial_added_value", "--enterprise", "E17")
    warn = ("warn", folder, "--year", 2024)
    answers = []
    for question in ((*account, "--as-of", before), grade, peers, warn):
        expected, found = asked(*question), asked(*question, "--engine", running.address)
        assert_close(expected, found)
        answers.append(expected)
    now, (then, graded, compared, warned) = asked(*account), answers
    assert (len(now["rows"]), len(graded["rows"])) == (12, 120)  # 4 industries in 3 provinces
    # 30 enterprises burnt three times as much cleaned coal in each of three months, at 0.9 tce/t; every seventh burns none
    more = 3 * 2 * 3.7 * 0.9 * sum(number for number in range(30) if number % 7)
    assert math.isclose(
        sum(row["value"] for row in now["rows"]) - sum(row["value"] for row in then["rows"]), more
    )
    assert len(graded["counts"]) > 3  # grades of several kinds, none of which flipped
    # every seventh burns nothing, so that its energy is absent
    burning = {
        industry: sum(n % 4 == place and n % 7 > 0 for n in range(120))
        for place, industry in enumerate(industries)
    }
    assert {item["group"]["industry"]: item["enterprises"] for item in compared["groups"]} == burning
    assert compared["standing"]["peers"] == burning["3120"] == 26
    assert (warned["month"], warned["quotas"]) == ("2024-06", 40)
    assert {item["level"] for item in warned["warnings"]} == {"blue", "yellow", "orange", "red"}
    assert all(item["trace"]["forecast"] for item in warned["warnings"])


def assert_close(one: object, other: object) -> None:
    """Equal but for the last digits of numbers."""
    if isinstance(one, float) and isinstance(other, float):
        assert math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    elif isinstance(one, dict) and isinstance(other, dict):
        assert list(one) == list(other)
        for name in one:
            assert_close(one[name], other[name])
    elif isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            assert_close(*pair)
    else:
        assert one == other


@pytest.mark.parametrize("name", shipped_ids())
def test_a_case_of_every_rulebook(name: str, engine: Spark) -> None:
    book, cases = load_rulebook(name), []
    for case in read_cases(load_rulebook(name).folder):
        expected = answer(case, book)
        if expected is not None and expected.rows:
            cases.append((len(expected.query.steps), len(cases), case, expected))
    _, _, case, expected = min(cases)  # planning a long chain takes Spark seconds
    found = answer(case, book, engine)
    assert found is not None
    same(expected, found)


NUMBERS = (2.675, 1.005, 0.285, -2.675, 0.5, 1.5, 2.5, 1e15 + 0.5, 123456.785, 0.1 + 0.2)
STATEMENTS = (
    "SELECT round(v, 0), round(v, 1), round(v, 2), round(v * 1e0, -2) FROM ({values}) AS t",
    "SELECT v / nullif(v - v, 0e0), ln(abs(v)), power(abs(v), 5e-1), greatest(v, 1e0), least(v, 1e0) FROM ({values}) AS t",
    r"SELECT 'it''s a \ and a {{brace}} 文字' AS words, CAST(NULL AS DOUBLE), TIMESTAMP '2024-03-31 01:30:00', DATE '2024-02-29'",
    "SELECT CAST(date_diff('second', TIMESTAMP '2024-03-31 00:00:00', TIMESTAMP '2024-03-31 03:00:00') AS DOUBLE), 7 / 2e0",
    "SELECT a, sum(b), count(*) FROM (VALUES ('x', 1e0), ('y', NULL), ('x', 2e0)) AS t(a, b) GROUP BY ALL",
    "SELECT q[1], q[3], m FROM (SELECT quantile_cont(v, [0.25, 0.5, 0.75]) AS q, median(v) AS m FROM ({values}) AS t)",
    "SELECT list_median([a, b, c, d]), list_count([a, b, c, d]) FROM (VALUES (1e0, 3e0, NULL, 2e0), (4e0, NULL, 1e0, NULL), "
    "(NULL, NULL, 7e0, NULL), (4e0, 2e0, 3e0, 1e0), (CAST(NULL AS DOUBLE), NULL, NULL, NULL)) AS t(a, b, c, d)",
    "SELECT k, arg_max(a, far), list_sort(list(a)) FROM (SELECT k, a, {{'off': o, 'early': -a}} AS far FROM "
    "(VALUES ('x', 1, 2e0), ('x', 2, 3e0), ('x', 3, 3e0), ('y', 4, 1e0)) AS t(k, a, o)) GROUP BY k",
    "SELECT k, CASE place WHEN 0 THEN 'p' WHEN 1 THEN 'q' END, CASE place WHEN 0 THEN p WHEN 1 THEN q END FROM "
    "(VALUES ('x', 1e0, 2e0), ('y', 3e0, NULL)) AS t(k, p, q) CROSS JOIN (VALUES (0), (1)) AS places(place)",
    "SELECT a.n FROM (VALUES (1, NULL), (2, 3e0)) AS a(n, v) JOIN (VALUES (1, NULL), (2, 4e0)) AS b(n, v) "
    "ON b.n = a.n AND b.v IS NOT DISTINCT FROM a.v",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_one_text_means_the_same(statement: str, engine: Spark) -> None:
    values = "SELECT * FROM (VALUES " + ", ".join(f"({value!r}e0)" for value in NUMBERS) + ") AS n(v)"
    sql = statement.format(values=values.replace("e+15e0", "e15"))
    expected = sorted(duckdb.connect().execute(sql).fetchall(), key=str)
    found = sorted(engine.rows(sql), key=str)
    for one, other in zip(expected, found, strict=True):
        assert [word for word in one if not isinstance(word, float)] == [
            word for word in other if not isinstance(word, float)
        ]
        assert all(
            math.isclose(a, b, rel_tol=1e-14) for a, b in zip(one, other, strict=True) if isinstance(a, float)
        )


def test_files_are_read_where_they_are(engine: Spark, tmp_path: Path) -> None:
    folder = tmp_path / "[2024] 鹭河 'mill' *"
    folder.mkdir()
    con = duckdb.connect()
    for number in (1, 2):
        target = str(folder / f"{number}.parquet").replace("'", "''")
        con.execute(
            f"COPY (SELECT {number} AS n, TIMESTAMP '2024-01-01 08:00:00' AS t, range * 5e-1 AS v FROM range(10)) TO '{target}'"
        )
    listed = ", ".join(
        "'" + str(folder / f"{n}.parquet").replace("[", "[[]").replace("*", "[*]").replace("'", "''") + "'"
        for n in (1, 2)
    )
    sql = f"SELECT n, t, v FROM read_parquet([{listed}], hive_partitioning = false) WHERE v > 4e0"
    engine.define("seen", sql)
    asked = "SELECT n, min(t), sum(v) FROM seen GROUP BY n ORDER BY n"
    moment = con.execute("SELECT TIMESTAMP '2024-01-01 08:00:00'").fetchall()[0][0]
    assert (
        engine.rows(asked)
        == con.execute(asked.replace("seen", f"({sql})")).fetchall()
        == [(1, moment, 4.5), (2, moment, 4.5)]
    )


SITES, PROCESSES, CARRIERS = 40, 60, ("raw_coal", "diesel", "natural_gas", "electricity")
BOOK = "cn_gbt_32150_2015"


def large(con: duckdb.DuckDBPyConnection) -> tuple[Plant, Request]:
    """40 sites × 12 months × 60 processes × 4 carriers: 115,200 facts, some absent."""
    sites = tuple(Site(f"S{n}", text_from(f"S{n}"), "CN-SD", "Asia/Shanghai") for n in range(SITES))
    plant = Plant("E", text_from("E"), "Asia/Shanghai", 3600, sites)
    words = ", ".join(f"'{word}'" for word in CARRIERS)
    units = "CASE item WHEN 'electricity' THEN 'kWh' WHEN 'natural_gas' THEN 'm3' ELSE 't' END"
    columns = {
        "quantity": "'energy_consumed'", "item": "item", "purpose": "'combustion'", "enterprise": "'E'", "site": "'S' || site",
        "process": "'P' || process", "meter": "''",
        "time_start": "TIMESTAMP '2023-12-31 16:00:00' + to_months(month::INTEGER)",
        "time_end": "time_start + INTERVAL 1 DAY", "value": "CASE WHEN size % 97 = 0 THEN NULL ELSE size / 8e0 END", "unit": units,
        "weight": "NULL", "basis": "NULL", "estimated": "CASE WHEN size % 5 = 0 THEN size / 16e0 ELSE 0e0 END", "defaulted": "0e0",
        **dict.fromkeys(("factored", "verified1", "own", "recalled"), "0e0"), "coverage": "CASE WHEN size % 97 = 0 THEN 0e0 ELSE 1e0 END", "status": "0", "source": "'ledger'",
    }  # fmt: skip
    select = ", ".join(f"({columns[name]})::{kind} AS {name}" for name, kind in FACT_COLUMNS.items())
    con.execute(
        f"CREATE TABLE facts AS SELECT {select} FROM (SELECT unnest([{words}]) AS item, site, process, month, "
        f"(hash(site, process, month) % 10007)::INTEGER AS size FROM range({SITES}) s(site), range({PROCESSES}) p(process), "
        f"range(12) m(month))"
    )
    return plant, Request(parse_period("2024", plant.zone), Space.SITE, Grain.MONTH)


FIRMS = 4000


def test_a_region_from_its_files(engine: Spark, tmp_path: Path) -> None:
    """4,000 enterprises × 12 months in a file a month: 48,000 rows of wide facts, with what is absent and corrections."""
    con = duckdb.connect()
    con.execute(
        f"CREATE TABLE registry AS SELECT range AS enterprise, 'CN-' || ['SD', 'HB', 'GD'][1 + range % 3] AS region, "
        f"(range % 41)::VARCHAR AS industry FROM range({FIRMS})"
    )
    files = []
    for month in range(1, 13):
        files.append(tmp_path / f"{month}.parquet")
        con.execute(
            f"COPY (SELECT range AS enterprise, DATE '2024-{month:02d}-01' AS month, (hash(range, {month}) % 9973) / 7e0 AS coal, "
            f"CASE WHEN range % 5 = 0 THEN NULL ELSE (hash(range, {month}, 1) % 997) / 3e0 END AS diesel, "
            f"CASE WHEN range % 11 = 0 AND {month} = 4 THEN NULL ELSE (hash(range, 2) % 99991) * 1e0 END AS electricity, "
            f"(range % 11 = 0 AND {month} = 4) AS due FROM range({FIRMS})) TO '{files[-1]}'"
        )
    listed = ", ".join(f"'{file}'" for file in files[1:])
    con.execute(
        "CREATE TEMP VIEW wide AS SELECT enterprise, month, coal, diesel, electricity, due FROM "
        f"read_parquet([{listed}], hive_partitioning = false) UNION ALL SELECT * FROM read_parquet(['{files[0]}']) "
        f"WHERE enterprise NOT IN (SELECT enterprise FROM read_parquet(['{files[0]}']) WHERE coal < 1e0)"
    )
    region = Region(
        "registry", "wide",
        (
            FactColumn("energy_consumed", "raw_coal", "combustion", "t", "coal"),
            FactColumn("energy_consumed", "diesel", "combustion", "t", "diesel"),
            FactColumn("energy_purchased", "electricity", "", "kWh", "electricity", absent="due"),
        ),
    )  # fmt: skip
    book, period = load_rulebook(BOOK), parse_period("2024", "Asia/Shanghai")
    for by, grain in ((("enterprise",), None), (("region", "industry"), Grain.MONTH)):
        request = Request(period, Space.SITE, grain, ("total_emission",), {})
        expected = account_region(con, book, region, request, by)
        found = account_region(con, book, region, request, by, on=engine)
        assert len(found.rows) == len(expected.rows) >= 123 * 12
        known = {(row.group, row.start): row for row in found.rows}
        for row in expected.rows:
            other = known[row.group, row.start]
            assert close(row.value, other.value), (row, other)
            assert close(row.coverage, other.coverage)
        assert [item.to_json() for item in found.findings] == [item.to_json() for item in expected.findings]
        account_region(con, book, region, request, by, into="there", on=engine)
        account_region(con, book, region, request, by, into="here")
        assert con.execute("DESCRIBE here").fetchall() == con.execute("DESCRIBE there").fetchall()
        assert (
            con.execute("SELECT count(*) FROM here").fetchall()
            == con.execute("SELECT count(*) FROM there").fetchall()
        )
    assert not list(engine.folder.glob("wide*"))  # the files were read where they are, not copied


def test_a_worker_lost_during_a_run_and_then_all(
    engine: Spark, running: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = load_rulebook(BOOK)
    with duckdb.connect() as con:
        plant, request = large(con)
        assert con.execute("SELECT count(*) FROM facts").fetchone() == (115_200,)
        expected = run(con, book, plant, request)
        assert len(expected.rows_of("total_emission")) == SITES * 12
        answers: list[Result] = []
        asking = threading.Thread(
            target=lambda: answers.append(run(con.cursor(), book, plant, request, on=engine))
        )
        asking.start()
        busy = engine._session.sparkContext.statusTracker()
        until = time.monotonic() + 120
        while not busy.getActiveStageIds() and time.monotonic() < until:
            time.sleep(0.02)
        running.kill_worker(0)
        asking.join(120)
        same(expected, answers[0])
        monkeypatch.setattr(spark, "PATIENCE", 3.0)
        running.kill_worker(1)
        with pytest.raises(FindingError) as raised:
            run(con, book, plant, request, on=engine)
        (finding,) = raised.value.findings
        assert finding.code == "engine.no-workers"
        assert finding.says("en") == (
            f"{running.address} had no worker for this query for 3 seconds; it was given up and answers nothing."
        )
