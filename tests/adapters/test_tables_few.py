"""The short way for small plain files of readings against the general one: the same rows, findings and rows kept out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celadon.adapters.tables import read_readings, readings
from celadon.adapters.tables.few import few_rows
from celadon.core.model import PointKind
from celadon.store.scratch import connect
from tests.adapters.table_files import NOW, Read, at, long, meter, text_file

METERS = [meter("E1", unit="kWh"), meter("E2", unit="kWh"), meter("G", PointKind.RATE, unit="kW")]
_WORDS = st.sampled_from(["E1", "E1", "E1", "E2", "e1", "E1 ", "Haupt", "G", "X9", '"E1"', "", "Ｅ1"])
_TIMES = st.sampled_from(
    [
        "2024-03-05 10:15", "2024-03-05 10:15", "2024-03-05 23:59", "2024-10-27 02:30", "2024-03-31 02:30", "2024-3-5 7:15",
        "2024-02-30 10:00", "2024-03-05 24:00", "2024-03-05 10:15:30", "2024-03-05T10:15Z", "05.03.2024", "1969-12-31 10:00",
        "2026-06-01 00:04", "2026-06-01 00:06", "2031-01-01 00:00", "", " 2024-03-05 10:15", '"2024-03-05 10:15"',
    ]
)  # fmt: skip
_VALUES = st.sampled_from(
    [
        "12.5", "12.5", "0", "-0", "007", "-3.25", "1.021", "123456789.123456", "+5", "1e3", ".5", "5.", "1,5", "1,234.5", "1_000",
        "nan", "", "-", "-9999", "１２", "12.5 ", '"12.5"', "abc", "0.1",
    ]
)  # fmt: skip
_GOOD = st.tuples(
    st.just("2024-03-05 10:15"), st.sampled_from(["E1", "E2"]), st.sampled_from(["12.5", "0.1"])
)
_ROWS = st.lists(st.one_of(_GOOD, _GOOD, st.tuples(_TIMES, _WORDS, _VALUES)), max_size=4)
_SOURCES = st.fixed_dictionaries(
    {},
    optional={
        "zone": st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin"]),
        "units": st.sampled_from([(("value", "MWh"),), (("value", "kWh"),)]),
        "missing": st.just(("", "-9999", "007")),
        "midnight": st.just("closes"),
        "decimal": st.just(","),
        "delimiter": st.just(";"),
        "maps": st.just((("meter", (("Haupt", "E1"), ("X9", "E2"))),)),
    },
)


def _outcome(con: duckdb.DuckDBPyConnection, path: Path, source: dict[str, Any]) -> tuple[object, ...]:
    meters = {item.id: item for item in METERS}
    ids = {item.id: n for n, item in enumerate(METERS, 1)}
    con.execute("DROP TABLE IF EXISTS readings")
    report = read_readings(con, path, long(**source), meters, ids, 7, 3, "readings", now=NOW, shown="a.csv")
    rows = con.execute("FROM readings ORDER BY line, point").fetchall()
    said = [finding.to_json() for finding in report.findings]
    return rows, report.rows_good, report.rows_bad, said, [row.to_json() for row in report.quarantine]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as made:
        yield made


@settings(max_examples=80, deadline=None)
@given(
    rows=_ROWS,
    source=_SOURCES,
    end=st.sampled_from(["", "\n", "\n\n", "\nextra\n", "\n,,\n", "\r\n", "\n\x15\n"]),
)
def test_both_ways_give_the_same(
    con: duckdb.DuckDBPyConnection, rows: list[tuple[str, str, str]], source: dict[str, Any], end: str
) -> None:
    lines = ["time,meter,value", *(",".join(row) for row in rows)]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = text_file(Path(folder), "\n".join(lines) + end)
        found = _outcome(con, path, source)
        patch.setattr(readings, "few_rows", lambda *_: None)
        assert found == _outcome(con, path, source)


TAKEN = [
    ("time,meter,value\n2024-03-05 10:15,E1,12.5\n\n2024-03-05 10:15:00,E2,1\n", {}, None),  # two forms of times
    ("time,meter,value\n2024-03-05 10:15,E1,12.5\n\n2024-03-05 10:30,E2,1\n", {}, [(2, 12.5), (4, 1.0)]),
    ("time;x;meter;value\r\n2024-03-05 10:15;a;Haupt;-3.25\r\n", {"maps": (("meter", (("Haupt", "E1"),)),)}, [(2, -3.25)]),
    ("time,meter,value\n2024-03-05 10:15,E1,\n", {}, None),
    ("time,meter,value\n2024-03-05 10:15,E1,1.0\n", {"units": (("value", "MWh"),)}, None),
    ("time,meter,value\n2024-10-27 12:30,E1,1.0\n", {"zone": "Europe/Berlin"}, None),  # the day the clock is set back
    ("time,meter,value\n2024-03-05 10:15,G,1.0\n", {}, [(2, 1.0)]),  # an instant's rate, as for all of its kind
    ("time,meter,value\n", {}, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "source", "rows"), TAKEN)
def test_the_short_way_takes_what_is_plain_and_nothing_else(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    source: dict[str, Any],
    rows: list[tuple[int, float]] | None,
) -> None:
    taken: list[Any] = []

    def spied(*given: Any) -> Any:
        taken.append(few_rows(*given))
        return taken[-1]

    monkeypatch.setattr(readings, "few_rows", spied)
    _outcome(con, text_file(tmp_path, text), source)
    found = None if taken[0] is None else [(row[5], row[3]) for row in taken[0]]
    assert found == rows


def test_times_are_moved_to_utc(tmp_path: Path) -> None:
    path = text_file(tmp_path, "time,meter,value\n2024-03-05 10:15,E1,12.5\n")
    read = Read(path, long(zone="Asia/Shanghai"), METERS)
    assert read.rows == [("E1", at("2024-03-05 02:15"), 0, 12.5, 2)]  # eight hours
