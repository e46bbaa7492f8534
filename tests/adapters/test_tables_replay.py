"""The quarantine of readings: what a row keeps, and that a corrected row lands where it belongs."""

import json
from datetime import UTC
from pathlib import Path

import pytest

from celadon.adapters.tables import QuarantineRow, TableReport, replay
from celadon.core.model import PointKind, Source, Stamp
from tests.adapters.table_files import NOW, Read, at, long, meter, text_file, wide


def put_back(read: Read, rows: list[QuarantineRow]) -> TableReport:
    return replay(read.con, rows, read.source, read.meters, read.ids, {"file.csv": 7}, 4, "readings", now=NOW)


def test_rows_survive_json(tmp_path: Path) -> None:
    read = Read(text_file(tmp_path, "time,E1\n2024-01-01,x\nsoon,2\n"), wide("E1"), ["E1"])
    for row in read.report.quarantine:
        assert QuarantineRow.from_json(json.loads(json.dumps(row.to_json()))) == row


def test_a_corrected_cell_lands_in_its_place(tmp_path: Path) -> None:
    point = meter("E1", PointKind.INTERVAL, interval_seconds=900, stamp=Stamp.START)
    read = Read(text_file(tmp_path, "time,E1,E2\n2024-01-01,x,5\n"), wide("E1", "E2"), [point, "E2"])
    row = read.report.quarantine[0]
    assert row == QuarantineRow(
        "file.csv", None, 2, "E1", "table.number-unreadable", {"time": "2024-01-01", "E1": "x"}, "E1",
        at("2024-01-01 00:15").replace(tzinfo=UTC), 900, "2024-01-01",
    )  # fmt: skip
    report = put_back(read, [row.corrected({"E1": "7.5"})])
    assert (report.rows_good, report.rows_bad, report.findings) == (1, 0, [])
    assert read.rows == [("E1", at("2024-01-01 00:15"), 900, 7.5, 2), ("E2", at("2024-01-01"), 0, 5.0, 2)]
    assert read.con.execute("SELECT batch, file FROM readings WHERE value = 7.5").fetchall() == [(4, 7)]


