"""Filings that carry the readings and records behind their facts: every fact is made anew from the meters' lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

import celadon
from celadon.core.quantities import Space
from celadon.examples import cement_works
from celadon.plant.account import Question
from celadon.plant.new import new_plant
from celadon.plant.opened import open_file
from celadon.proof import raw
from celadon.proof.checking import verify
from celadon.proof.evidence import READINGS
from celadon.proof.filing import Asked, Filing, file_period
from celadon.proof.payload import FACTS
from celadon.proof.raw import RAW_READINGS, RAW_RECORDS
from tests.plant import small
from tests.proof import filed

KEY = filed.SIGNER.key


def file_raw(folder: Path, period: str = "2024-01") -> Filing:
    question = Question(period, Space.SITE)
    return file_period(open_file(folder), Asked(filed.BOOK, question, readings=True), filed.SIGNER)


@pytest.fixture(scope="module")
def filing(tmp_path_factory: pytest.TempPathFactory) -> Filing:
    folder = tmp_path_factory.mktemp("plant")
    small.loaded(folder).close()
    return file_raw(folder)


def changed(content: bytes, sql: str, tmp_path: Path) -> bytes:
    """A Parquet file with its rows changed: `sql` selects from the table `given`."""
    (tmp_path / "a.parquet").write_bytes(content)
    con = duckdb.connect()
    con.execute(f"CREATE TABLE given AS SELECT * FROM '{tmp_path / 'a.parquet'}'")
    con.execute(f"COPY ({sql}) TO '{tmp_path / 'b.parquet'}' (FORMAT PARQUET)")
    return (tmp_path / "b.parquet").read_bytes()


def lied(filing: Filing, tmp_path: Path, path: str, sql: str) -> list[str]:
    """The codes that a firm's own lie is found out by: one file changed and everything signed anew."""

    def change(payload: dict[str, bytes]) -> None:
        payload[path] = changed(payload[path], sql, tmp_path)

    found = verify(filed.signed_again(filing.package, tmp_path / "x.zip", change), KEY)
    return [item.code for item in found.findings]


def test_every_fact_is_made_anew_from_the_lines(filing: Filing, tmp_path: Path) -> None:
    found = verify(filing.package, KEY)
    assert found.findings == ()
    # Two meters: 744 hours of January and the reading that ends it each, all of them loaded; three records of diesel.
    assert (found.to_json()["readings"], found.to_json()["records"]) == (2 * 745, 3)
    files = filed.contents(filing.package)
    (tmp_path / "r.parquet").write_bytes(files[RAW_READINGS])
    (row,) = duckdb.sql(
        f"SELECT meter, value, name, line FROM '{tmp_path / 'r.parquet'}' WHERE meter = 'E1' ORDER BY t LIMIT 1"
    ).fetchall()
    assert row == ("E1", 1000.0, "data/january.csv", 2)  # the first line below the header
    assert json.loads(files["data/request.json"])["raw"]["points"].keys() == {"E1", "E2"}


def test_without_them_nothing_is_said_of_them(tmp_path: Path) -> None:
    small.loaded(tmp_path / "p").close()
    package = filed.file(tmp_path / "p").package
    assert RAW_READINGS not in filed.contents(package)
    found = verify(package, KEY)
    assert (found.raw, found.to_json()["readings"], found.findings) == (None, None, ())


def test_the_same_twice_gives_the_same_bytes(filing: Filing, tmp_path: Path) -> None:
    again = file_raw(filing.package.parent.parent.parent)
    assert (again.new, again.entry.id) == (False, filing.entry.id)


@pytest.mark.parametrize(
    ("path", "sql", "codes"),
    [
        # The register that ends January (it stands at the edge, so February's line tells of it) is 100 kWh lower than it was read.
        (RAW_READINGS, "SELECT * REPLACE (CASE WHEN meter = 'E1' AND t = (SELECT max(t) FROM given) THEN value - 100 "
                       "ELSE value END AS value) FROM given", ["filing.facts-not-read"]),
        # A line of E1 in the middle is gone: the month's total stays, the digest of its readings does not.
        (RAW_READINGS, "SELECT * FROM given WHERE NOT (meter = 'E1' AND line = 100)", ["filing.readings-differ"]),
        # Half a tonne of diesel less was bought.
        (RAW_RECORDS, "SELECT * REPLACE (CASE WHEN value = 4 THEN 3.5 ELSE value END AS value) FROM given",
         ["filing.readings-differ", "filing.facts-not-read"]),
        # The facts were changed after all: the figures differ, and so do the readings.
        (FACTS, "SELECT * REPLACE (value * 0.9 AS value) FROM given",
         ["filing.different", "filing.different", "filing.different", "filing.facts-not-read"]),
        (RAW_READINGS, "SELECT * EXCLUDE (name) FROM given", ["filing.content"]),
        (RAW_READINGS, "SELECT * FROM given LIMIT 0", ["filing.readings-differ", "filing.facts-not-read"]),
        (RAW_RECORDS, "SELECT * REPLACE ('nonsense' AS unit) FROM given",
         ["filing.readings-differ", "filing.facts-not-read"]),
    ],
)  # fmt: skip
def test_a_lie_that_is_signed_is_found_out(
    filing: Filing, tmp_path: Path, path: str, sql: str, codes: list[str]
) -> None:
    assert lied(filing, tmp_path, path, sql) == codes


