"""Text tables: dialects, encodings, line numbers, and every finding about a text file or its header."""

import gzip
from pathlib import Path

import duckdb
import pytest

from celadon.adapters.tables import limits, read_readings, readings, sniff, text
from celadon.adapters.tables.table import split, split_line
from tests.adapters.table_files import NOW, Read, at, long, meter, text_file, wide

BASIC = "time,E1,E2\n2024-01-01 00:00,1,10\n2024-01-01 00:15,2,20\n"


def test_wide_rows_have_meter_time_value_and_line(tmp_path: Path) -> None:
    read = Read(text_file(tmp_path, BASIC), wide("E1", "E2"), ["E1", "E2"])
    assert read.rows == [
        ("E1", at("2024-01-01 00:00"), 0, 1.0, 2),
        ("E2", at("2024-01-01 00:00"), 0, 10.0, 2),
        ("E1", at("2024-01-01 00:15"), 0, 2.0, 3),
        ("E2", at("2024-01-01 00:15"), 0, 20.0, 3),
    ]
    assert (read.report.rows_good, read.report.rows_bad, read.codes, read.report.quarantine) == (4, 0, [], [])
    assert read.con.execute("SELECT DISTINCT file, batch FROM readings").fetchall() == [(7, 3)]


def test_long_rows(tmp_path: Path) -> None:
    content = "meter,value,time\nE2,5,2024-01-01T00:00:00\n E1 ,6,2024-01-01T00:00:00\n"
    read = Read(text_file(tmp_path, content), long(), ["E1", "E2"])
    assert [(row[0], row[3], row[4]) for row in read.rows] == [("E2", 5.0, 2), ("E1", 6.0, 3)]


def test_long_rows_by_the_names_the_file_uses(tmp_path: Path) -> None:
    source = long(maps=(("meter", (("总表", "E1"),)),))
    read = Read(text_file(tmp_path, "time,meter,value\n2024-01-01,总表,5\n"), source, ["E1"])
    assert (read.values, read.codes) == ([5.0], [])


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_delimiters_are_found(tmp_path: Path, mark: str) -> None:
    read = Read(text_file(tmp_path, BASIC.replace(",", mark)), wide("E1", "E2"), ["E1", "E2"])
    assert read.values == [1.0, 10.0, 2.0, 20.0]


def test_a_declared_delimiter(tmp_path: Path) -> None:
    content = BASIC.replace(",", ";")
    for delimiter in (";", "semicolon"):
        read = Read(text_file(tmp_path, content), wide("E1", delimiter=delimiter), ["E1"])
        assert read.values == [1.0, 2.0]


CHINESE = "时间,一号电表\n2024-01-01 00:00,1.5\n2024-01-01 00:15,2.5\n"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (CHINESE.encode("utf-8"), "utf-8"),
        (CHINESE.encode("utf-8-sig"), "utf-8"),
        (CHINESE.encode("gbk"), "gb18030"),
        (CHINESE.encode("utf-16"), "utf-16-le"),
        (b"\xfe\xff" + CHINESE.encode("utf-16-be"), "utf-16-be"),
        (BASIC.encode("utf-16-le"), "utf-16-le"),
        (BASIC.encode("utf-16-be"), "utf-16-be"),
        (CHINESE.encode("utf-32"), "utf-32-le"),
    ],
)
def test_encodings_are_found(tmp_path: Path, raw: bytes, encoding: str) -> None:
    path = text_file(tmp_path, raw)
    chinese = "时间".encode(encoding) in raw
    source = wide(("一号电表", "E1"), time_column="时间") if chinese else wide("E1")
    read = Read(path, source, ["E1"])
    assert (read.values, read.codes) == ([1.5, 2.5] if chinese else [1.0, 2.0], [])
    assert [row[4] for row in read.rows] == [2, 3]
    assert sniff(path).encoding == encoding