def test_a_corrected_interval_keeps_its_span(tmp_path: Path) -> None:
    point = meter("E1", PointKind.INTERVAL, stamp=Stamp.START)
    read = Read(
        text_file(tmp_path, "time,E1\n2024-01-01,x\n2024-02-01,5\n2024-03-01,\n"), wide("E1"), [point]
    )
    assert put_back(read, [read.report.quarantine[0].corrected({"E1": "3"})]).rows_good == 1
    assert [(row[1], row[2] // 86400, row[3]) for row in read.rows] == [
        (at("2024-02-01"), 31, 3.0),
        (at("2024-03-01"), 29, 5.0),
    ]


def test_a_corrected_time_goes_by_the_new_time(tmp_path: Path) -> None:
    read = Read(
        text_file(tmp_path, "time,E1,E2\n2024-02-30,1,2\n2024-01-01,x,3\n"),
        wide("E1", "E2", zone="Asia/Shanghai"),
        ["E1", "E2"],
    )
    whole, cell = read.report.quarantine
    report = put_back(
        read, [whole.corrected({"time": "2024-03-01"}), cell.corrected({"time": "2024-03-02", "E1": "4"})]
    )
    assert (report.rows_good, report.rows_bad) == (3, 0)
    assert [(row[0], row[1], row[3], row[4]) for row in read.rows] == [
        ("E1", at("2024-02-29 16:00"), 1.0, 2), ("E2", at("2024-02-29 16:00"), 2.0, 2),
        ("E1", at("2024-03-01 16:00"), 4.0, 3), ("E2", at("2023-12-31 16:00"), 3.0, 3),
    ]  # fmt: skip


def test_an_unknown_meter_is_corrected_or_declared(tmp_path: Path) -> None:
    read = Read(text_file(tmp_path, "time,meter,value\n2024-01-01,E01,2\n2024-01-01,E9,3\n"), long(), ["E1"])
    first, second = read.report.quarantine
    report = put_back(read, [first.corrected({"meter": "E1"}), second])
    assert (report.rows_good, report.rows_bad, [row.code for row in report.quarantine]) == (
        1,
        1,
        ["table.meter-unknown"],
    )
    assert [(row[0], row[3], row[4]) for row in read.rows] == [("E1", 2.0, 2)]


def test_units_and_states_are_corrected(tmp_path: Path) -> None:
    content = "time,meter,value,unit\n2024-01-01,E1,2,kWhh\n2024-01-01,E2,broken,\n"
    read = Read(text_file(tmp_path, content), long(unit_column="unit"), ["E1", meter("E2", PointKind.STATE)])
    unit, state = read.report.quarantine
    assert (unit.code, state.code) == ("unit.unknown", "table.state-unknown")
    report = put_back(read, [unit.corrected({"unit": "MWh"}), state.corrected({"value": "off"})])
    assert (report.rows_good, read.values) == (2, [2000.0, 0.0])


@pytest.mark.parametrize(
    ("content", "source"),
    [
        ("time,E1 (MWh)\n{}", wide(("E1 (MWh)", "E1"))),
        ("time,E1\n,MWh\n{}", wide("E1")),
        ("time,E1\n{}", wide("E1", units=(("E1", "MWh"),))),
    ],
)
def test_a_corrected_cell_has_the_unit_of_its_column(tmp_path: Path, content: str, source: Source) -> None:
    """1.5 MWh put right are 1500 of the meter's kWh; so are those of a row whose time was bad."""
    path = text_file(tmp_path, content.format("2024-01-01,1x5\nsoon,1.25\n"))
    read = Read(path, source, ["E1"])
    cell, whole = read.report.quarantine
    column = next(name for name in cell.raw if name != "time")
    rows = [cell.corrected({column: "1.5"}), whole.corrected({"time": "2024-01-02"})]
    kept = [QuarantineRow.from_json(json.loads(json.dumps(row.to_json()))) for row in rows]
    assert put_back(read, kept).rows_good == 2
    assert sorted(read.values) == [1250.0, 1500.0]


def test_what_is_still_bad_comes_back(tmp_path: Path) -> None:
    content = "time,meter,value,unit\n2024-01-01,E1,x,kWh\n2024-01-02,E1,y,kWh\n2024-01-03,E1,z,kWh\n"
    read = Read(text_file(tmp_path, content), long(unit_column="unit"), ["E1"])
    rows = read.report.quarantine
    report = put_back(
        read, [rows[0], rows[1].corrected({"value": "1", "unit": "m3"}), rows[2].corrected({"value": ""})]
    )
    assert (report.rows_good, [row.code for row in report.quarantine]) == (
        0,
        ["table.number-unreadable", "unit.mismatch"],
    )
    assert [item.code for item in report.findings] == ["table.number-unreadable", "unit.mismatch"]
    assert all("{" not in item.says("zh") + item.says("en") for item in report.findings)


def test_ragged_and_undecodable_rows_are_corrected_by_column(tmp_path: Path) -> None:
    raw = "time,E1,备注\n2024-01-01,1\n2024-01-02,2,一切正常\n".encode() + "2024-01-03,3,停机检修\n".encode(
        "gbk"
    )
    read = Read(text_file(tmp_path, raw), wide("E1"), ["E1"])
    assert sorted(read.codes) == ["table.encoding-mixed", "table.row-ragged"]
    assert put_back(read, [row.corrected({}) for row in read.report.quarantine]).rows_good == 2
    assert [(row[3], row[4]) for row in read.rows] == [(1.0, 2), (2.0, 3), (3.0, 4)]


def test_workbook_rows(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in (["Zeit", "E1"], [at("2024-01-01"), "kaputt"], ["irgendwann", 1.5]):
        sheet.append(cells)
    book.save(tmp_path / "file.csv")
    read = Read(
        tmp_path / "file.csv", wide("E1", time_column="Zeit", time_format="%d.%m.%Y", decimal=","), ["E1"]
    )
    cell, row = read.report.quarantine
    report = put_back(read, [cell.corrected({"E1": "2.5"}), row.corrected({"Zeit": "02.01.2024"})])
    assert (report.rows_good, [(r[1], r[3]) for r in read.rows]) == (
        2,
        [(at("2024-01-01"), 2.5), (at("2024-01-02"), 1.5)],
    )
