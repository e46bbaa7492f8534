"""Workbooks and Parquet: typed cells, merged headers, formulas, and what an untrusted workbook may not do."""

import re
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.workbook import Workbook as Book

from celadon.adapters.tables import limits, read_xlsx, sniff
from celadon.core.findings import Severity
from celadon.core.model import PointKind
from tests.adapters.table_files import Read, at, long, meter, text_file, wide


def workbook(folder: Path, rows: list[list[Any]], title: str = "读数", name: str = "book.xlsx") -> Path:
    book = openpyxl.Workbook()
    fill(book, title, rows)
    book.save(folder / name)
    return folder / name


def fill(book: Book, title: str, rows: list[list[Any]]) -> None:
    sheet = book.active if book.active is not None and book.active.title == "Sheet" else book.create_sheet()
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)


def patched(path: Path, part: str, change: Any) -> Path:
    """The workbook with one part's bytes changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


SHEET = "xl/worksheets/sheet1.xml"
DAY = datetime(2024, 1, 1)


def test_typed_cells(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["time", "E1"],
        [DAY, 1.5],
        ["2024-01-01 01:00", "2.5"],
        [45292 + 2 / 24, 3],
        [DAY + timedelta(hours=3, microseconds=-700), 0.3],
        [date(2024, 1, 2), 1e-7],
    ]
    read = Read(workbook(tmp_path, rows), wide("E1"), ["E1"])
    assert [row[1] for row in read.rows] == [at(f"2024-01-01 0{n}:00") for n in range(4)] + [at("2024-01-02")]
    assert read.values == [1.5, 2.5, 3.0, 0.3, 1e-7]
    assert [row[4] for row in read.rows] == [2, 3, 4, 5, 6]
    assert (read.codes, read.report.rows_bad) == ([], 0)


def test_numbers_of_cells_do_not_follow_the_convention_of_texts(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["time", "E1"], [DAY, 1234.5], [DAY + timedelta(1), "1.234,5"]]
    assert Read(workbook(tmp_path, rows), wide("E1", decimal=",", thousands="."), ["E1"]).values == [
        1234.5,
        1234.5,
    ]


def test_the_table_below_notes_and_blank_rows(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["能源日报"],
        [],
        ["制表", "张三"],
        [],
        ["时间", "电"],
        [DAY, 1],
        [],
        [DAY + timedelta(1), 2],
        ["合计", 3],
    ]
    read = Read(workbook(tmp_path, rows), wide(("电", "E1"), time_column="时间"), ["E1"])
    assert [(row[3], row[4]) for row in read.rows] == [(1.0, 6), (2.0, 8)]
    found = read.finding("table.time-unreadable")
    assert (found.where.sheet, found.where.line, found.values["value"]) == ("读数", 9, "合计")


def merged(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["Time", "Main", None, "Gas"],
        [None, "Import", "Export", "m3"],
        [DAY, 1, 2, 3],
        [DAY + timedelta(1), 4, 5, 6],
    ):
        sheet.append(row)
    sheet.merge_cells("A1:A2")
    sheet.merge_cells("B1:C1")
    book.save(tmp_path / "merged.xlsx")
    return tmp_path / "merged.xlsx"


def test_merged_headers(tmp_path: Path) -> None:
    source = wide(("Main / Import", "E1"), ("Main / Export", "E2"), ("Gas", "G1"), time_column="Time")
    read = Read(merged(tmp_path), source, ["E1", "E2", meter("G1", unit="10^3 m3")])
    assert read.values == [1.0, 2.0, 0.003, 4.0, 5.0, 0.006]
    assert read.codes == ["table.unit-converted"]
    by_leaf = Read(merged(tmp_path), wide(("Export", "E2"), time_column="Time"), ["E2"])
    assert by_leaf.values == [2.0, 5.0]


def test_sheets_by_name_by_number_and_by_content(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    fill(book, "说明", [["这是说明"]])
    fill(book, "2024", [["time", "E1"], [DAY, 1]])
    fill(book, " 2025 ", [["time", "E2"], [DAY, 2]])
    book.worksheets[0].sheet_state = "hidden"
    path = tmp_path / "sheets.xlsx"
    book.save(path)
    assert Read(path, wide("E1"), ["E1"]).values == [1.0]
    assert Read(path, wide("E2"), ["E2"]).values == [2.0]
    assert Read(path, wide("E1", sheet="2024"), ["E1"]).values == [1.0]
    assert Read(path, wide("E2", sheet="2025"), ["E2"]).values == [2.0]
    assert Read(path, wide("E2", sheet="3"), ["E2"]).values == [2.0]
    missing = Read(path, wide("E1", sheet="2026"), ["E1"]).finding("table.sheet-missing")
    assert missing.values == {"sheet": "2026", "sheets": "说明, 2024,  2025 "}
    assert sniff(path, sheet="2024").to_json() == {
        "format": "xlsx", "encoding": None, "delimiter": None, "header_row": 1, "columns": ["time", "E1"], "sheet": "2024",
        "sheets": ["2024", " 2025 ", "说明"], "sample": [["2024-01-01 00:00:00", "1"]],
    }  # fmt: skip


def test_sheets_that_would_do_as_well_are_named(tmp_path: Path) -> None:
    """A month on each sheet: the first is read, and the others are not lost in silence; a hidden one is not meant."""
    book = openpyxl.Workbook()
    for number, title in enumerate(("January", "February", "notes", "March", "old")):
        fill(book, title, [["text"]] if title == "notes" else [["time", "E1"], [DAY, number]])
    book.worksheets[4].sheet_state = "hidden"
    path = tmp_path / "months.xlsx"
    book.save(path)
    read = Read(path, wide("E1"), ["E1"])
    assert read.values == [0.0]
    said = read.finding("table.sheets-unread")
    assert (said.where.sheet, said.values, said.severity) == (
        "January",
        {"sheets": "February, March"},
        Severity.WARNING,
    )
    named = Read(path, wide("E1", sheet="February"), ["E1"])
    assert (named.values, named.codes) == ([1.0], [])


def formulas(tmp_path: Path) -> Path:
    """B2 has a saved value, B3 has none."""
    path = workbook(
        tmp_path, [["time", "E1"], [DAY, "=1+1"], [DAY + timedelta(1), "=A1*2"], [DAY + timedelta(2), 5]]
    )
    return patched(path, SHEET, lambda xml: re.sub(rb"(<f>1\+1</f>)<v */?>(</v>)?", rb"\1<v>2</v>", xml))


def test_saved_values_of_formulas_are_used_and_said(tmp_path: Path) -> None:
    read = Read(formulas(tmp_path), wide("E1"), ["E1"])
    assert read.values == [2.0, 5.0]
    cached, empty = read.finding("table.formula-cached"), read.finding("table.formula-empty")
    assert (cached.where.line, cached.values["count"]) == (2, 1)
    assert (empty.where.line, empty.values["value"]) == (3, "=A1*2")
    assert read.report.quarantine[0].raw["E1"] == "=A1*2"


def test_errors_in_cells(tmp_path: Path) -> None:
    read = Read(
        workbook(tmp_path, [["time", "E1"], [DAY, "#DIV/0!"], [DAY, True], [DAY, 1]]), wide("E1"), ["E1"]
    )
    assert read.values == [1.0]
    assert read.finding("table.number-unreadable").values["count"] == 2


def test_meters_and_dates_that_are_numbers(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["time", "meter", "value"], [DAY, 101, 7]]
    assert Read(workbook(tmp_path, rows), long(), ["101"]).values == [7.0]


def test_date_and_clock_in_two_cells(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["date", "clock", "E1"],
        [DAY, time(0, 15), 1],
        [DAY, timedelta(hours=24), 2],
        [DAY, "0:30", 3],
    ]
    read = Read(workbook(tmp_path, rows), wide("E1", time_column="date + clock"), ["E1"])
    assert [row[1] for row in read.rows] == [
        at("2024-01-01 00:15"),
        at("2024-01-02 00:00"),
        at("2024-01-01 00:30"),
    ]


def test_the_1904_calendar(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    fill(book, "s", [["time", "E1"], [45292 - 1462, 1], [DAY, 2]])
    book.save(tmp_path / "mac.xlsx")
    assert [row[1] for row in Read(tmp_path / "mac.xlsx", wide("E1"), ["E1"]).rows] == [DAY, DAY]


def test_state_words_in_cells(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["time", "E1"], [DAY, True], [DAY, "运行"], [DAY, 0]]
    assert Read(workbook(tmp_path, rows), wide("E1"), [meter("E1", PointKind.STATE)]).values == [
        1.0,
        1.0,
        0.0,
    ]


def test_the_content_counts_not_the_name(tmp_path: Path) -> None:
    path = text_file(tmp_path, "time,E1\n2024-01-01,1\n", "export.xlsx")
    read = Read(path, wide("E1"), ["E1"])
    assert read.values == [1.0]
    assert read.finding("table.format-misleads").values == {"said": "xlsx", "format": "csv"}
    book = workbook(tmp_path, [["time", "E1"], [DAY, 1]], name="export.csv")
    assert Read(book, wide("E1", format="csv"), ["E1"]).codes == ["table.format-misleads"]


def test_a_damaged_workbook(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["time", "E1"], [DAY, 1]])
    path.write_bytes(path.read_bytes()[:-100])
    assert Read(path, wide("E1"), ["E1"]).finding("table.unreadable").values["format"] == "xlsx"
    other = patched(workbook(tmp_path, [["time", "E1"], [DAY, 1]]), SHEET, lambda xml: xml[: len(xml) // 2])
    assert "table.unreadable" in Read(other, wide("E1"), ["E1"]).codes


def test_a_sheet_that_breaks_off_keeps_what_was_read(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["time", "E1"], *([DAY, n] for n in range(400))])
    patched(path, SHEET, lambda xml: re.sub(rb'<row r="350".*', b"<row", xml, flags=re.DOTALL))
    read = Read(path, wide("E1"), ["E1"])
    assert "table.unreadable" in read.codes


def test_an_unpacking_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SHEET_BYTES", 500)
    found = Read(workbook(tmp_path, [["time", "E1"], *([DAY, n] for n in range(100))]), wide("E1"), ["E1"])
    assert found.finding("table.too-large").where.file == "book.xlsx"


def test_cells_outside_any_sheet(tmp_path: Path) -> None:
    for hostile in (b'<c r="ZZZZZZZ2"', b'<c r="B2"'):
        path = workbook(tmp_path, [["time", "E1"], [DAY, 1]])
        patched(path, SHEET, lambda xml, hostile=hostile: xml.replace(b'<c r="B2"', hostile))
        assert ("table.too-large" in Read(path, wide("E1"), ["E1"]).codes) is (b"Z" in hostile)
    path = workbook(tmp_path, [["time", "E1"], [DAY, 1]])
    patched(path, SHEET, lambda xml: xml.replace(b'<row r="2"', b'<row r="999999999"'))
    assert "table.too-large" in Read(path, wide("E1"), ["E1"]).codes


def test_a_claimed_size_costs_nothing(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["time", "E1"], [DAY, 1]])
    patched(
        path, SHEET, lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:XFD1048576"', xml)
    )
    assert Read(path, wide("E1"), ["E1"]).values == [1.0]


def test_document_types_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["time", "E1"], [DAY, 1]])
    patched(path, SHEET, lambda xml: b'<!DOCTYPE x [<!ENTITY a "b">]>' + xml)
    assert Read(path, wide("E1"), ["E1"]).finding("table.xml-forbidden").values == {"part": SHEET}


@pytest.mark.parametrize("before", [b" " * 5000, b"<!--" + b"." * 5000 + b"-->"])
def test_nothing_hides_before_the_content(tmp_path: Path, before: bytes) -> None:
    """A document type may stand behind blanks or a comment of any length."""
    path = workbook(tmp_path, [["time", "E1"], [DAY, 1]])
    patched(path, SHEET, lambda xml: before + b'<!DOCTYPE x [<!ENTITY a "b">]>' + xml)
    assert Read(path, wide("E1"), ["E1"]).finding("table.xml-forbidden").values == {"part": SHEET}


def test_a_bomb_is_known_by_how_it_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of blanks packs to a thousandth; a sheet of 300 equal rows to a fortieth."""
    monkeypatch.setattr(limits, "MIN_SHEET_BYTES", 1 << 14)
    honest = workbook(tmp_path, [["time", "E1"], *([DAY, 1] for _ in range(300))], name="honest.xlsx")
    assert len(Read(honest, wide("E1"), ["E1"]).rows) == 300
    bomb = workbook(tmp_path, [["time", "E1"], [DAY, 1]])
    patched(bomb, SHEET, lambda xml: xml.replace(b"<sheetData>", b"<sheetData>" + b" " * 1_000_000))
    assert Read(bomb, wide("E1"), ["E1"]).finding("table.too-large").values["what"] == SHEET


