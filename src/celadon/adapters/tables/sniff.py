"""What a file is, by its content: format, encoding, delimiter, header and columns."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from celadon.adapters.tables import limits
from celadon.adapters.tables.header import Header, Row, find_header, plain
from celadon.adapters.tables.kinds import (
    ENCODING_GUESSED,
    FORMAT_MISLEADS,
    FORMAT_UNSUPPORTED,
    HEADER_MISSING,
    TABLE_EMPTY,
    TABLE_UNREADABLE,
)
from celadon.adapters.tables.table import split_line, untyped
from celadon.adapters.tables.text import Encoding, TextPieces, detect_encoding, open_bytes
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, Place
from celadon.core.text import Text, text_of
from celadon.store.scratch import Scratch

DELIMITERS = (",", ";", "\t", "|")
_NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_SUFFIXES = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".parquet": "parquet",
}


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What a file looks like. `columns` are the header's names; `sheets` those of a workbook."""

    format: str
    encoding: str | None = None
    delimiter: str | None = None
    header_row: int | None = None
    columns: tuple[str, ...] = ()
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()
    """The first rows of data."""
    findings: tuple[Finding, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Shape `sniffed/1`, without the findings."""
        return {
            "format": self.format, "encoding": self.encoding, "delimiter": self.delimiter, "header_row": self.header_row,
            "columns": list(self.columns), "sheet": self.sheet, "sheets": list(self.sheets),
            "sample": [list(row) for row in self.sample],
        }  # fmt: skip


def format_by_content(path: Path, shown: str) -> str:
    """csv, xlsx or parquet, by the first bytes (FindingError: empty, unreadable, or a format not supported)."""
    where = Place(shown)
    try:
        with open_bytes(path) as stream:
            head = stream.read(4096)
    except FindingError as error:
        raise FindingError(replace(error.findings[0], where=where)) from error
    except (OSError, EOFError) as error:
        raise FindingError(TABLE_UNREADABLE.at(where, format="gzip", reason=text_of(error))) from error
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0"):
        raise FindingError(TABLE_EMPTY.at(where))
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path, where)
    for magic, said in _FOREIGN:
        if head.startswith(magic):
            raise FindingError(FORMAT_UNSUPPORTED.at(where, format=said))
    return "csv"


_FOREIGN = (
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        Text("an old Excel file (.xls) or an encrypted workbook", "旧版 Excel（.xls）或加密工作簿"),
    ),
    (b"%PDF", "PDF"),
    (b"SQLite format 3", "SQLite"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "RAR"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"<!DOCTYPE", "HTML"),
    (b"<html", "HTML"),
    (b"<?xml", "XML"),
)


def _zipped(path: Path, where: Place) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError) as error:
        raise FindingError(TABLE_UNREADABLE.at(where, format="xlsx", reason=text_of(error))) from error
    if "xl/workbook.xml" in names:
        return "xlsx"
    said = "xlsb" if "xl/workbook.bin" in names else "OpenDocument" if "content.xml" in names else "zip"
    raise FindingError(FORMAT_UNSUPPORTED.at(where, format=said))


def choose_format(path: Path, shown: str, declared: str) -> tuple[str, list[Finding]]:
    """The format by content, with a notice where the name or the plant file says another."""
    found = format_by_content(path, shown)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    by_name = next((_SUFFIXES[suffix] for suffix in reversed(suffixes) if suffix in _SUFFIXES), None)
    said = declared if declared not in ("auto", "") else by_name
    if said and said != found:
        return found, [FORMAT_MISLEADS.at(Place(shown), said=said, format=found)]
    return found, []


@dataclass(frozen=True, slots=True)
class TextSample:
    """The top of a text file: its encoding, delimiter and first rows."""

    encoding: Encoding
    delimiter: str
    lines: tuple[str, ...]
    rows: tuple[Row, ...]
    whole: bool
    """These are all."""

    def header(self, wanted: Sequence[str], header_row: int | None) -> Header | None:
        return find_header(self.rows, wanted, header_row, lambda line: self.lines[line - 1])


def sample_text(
    path: Path, encoding: str, delimiter: str, wanted: Sequence[str], scratch: Path
) -> TextSample:
    """Read the first lines of a text file and find its delimiter (FindingError for an unknown encoding)."""
    known = detect_encoding(path, encoding)
    pieces = iter(TextPieces(path, known, scratch, size=1 << 18))
    piece = next(pieces, None)
    text = piece.path.read_text("utf-8", errors="replace") if piece else ""
    whole = next(pieces, None) is None
    found = text.split("\n")
    lines = tuple(found[: limits.MAX_HEADER_LINES])
    mark = _NAMED.get(delimiter.strip().lower() or "auto", delimiter)
    if mark in ("auto", ""):
        mark = find_delimiter(lines, wanted)
    rows = tuple((n + 1, split_line(line, mark)[: limits.MAX_COLUMNS]) for n, line in enumerate(lines))
    return TextSample(known, mark, lines, rows, whole and len(lines) == len(found))


def find_delimiter(lines: Sequence[str], wanted: Sequence[str]) -> str:
    """The delimiter under which the wanted names are cells; else the one that cuts most lines into the same number."""
    names = {plain(name).casefold() for name in wanted}
    best, best_score = ",", (-1, -1.0)
    for mark in DELIMITERS:
        cut = [split_line(line, mark) for line in lines if line.strip()]
        hits = max((len(names & {plain(cell).casefold() for cell in cells}) for cells in cut), default=0)
        width, agreeing = Counter(len(cells) for cells in cut).most_common(1)[0] if cut else (1, 0)
        score = (hits, agreeing / max(len(cut), 1) * min(width, 50) if width > 1 else 0.0)
        if score > best_score:
            best, best_score = mark, score
    return best


def sniff(
    path: Path | str,
    wanted: Sequence[str] = (),
    sheet: str | None = None,
    encoding: str = "auto",
    header_row: int | None = None,
) -> Sniffed:
    """Look at a file without reading it all. `wanted` are column names to expect; never raises for bad files."""
    path = Path(path)
    try:
        form, notices = choose_format(path, str(path), "auto")
        looked = _LOOK[form](path, wanted, sheet, encoding, header_row)
    except FindingError as error:
        return Sniffed("unknown", findings=tuple(error.findings))
    return Sniffed(**{**looked, "findings": (*notices, *looked.pop("findings", ()))})


def _look_text(
    path: Path, wanted: Sequence[str], sheet: str | None, encoding: str, header_row: int | None
) -> dict[str, Any]:
    del sheet
    with Scratch() as scratch:
        top = sample_text(path, encoding, "auto", wanted, scratch.path)
    header = top.header(wanted, header_row)
    findings = (
        [ENCODING_GUESSED.at(Place(str(path)), encoding=top.encoding.name)] if top.encoding.guessed else []
    )
    shape: dict[str, Any] = {"format": "csv", "encoding": top.encoding.name, "delimiter": top.delimiter}
    return {**shape, **_header_shape(header, top.rows), "findings": [*findings, *_no_header(path, header)]}


def _header_shape(header: Header | None, rows: Sequence[Row]) -> dict[str, Any]:
    if header is None:
        return {}
    data = [
        tuple(untyped(cell) for cell in cells)
        for line, cells in rows
        if line >= header.data_line and any(cells)
    ]
    return {"header_row": header.line or None, "columns": header.names, "sample": tuple(data[:5])}


def _no_header(path: Path, header: Header | None) -> list[Finding]:
    return [] if header else [HEADER_MISSING.at(Place(str(path)), at="")]


def _look_workbook(
    path: Path, wanted: Sequence[str], sheet: str | None, encoding: str, header_row: int | None
) -> dict[str, Any]:
    from celadon.adapters.tables.read_xlsx import Workbook  # noqa: PLC0415  (openpyxl costs 0.2 s)

    del encoding
    with Workbook(path, str(path)) as book:
        name = book.choose(sheet)
        rows = book.top(name)
        header = find_header(rows, wanted, header_row)
        shape = {"format": "xlsx", "sheet": name, "sheets": tuple(book.names)}
        return {**shape, **_header_shape(header, rows), "findings": _no_header(path, header)}


def _look_parquet(
    path: Path, wanted: Sequence[str], sheet: str | None, encoding: str, header_row: int | None
) -> dict[str, Any]:
    from celadon.adapters.tables.read_parquet import parquet_sample  # noqa: PLC0415

    del wanted, sheet, encoding, header_row
    columns, rows = parquet_sample(path, str(path))
    return {"format": "parquet", "columns": columns, "sample": rows}


_LOOK = {"csv": _look_text, "xlsx": _look_workbook, "parquet": _look_parquet}
