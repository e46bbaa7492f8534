"""Broken files never raise, never lose count, and never move a line number."""

import gzip
import random
from pathlib import Path

import openpyxl
import pytest

from celadon.core.model import PointKind, Stamp
from tests.adapters.table_files import Read, long, meter, text_file, wide

GOOD = "time,meter,value,note\n" + "".join(
    f"2024-10-27 0{n % 10}:{n % 60:02d},E{n % 3},{n}.5,备注{n}\n" for n in range(40)
)
PARTS = [
    b'"',
    b"\n",
    b"\r",
    b",",
    b";",
    b"\x00",
    b"\xff\xfe",
    b"\x15",
    b"\x11",
    b"\x1e",
    b"\x1f",
    b"\x02",
    b"1e999",
    b"NaN",
    b" ",
    "，".encode("gbk"),
    b"\xef\xbb\xbf",
]


def broken(seed: int) -> bytes:
    """The good file with a few bytes replaced, dropped or added."""
    rng = random.Random(seed)
    data = GOOD.encode(rng.choice(["utf-8", "gbk", "utf-16", "utf-8-sig"]))
    for _ in range(rng.randint(1, 12)):
        at = rng.randrange(len(data))
        data = data[:at] + rng.choice(PARTS) + data[at + rng.choice([0, 1, 5, 200]) :]
    return gzip.compress(data) if rng.random() < 0.1 else data


@pytest.mark.parametrize("seed", range(60))
def test_broken_text_files(tmp_path: Path, seed: int) -> None:
    kind = PointKind.INTERVAL if seed % 3 else PointKind.REGISTER
    points = [
        meter(f"E{n}", kind, interval_seconds=(None, 900, 86_400)[seed % 3], stamp=Stamp.START)
        for n in range(3)
    ]
    source = long(zone="Europe/Berlin", decimal=",."[seed % 2], header_row=1 if seed % 4 == 0 else None)
    read = Read(text_file(tmp_path, broken(seed)), source, points)
    counted = sum(1 for row in read.report.quarantine)
    assert (len(read.rows), counted) == (read.report.rows_good, read.report.rows_bad)
    for finding in read.report.findings:
        assert "{" not in finding.says("en") + finding.says("zh") + finding.fix("en") + finding.fix("zh")
        assert str(finding.to_json()["code"]) == finding.code
    for row in read.report.quarantine:
        assert row.line >= 1


@pytest.mark.parametrize("seed", range(15))
def test_noise(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    data = rng.randbytes(rng.choice([1, 10, 3000]))
    read = Read(
        text_file(tmp_path, rng.choice([b"", b"PK\x03\x04", b"PAR1", b"\x1f\x8b", b"time,E1\n"]) + data),
        wide("E1"),
        ["E1"],
    )
    assert read.report.findings


@pytest.mark.parametrize("seed", range(15))
def test_broken_workbooks(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["time", "E1"])
    for n in range(30):
        sheet.append([f"2024-01-{n % 30 + 1:02d}", rng.choice([n, str(n), "x", None, "=A1", True])])
    book.save(tmp_path / "book.xlsx")
    data = bytearray((tmp_path / "book.xlsx").read_bytes())
    for _ in range(rng.randint(0, 3)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    (tmp_path / "book.xlsx").write_bytes(bytes(data))
    read = Read(tmp_path / "book.xlsx", wide("E1"), ["E1"])
    assert len(read.rows) == read.report.rows_good
    assert read.report.findings