def test_a_time_column_merged_downwards_beside_a_group_of_meters(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["日报", "", ""], ["time", "用电量", ""], ["", "E1", "E2"], [DAY, 1, 2]])
    assert Read(path, wide("E1", "E2"), ["E1", "E2"]).values == [1.0, 2.0]
    assert Read(path, wide(("用电量 / E1", "E1")), ["E1"]).values == [1.0]


def test_numbers_of_parquet_are_as_their_type_prints_them(tmp_path: Path) -> None:
    """Whole numbers as meter names and Unix seconds; a float32 of 1010.1, which as float64 would be 1010.0999755859375."""
    query = (
        "SELECT 1704038400 + 3600 * i AS time, 7 AS meter, (1010.1 + i)::FLOAT AS value FROM range(2) t(i)"
    )
    source = long(time_format="unix", maps=(("meter", (("7", "E1"),)),))
    read = Read(parquet(tmp_path, query), source, ["E1"])
    assert [(row[1], row[3]) for row in read.rows] == [
        (at("2023-12-31 16:00"), 1010.1),
        (at("2023-12-31 17:00"), 1011.1),
    ]


def test_zips_that_are_no_workbooks(tmp_path: Path) -> None:
    for part, said in (("xl/workbook.bin", "xlsb"), ("content.xml", "OpenDocument"), ("a.csv", "zip")):
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            archive.writestr(part, "x")
        found = Read(tmp_path / "x.zip", wide("E1"), ["E1"]).finding("table.format-unsupported")
        assert found.values["format"] == said