@pytest.mark.parametrize("declared", ["gbk", "GB2312", "gb18030", "cp936"])
def test_a_declared_encoding(tmp_path: Path, declared: str) -> None:
    source = wide(("一号电表", "E1"), time_column="时间", encoding=declared)
    assert Read(text_file(tmp_path, CHINESE.encode("gbk")), source, ["E1"]).values == [1.5, 2.5]


def test_an_unknown_encoding(tmp_path: Path) -> None:
    read = Read(text_file(tmp_path, BASIC), wide("E1", encoding="klingon"), ["E1"])
    found = read.finding("table.setting-invalid")
    assert found.values["setting"] == "encoding"
    assert read.rows == []


def test_an_encoding_that_is_neither_utf8_nor_gbk_is_said_to_be_guessed(tmp_path: Path) -> None:
    content = "time,énergie active,température\n2024-01-01 00:00,1,2\n".encode("cp1252")
    read = Read(text_file(tmp_path, content), wide(("énergie active", "E1")), ["E1"])
    assert read.finding("table.encoding-guessed").values == {"encoding": "cp1252"}
    assert read.values == [1.0]


def test_lines_in_another_encoding_are_kept_out_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = [
        "time,E1,备注",
        "2024-01-01 00:00,1,正常运行",
        "2024-01-01 01:00,2,检修停机",
        "2024-01-01 02:00,3,正常运行",
    ]
    raw = [line.encode("utf-8") for line in lines]
    raw[2] = lines[2].encode("gbk")
    read = Read(text_file(tmp_path, b"\n".join(raw) + b"\n"), wide("E1"), ["E1"])
    assert [(row[3], row[4]) for row in read.rows] == [(1.0, 2), (3.0, 4)]
    found = read.finding("table.encoding-mixed")
    assert (found.where.line, found.values["count"], found.values["encoding"]) == (3, 1, "utf-8")
    assert read.report.quarantine[0].raw == {"time": "2024-01-01 01:00", "E1": "2", "@line": lines[2]}


def test_utf8_among_gbk_is_kept_out_too(tmp_path: Path) -> None:
    lines = ["time,E1,备注", *(f"2024-01-01 0{n}:00,{n},正常运行状态" for n in range(5))]
    raw = [line.encode("gbk") for line in lines]
    raw[3] = lines[3].encode("utf-8")
    read = Read(text_file(tmp_path, b"\r\n".join(raw)), wide("E1"), ["E1"])
    assert [row[4] for row in read.rows] == [2, 3, 5, 6]
    assert read.finding("table.encoding-mixed").where.line == 4


def test_undecodable_utf16_is_kept_out(tmp_path: Path) -> None:
    raw = b"\xff\xfe" + BASIC.encode("utf-16-le").replace(
        "15,2".encode("utf-16-le"), b"\x00\xd8" + "5,2".encode("utf-16-le")
    )
    read = Read(text_file(tmp_path, raw), wide("E1"), ["E1"])
    assert read.values == [1.0]
    assert read.finding("table.encoding-mixed").where.line == 3


def test_gzip_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = text_file(tmp_path, gzip.compress(BASIC.encode()), "file.csv")
    assert Read(path, wide("E1"), ["E1"]).values == [1.0, 2.0]


def test_a_truncated_gzip_keeps_what_was_read(tmp_path: Path) -> None:
    packed = gzip.compress(("time,E1\n" + "2024-01-01 00:00,1\n" * 200_000).encode(), 0)
    read = Read(text_file(tmp_path, packed[:-5000], "file.csv.gz"), wide("E1"), ["E1"])
    assert "table.unreadable" in read.codes


def test_line_numbers_below_notes_blank_lines_and_quoted_line_breaks(tmp_path: Path) -> None:
    content = (
        "\ufeffPlant report\r\n"
        "\r\n"
        'exported by: "night\r\nshift"\r\n'
        "time;E1;remark\r\n"
        "2024-01-01 00:00;1;fine\r\n"
        "\r\n"
        '2024-01-01 00:15;2;"a remark\r\nover three\r\nlines; with ""quotes"""\r\n'
        "   \r\n"
        ";;\r\n"
        "2024-01-01 00:30;3;\r\n"
        '"2024-01-01 00:45";"4";"x;y"'
    )
    read = Read(text_file(tmp_path, content), wide("E1"), ["E1"])
    assert [(row[3], row[4]) for row in read.rows] == [(1.0, 6), (2.0, 8), (3.0, 13), (4.0, 14)]
    assert read.codes == []
    lines = content.replace("\r\n", "\n").split("\n")
    assert [lines[row[4] - 1].strip('"')[:16] for row in read.rows] == [
        f"2024-01-01 00:{m}" for m in ("00", "15", "30", "45")
    ]