def test_what_it_says(filing: Filing, tmp_path: Path) -> None:
    sql = "SELECT * REPLACE (CASE WHEN value = 4 THEN 3.5 ELSE value END AS value) FROM given"

    def change(payload: dict[str, bytes]) -> None:
        payload[RAW_RECORDS] = changed(payload[RAW_RECORDS], sql, tmp_path)

    told, fact = verify(filed.signed_again(filing.package, tmp_path / "x.zip", change), KEY).findings
    assert (
        told.says()
        == "data/facts/records.csv does not tell of the readings and records that the filing carries."
    )
    assert told.says("zh") == "data/facts/records.csv 所述并非申报包所附的读数与台账。"
    # 1.5 t opening + 4 t bought - 0.5 t closing = 5 t burnt; with 3.5 t bought 4.5 t.
    assert "energy_consumed diesel was filed as 5.0, and comes to 4.5 t" in fact.says()
    assert "energy_consumed diesel 申报值为 5.0，由读数得出 4.5 t" in fact.says("zh")


@pytest.mark.parametrize(
    "change",
    [
        lambda request: request["raw"]["points"].pop("E1"),
        lambda request: request["raw"].update(points={"E1": "one"}),
        lambda request: request["raw"].pop("readings"),
        lambda request: request.update(raw=5),
    ],
)
def test_what_is_told_of_them_is_not_trusted(
    filing: Filing, tmp_path: Path, change: Callable[[dict], None]
) -> None:
    def alter(payload: dict[str, bytes]) -> None:
        request = json.loads(payload["data/request.json"])
        change(request)
        payload["data/request.json"] = json.dumps(request).encode()

    found = verify(filed.signed_again(filing.package, tmp_path / "x.zip", alter), KEY)
    assert {item.code for item in found.findings} & {"filing.content", "filing.facts-not-read"}


def test_files_that_are_not_there(filing: Filing, tmp_path: Path) -> None:
    found = verify(
        filed.signed_again(filing.package, tmp_path / "x.zip", lambda payload: payload.pop(RAW_RECORDS)), KEY
    )
    assert [item.code for item in found.findings] == ["filing.content"]


def test_corrections_and_neighbours_come_along(tmp_path: Path) -> None:
    """February, with a correction of January's last hours loaded later: both revisions are there, and the edge is cut."""
    folder = tmp_path / "p"
    small.loaded(folder).close()
    (folder / "data" / "february.csv").write_text(small.rows(small.HOURS + 1, small.HOURS + 28 * 24), "utf-8")
    (folder / "data" / "late.csv").write_text("time,E1,E2\n2024-02-10 05:00,10655,4364\n", "utf-8")
    plant = small.open_again(folder)
    plant.load()
    plant.close()
    found = verify(file_raw(folder, "2024-02").package, KEY)
    assert found.findings == ()
    assert found.raw is not None
    assert found.raw.readings > 2 * 28 * 24


def test_facts_below_what_another_rulebook_calculates_are_made_anew(tmp_path: Path) -> None:
    """The works' quota is told from energy that GB/T 2589 gives: what that starts from is made anew at each of its grains."""
    folder = tmp_path / "works"
    new_plant(folder, contents=cement_works.texts())
    with celadon.open_plant(folder) as plant:
        plant.load()
    question = Question("2025-01", Space.SITE)
    asked = Asked("cn_product_energy_quota", question, readings=True)
    package = file_period(open_file(folder), asked, filed.SIGNER).package
    measured = next(path for path in filed.contents(package) if path.startswith("data/facts/measured-"))
    found = verify(package, KEY)
    assert (found.findings, found.raw is not None) == ((), True)

    def lie(payload: dict[str, bytes]) -> None:
        less = "SELECT * REPLACE (value * 0.9 AS value) FROM given"
        payload[measured] = changed(payload[measured], less, tmp_path)

    codes = {item.code for item in verify(filed.signed_again(package, tmp_path / "x.zip", lie), KEY).findings}
    assert "filing.facts-not-read" in codes


def test_too_many_are_refused(filing: Filing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "MOST_READINGS", 1000)
    with filed.refused("filing.readings-too-many", r"has 1488 readings; a filing carries 1000 at most"):
        file_raw(filing.package.parent.parent.parent)


def test_readings_csv_tells_of_what_is_carried(filing: Filing) -> None:
    lines = filed.contents(filing.package)[READINGS].decode().splitlines()
    assert [line.split(",")[:3] for line in lines[1:]] == [["E1", "2024-01", "744"], ["E2", "2024-01", "744"]]