def test_large_sheets_go_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_xlsx, "_PIECE_BYTES", 200)
    read = Read(
        workbook(tmp_path, [["time", "E1"], *([DAY + timedelta(hours=n), n + 2] for n in range(50))]),
        wide("E1"),
        ["E1"],
    )
    assert [row[4] for row in read.rows] == [int(row[3]) for row in read.rows] == list(range(2, 52))


# --- Parquet --------------------------------------------------------------------------------------------------


def parquet(folder: Path, query: str, name: str = "file.parquet") -> Path:
    with duckdb.connect() as con:
        con.execute(f"COPY ({query}) TO '{folder / name}' (FORMAT parquet)")
    return folder / name


def test_parquet_types(tmp_path: Path) -> None:
    query = (
        "SELECT * FROM (VALUES (TIMESTAMP '2024-01-01 00:00:00', 1.5::DOUBLE, 3::BIGINT, '1'), (TIMESTAMP '2024-01-01 01:00:00', NULL, 4, 'x')) "
        't(time, E1, "it\'s E2", E3)'
    )
    read = Read(
        parquet(tmp_path, query),
        wide("E1", ("it's E2", "E2"), "E3", zone="Asia/Shanghai"),
        ["E1", "E2", "E3"],
    )
    assert [(row[0], row[1], row[3], row[4]) for row in read.rows] == [
        ("E1", at("2023-12-31 16:00"), 1.5, 1),
        ("E2", at("2023-12-31 16:00"), 3.0, 1),
        ("E3", at("2023-12-31 16:00"), 1.0, 1),
        ("E2", at("2023-12-31 17:00"), 4.0, 2),
    ]
    assert read.finding("table.number-unreadable").where.line == 2
    assert read.report.quarantine[0].raw == {"time": "2024-01-01 01:00:00", "E3": "x"}


def test_parquet_instants_are_utc(tmp_path: Path) -> None:
    query = "SELECT TIMESTAMPTZ '2024-01-01 00:00:00+08' AS time, 'E1' AS meter, 2.5::FLOAT AS value"
    assert Read(parquet(tmp_path, query), long(zone="Europe/Berlin"), ["E1"]).rows == [
        ("E1", at("2023-12-31 16:00"), 0, 2.5, 1)
    ]


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    path = parquet(tmp_path, "SELECT 1 AS time")
    path.write_bytes(path.read_bytes()[:20])
    assert Read(path, wide("E1"), ["E1"]).finding("table.unreadable").values["format"] == "parquet"
    assert [item.code for item in sniff(path).findings] == ["table.unreadable"]


def test_a_parquet_file_is_sniffed(tmp_path: Path) -> None:
    path = parquet(tmp_path, "SELECT DATE '2024-01-01' AS time, 1.5 AS E1")
    assert (sniff(path).format, sniff(path).columns, sniff(path).sample) == (
        "parquet",
        ("time", "E1"),
        (("2024-01-01 00:00:00", "1.5"),),
    )