@pytest.mark.parametrize("size", [40, 64, 100, 1 << 20])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_numbers_do_not_depend_on_the_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, end: str
) -> None:
    monkeypatch.setattr(limits, "CHUNK_BYTES", size)
    lines = ["time,E1,note"]
    for n in range(60):
        lines.append(
            f"2024-01-01 {n // 4 % 24:02d}:{n % 4 * 15:02d},{len(lines) + 1},"
            + ('"two\nlines"' if n % 7 == 3 else "x")
        )
        lines = "\n".join(lines).split("\n") + ([""] if n % 11 == 5 else [])
    read = Read(text_file(tmp_path, end.join(lines)), wide("E1"), ["E1"])
    assert len(read.rows) == 60
    assert [row[4] for row in read.rows] == [int(row[3]) for row in read.rows]


def test_a_quote_that_never_closes(tmp_path: Path) -> None:
    rows = "".join(f"2024-01-0{n},{n},\n" for n in range(1, 8))
    content = "time,E1,note\n" + rows.replace("2024-01-03,3,", '2024-01-03,3,"open')
    read = Read(text_file(tmp_path, content), wide("E1"), ["E1"])
    assert read.values == [1.0, 2.0, 4.0, 5.0, 6.0, 7.0]
    found = read.finding("table.quote-open")
    assert (found.where.line, found.values["count"]) == (4, 1)
    assert read.report.quarantine[0].raw["E1"] == "3"


def test_inches_are_not_quotes(tmp_path: Path) -> None:
    content = 'time,E1,pipe\n2024-01-01,1,12" main\n2024-01-02,2,6" branch\n'
    assert Read(text_file(tmp_path, content), wide("E1"), ["E1"]).values == [1.0, 2.0]


@pytest.mark.parametrize(
    "line",
    [
        "a,b,c",
        "",
        ",",
        ",,",
        '"a",b',
        '"a,b",c',
        '"say ""hi""",x',
        'x,"',
        '5" pipe,"6,7"',
        '""',
        '"",""',
        ' "a" ,b',
        'a"b,c"d',
        '"a"b,c',
    ],
)
def test_both_splitters_agree(line: str) -> None:
    con = duckdb.connect()
    row = con.execute(f"SELECT {split('x', ',', True)} FROM (SELECT ? AS x)", [line]).fetchone()
    assert row is not None
    strip = [cell.strip() for cell in row[0]]
    assert strip == [cell.strip() for cell in split_line(line, ",")]


def test_an_empty_file(tmp_path: Path) -> None:
    for content in (b"", b"\xef\xbb\xbf", b" \r\n\r\n"):
        read = Read(text_file(tmp_path, content), wide("E1"), ["E1"])
        assert read.finding("table.empty").where.file == "file.csv"
        assert read.report.rows_good == 0


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    found = Read(tmp_path / "none.csv", wide("E1"), ["E1"]).finding("table.unreadable")
    assert (found.where.file, str(found.values["reason"])) == ("none.csv", "No such file or directory")


def test_a_header_and_nothing_else(tmp_path: Path) -> None:
    read = Read(text_file(tmp_path, "time,E1\n"), wide("E1"), ["E1"])
    assert read.codes == ["table.header-only"]
    read.finding("table.header-only")


def test_a_missing_column_leaves_the_others(tmp_path: Path) -> None:
    read = Read(text_file(tmp_path, BASIC), wide("E1", ("E22", "E2")), ["E1", "E2"])
    found = read.finding("table.column-missing")
    assert (found.where.line, found.where.column, found.values["hint"]) == (1, "E22", " (“E2”?)")
    assert found.values["columns"] == "time, E1, E2"
    assert read.values == [1.0, 2.0]


def test_without_the_time_column_nothing_is_read(tmp_path: Path) -> None:
    read = Read(text_file(tmp_path, BASIC), wide("E1", time_column="stamp"), ["E1"])
    assert read.finding("table.column-missing").where.column == "stamp"
    assert (read.rows, read.report.quarantine) == ([], [])


def test_no_header_row(tmp_path: Path) -> None:
    read = Read(text_file(tmp_path, BASIC), wide("E1", header_row=99), ["E1"])
    assert read.finding("table.header-missing").where.line == 99


def test_a_declared_header_row(tmp_path: Path) -> None:
    content = "time,E1,E2\nunits,kWh,kWh\n" + BASIC
    assert Read(text_file(tmp_path, content), wide("E1", header_row=3), ["E1"]).values == [1.0, 2.0]


def test_column_names_used_twice(tmp_path: Path) -> None:
    content = "time,E,E,F\n2024-01-01,1,2,3\n"
    read = Read(text_file(tmp_path, content), wide(("E", "E1"), ("F", "E2")), ["E1", "E2"])
    assert read.finding("table.column-duplicate").values == {"column": "E", "count": 2}
    assert read.values == [3.0]
    assert Read(text_file(tmp_path, content), wide(("E#2", "E1")), ["E1"]).values == [2.0]


def test_column_names_are_compared_as_people_read_them(tmp_path: Path) -> None:
    content = 'Time," Active\u3000Power  （kWh）"\n2024-01-01,1\n'
    read = Read(text_file(tmp_path, content), wide(("Active Power (kWh)", "E1")), ["E1"])
    assert (read.values, read.codes) == ([1.0], [])


def test_a_repeated_header_is_skipped(tmp_path: Path) -> None:
    read = Read(text_file(tmp_path, BASIC + BASIC.replace("2024", "2025")), wide("E1"), ["E1"])
    assert [row[4] for row in read.rows] == [2, 3, 5, 6]
    assert read.finding("table.header-repeated").values == {"count": 1, "lines": "4"}
    assert read.report.rows_bad == 0


def test_a_line_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(limits, "MAX_LINE_BYTES", 5000)
    content = BASIC + "2024-01-01 00:30," + "9" * 9000
    read = Read(text_file(tmp_path, content), wide("E1"), ["E1"])
    assert read.finding("table.line-too-long").where.line == 4
    assert read.values == [1.0, 2.0]


def test_a_line_longer_than_the_engine_takes(tmp_path: Path) -> None:
    content = BASIC + "2024-01-01 00:30," + "9" * 3_000_000 + ",3\n"
    read = Read(text_file(tmp_path, content), wide("E1"), ["E1"])
    assert read.codes == ["table.line-too-long"]  # and not that the file has no rows
    assert read.finding("table.line-too-long").where.line == 4


def test_a_gzip_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MIN_RATIO_BYTES", 1 << 20)
    monkeypatch.setattr(limits, "CHUNK_BYTES", 1 << 20)
    packed = gzip.compress(b"time,E1\n" + b"\n" * (8 << 20))
    assert "table.too-large" in Read(text_file(tmp_path, packed), wide("E1"), ["E1"]).codes


@pytest.mark.parametrize(
    ("raw", "said"), [(b"%PDF-1.7 ...", "PDF"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, ".xls")]
)
def test_formats_that_are_not_read(tmp_path: Path, raw: bytes, said: str) -> None:
    found = Read(text_file(tmp_path, raw), wide("E1"), ["E1"]).finding("table.format-unsupported")
    assert said in str(found.values["format"])


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    nasty = "E'); DROP TABLE readings; --"
    path = tmp_path / "it's [a] file*.csv"
    path.write_text(f'time,"{nasty}"\n2024-01-01,1\n')
    source = wide((nasty, nasty), missing=("'); DROP TABLE readings; --",))
    read = Read(path, source, [nasty])
    assert read.values == [1.0]
    again = Read(path, wide((nasty, "E1"), time_format="%Y-%m-%d'); DROP TABLE readings; --"), ["E1"])
    assert again.codes == ["table.time-unreadable"]


def test_sniff_says_what_a_file_is(tmp_path: Path) -> None:
    path = text_file(tmp_path, "report of 2024\n\n" + BASIC.replace(",", ";"))
    found = sniff(path)
    assert found.to_json() == {
        "format": "csv", "encoding": "utf-8", "delimiter": ";", "header_row": 3, "columns": ["time", "E1", "E2"], "sheet": None,
        "sheets": [], "sample": [["2024-01-01 00:00", "1", "10"], ["2024-01-01 00:15", "2", "20"]],
    }  # fmt: skip
    assert [item.code for item in sniff(text_file(tmp_path, b"")).findings] == ["table.empty"]
    assert [item.code for item in sniff(text_file(tmp_path, "1,2\n3,4\n")).findings] == [
        "table.header-missing"
    ]


def test_pieces_bound_memory_and_leave_nothing(tmp_path: Path) -> None:
    path = text_file(tmp_path, "time,E1\n" + "2024-01-01 00:00,1\n" * 5000)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    pieces = list(text.TextPieces(path, text.Encoding("utf-8"), scratch, size=10_000))
    assert all(piece.path.stat().st_size <= 10_020 for piece in pieces)
    assert sum(piece.lines for piece in pieces) == 5001
    assert [piece.share for piece in pieces] == sorted(piece.share for piece in pieces)
    read = Read(path, wide("E1"), ["E1"])
    assert read.con.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'celadon%'"
    ).fetchone() == (0,)


def test_progress_reaches_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHUNK_BYTES", 1000)
    shares: list[float] = []
    path = text_file(tmp_path, "time,E1\n" + "2024-01-01 00:00,1\n" * 500)
    Read(path, wide("E1"), ["E1"], progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 5


def test_now_is_only_what_the_future_is_measured_from(tmp_path: Path) -> None:
    assert Read(text_file(tmp_path, BASIC), wide("E1"), ["E1"], now=NOW).codes == []


def test_line_numbers_of_a_connection_that_may_reorder(tmp_path: Path) -> None:
    rows = "".join(f"2024-01-01 00:00,E1,{n}\n" for n in range(2, 150_002))
    path = text_file(tmp_path, "time,meter,value\n" + rows)
    con = duckdb.connect()
    con.execute("SET preserve_insertion_order = false")
    point = meter("E1")
    read_readings(con, path, long(), {"E1": point}, {"E1": 1}, 1, 1, "readings", now=NOW)
    wrong = con.execute("SELECT count(*), count(*) FILTER (line <> value) FROM readings").fetchone()
    assert wrong == (150_000, 0)
    assert con.execute("SELECT current_setting('preserve_insertion_order')").fetchone() == (False,)


@pytest.mark.parametrize(
    "names",
    [
        ["E1", "E2", "E1"],
        ["Main", "E1"],
        ["E9", "E1"],
        ["Ｅ１", "E2"],
        [" E1 ", "E2"],
        ['"E1"', "E2"],
        ['"E ""x"""', "E1"],
        ["", "E1"],
    ],
)
def test_a_small_file_is_read_alike_whether_or_not_its_meters_are_looked_for_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str]
) -> None:
    rows = "".join(f"2024-03-01 {hour:02d}:00,{name},{hour}\n" for hour, name in enumerate(names))
    path = text_file(tmp_path, f"time,meter,value\n{rows}")
    source = long(maps=(("meter", (("Main", "E3"),)),))
    meters = ["E1", "E2", "E3", 'E "x"']
    quick = Read(path, source, meters)
    monkeypatch.setattr(readings, "meters_named", lambda *_: None)
    slow = Read(path, source, meters)
    assert quick.rows == slow.rows
    assert quick.report == slow.report
    assert len(quick.rows) >= 1
