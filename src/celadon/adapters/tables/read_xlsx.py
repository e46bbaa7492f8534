"""Workbooks, streamed row by row: cells become texts marked with their type, rows become pieces like those of text files.

Nothing in a workbook is run: of a formula only the saved value is used. What the file may cost is bounded before it
is opened (zip bombs, document types, cells far outside any sheet).
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, time, timedelta
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO
from xml.etree import ElementTree

import openpyxl
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from celadon.adapters.tables import limits
from celadon.adapters.tables.header import Row, find_header
from celadon.adapters.tables.kinds import (
    FORMULA_CACHED,
    HEADER_MISSING,
    SHEET_MISSING,
    SHEETS_UNREAD,
    TABLE_TOO_LARGE,
    TABLE_UNREADABLE,
    XML_FORBIDDEN,
)
from celadon.adapters.tables.numbers import EMPTY_FORMULA, TYPED_NUMBER, TYPED_TIME
from celadon.adapters.tables.table import Table, wanted_found
from celadon.adapters.tables.text import FIELD_MARK, Piece
from celadon.core.findings import Finding, FindingError, Place
from celadon.core.model import Source
from celadon.core.text import Text, text_of

_DAMAGE = (
    OSError, EOFError, KeyError, ValueError, TypeError, IndexError, AttributeError, zipfile.BadZipFile, zlib.error, ElementTree.ParseError,
)  # fmt: skip
"""What openpyxl raises for damaged workbooks."""
_CONTROL = re.compile(r"[\x00-\x1f]+")
_MAX_CELL = 4_000
_PIECE_BYTES = 16 << 20
_MAX_ROWS = 1_048_576
_ROOT = re.compile(rb"<[A-Za-z_]")
_FAR_CELL = re.compile(rb'<c [^>]*r="[A-Z]{4,}')
_MANY_ROWS = re.compile(rb'<row [^>]*r="\d{8,}')


class Workbook:
    """One workbook, open for reading; `names` are its visible sheets, then the hidden ones."""

    def __init__(self, path: Path, shown: str) -> None:
        """FindingError when the file is damaged or unsafe."""
        self.path, self.shown = path, shown
        self.formulas: list[int] = []
        """Lines of the first formulas with a saved value; `formula_count` in all."""
        self.formula_count = 0
        self._streams: list[BinaryIO] = []
        self._texts: Any = None
        self.parts = self._guarded(self._check)
        self.book = self._guarded(lambda: self._load(data_only=True))
        visible: list[str] = [sheet.title for sheet in self.book.worksheets if sheet.sheet_state == "visible"]
        self.names: list[str] = visible + [
            sheet.title for sheet in self.book.worksheets if sheet.title not in visible
        ]
        self.visible = visible or self.names

    def __enter__(self) -> Workbook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.book.close()
        if self._texts is not None:
            self._texts.close()
        for stream in self._streams:
            stream.close()

    @property
    def excel_1904(self) -> bool:
        return bool(self.book.epoch == CALENDAR_MAC_1904)

    def choose(self, sheet: str | None) -> str:
        """The sheet of this name (blanks and case aside) or number from 1; without one, the first visible."""
        if sheet is None:
            return self.visible[0]
        for same in (str.strip, lambda text: text.strip().casefold()):
            for name in self.names:
                if same(name) == same(sheet):
                    return name
        titles = [item.title for item in self.book.worksheets]
        if sheet.strip().isdigit() and 1 <= int(sheet) <= len(titles):
            return str(titles[int(sheet) - 1])
        raise FindingError(
            SHEET_MISSING.at(Place(self.shown, sheet), sheet=sheet, sheets=", ".join(titles[:40]))
        )

    def top(self, name: str) -> list[Row]:
        """The first rows of a sheet."""
        rows: list[Row] = self._guarded(lambda: list(islice(self.rows(name), limits.MAX_HEADER_LINES)))
        return rows

    def rows(self, name: str) -> Iterator[Row]:
        """Every row: its number and its cells as marked texts."""
        sheet = self.book[name]
        part = self.parts.get(name)
        texts = self._formulas(name) if part is None or self._scan(part) else None
        self.formulas, self.formula_count = [], 0
        # A sheet's own claim about its size may be wrong or hostile.
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            if number > _MAX_ROWS:
                limit = Text(f"{_MAX_ROWS} rows", f"{_MAX_ROWS} 行")
                raise FindingError(TABLE_TOO_LARGE.at(Place(self.shown, name), what=name, limit=limit))
            row = [_text(value) for value in cells]
            if texts is not None:
                self._with_formulas(number, row, next(texts, ()))
            yield number, row

    def _with_formulas(self, number: int, row: list[str], texts: Sequence[Any]) -> None:
        for n, value in enumerate(texts):
            formula = getattr(value, "text", value)
            if not (isinstance(formula, str) and formula.startswith("=")):
                continue
            if n < len(row) and row[n]:
                self.formula_count += 1
                if len(self.formulas) < 3 and number not in self.formulas:
                    self.formulas.append(number)
            else:
                row.extend([""] * (n + 1 - len(row)))
                row[n] = EMPTY_FORMULA + _CONTROL.sub(" ", formula)[: limits.SHOWN]

    def formula_notice(self, sheet: str) -> list[Finding]:
        """The notice that saved values of formulas were used."""
        if not self.formula_count:
            return []
        lines = ", ".join(map(str, self.formulas)) + (" …" if self.formula_count > len(self.formulas) else "")
        return [
            FORMULA_CACHED.at(
                Place(self.shown, sheet, self.formulas[0]), count=self.formula_count, lines=lines
            )
        ]

    def _formulas(self, name: str) -> Iterator[Sequence[Any]]:
        """The same sheet once more, with formulas in place of their values."""
        if self._texts is None:
            self._texts = self._load(data_only=False)
        sheet = self._texts[name]
        sheet.reset_dimensions()
        found: Iterator[Sequence[Any]] = sheet.iter_rows(values_only=True)
        return found

    def _load(self, data_only: bool) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # As a stream, because openpyxl refuses a path by its suffix.
            stream = self.path.open("rb")
            self._streams.append(stream)
            return openpyxl.load_workbook(stream, read_only=True, data_only=data_only, keep_links=False)

    def _guarded(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except _DAMAGE as error:
            found = TABLE_UNREADABLE.at(Place(self.shown), format="xlsx", reason=text_of(error))
            raise FindingError(found) from error

    # --- safety -----------------------------------------------------------------------------------------------

    def _check(self) -> dict[str, str]:
        """Bound what the workbook unpacks to; gives sheet name -> part of the archive."""
        with zipfile.ZipFile(self.path) as archive:
            total = 0
            for info in archive.infolist():
                total += info.file_size
                limit = (
                    limits.MAX_STRINGS_BYTES
                    if info.filename.endswith("sharedStrings.xml")
                    else limits.MAX_SHEET_BYTES
                )
                if info.file_size > limits.MIN_SHEET_BYTES:
                    limit = min(limit, limits.MAX_SHEET_RATIO * info.compress_size)
                if info.file_size > limit or total > 2 * limits.MAX_SHEET_BYTES:
                    said = TABLE_TOO_LARGE.at(
                        Place(self.shown), what=info.filename, limit=f"{limit >> 20} MB"
                    )
                    raise FindingError(said)
                if info.file_size and info.filename.endswith((".xml", ".rels")):
                    with archive.open(info) as part:
                        top = part.read(4096)
                    # The root has to begin here, so that no document type hides behind a long comment.
                    if b"<!DOCTYPE" in top or not _ROOT.search(top):
                        raise FindingError(XML_FORBIDDEN.at(Place(self.shown), part=info.filename))
            return _sheet_parts(archive)

    def _scan(self, part: str) -> bool:
        """Whether a sheet holds formulas; FindingError when it has cells outside any sheet."""
        formulas, tail = False, b""
        with zipfile.ZipFile(self.path) as archive, archive.open(part) as stream:
            while block := stream.read(1 << 20):
                data = tail + block
                if _FAR_CELL.search(data) or _MANY_ROWS.search(data):
                    raise FindingError(TABLE_TOO_LARGE.at(Place(self.shown), what=part, limit="XFD1048576"))
                formulas = formulas or b"<f>" in data or b"<f " in data or b"<f/" in data
                tail = data[-200:]
        return formulas


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name -> its part in the archive."""
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314  (no DTD: checked above)
    targets = {item.get("Id"): item.get("Target", "") for item in relations}
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
    found = {}
    for item in book.iter():
        if item.tag.endswith("}sheet"):
            key = next((value for name, value in item.items() if name.endswith("}id")), None)
            target = targets.get(key, "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if part in archive.namelist():
                found[item.get("name", "")] = part
    return found


def _text(value: Any) -> str:
    """A cell as text: numbers and dates marked with their type, everything else as it stands."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return f"{TYPED_NUMBER}{value!r}"
    if isinstance(value, datetime):
        moment = value + timedelta(microseconds=500_000)
        whole = moment.replace(microsecond=0)
        near = abs(whole - value) < timedelta(milliseconds=2)
        return f"{TYPED_TIME}{(whole if near else value).isoformat(sep=' ')}"
    if isinstance(value, time):
        return value.replace(microsecond=0).isoformat()
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return _CONTROL.sub(" ", str(value))[:_MAX_CELL]


def open_xlsx(path: Path, shown: str, source: Source, wanted: Sequence[str], scratch: Path) -> Table:
    """The table in a workbook: on the named sheet, else on the visible sheet that has most of the wanted columns."""
    book = Workbook(path, shown)
    try:
        name, rows, alike = _best_sheet(book, source, wanted)
        header = find_header(rows, wanted, source.header_row)
    except BaseException:
        book.close()
        raise
    if header is None:
        book.close()
        number = source.header_row
        at = Text(f" (row {number})", f"（第 {number} 行）") if number else ""
        raise FindingError(HEADER_MISSING.at(Place(shown, name, source.header_row), at=at))
    notices: list[Finding] = []
    unread = [SHEETS_UNREAD.at(Place(shown, name), sheets=", ".join(alike))] if alike else []
    table = Table(
        path,
        shown,
        header,
        FIELD_MARK,
        list,
        sheet=name,
        typed=True,
        excel_1904=book.excel_1904,
        format="xlsx",
        sample=rows,
    )
    held = [book]  # opening costs as much as reading where a sheet does not say how large it is

    def pieces() -> Iterator[Piece]:
        with held.pop() if held else Workbook(path, shown) as again:
            yield from _pieces(again, name, scratch)
            notices[:] = [*unread, *again.formula_notice(name)]

    def done() -> None:
        while held:
            held.pop().close()

    table.pieces, table.after, table.done = pieces, lambda: notices, done
    return table


def _best_sheet(book: Workbook, source: Source, wanted: Sequence[str]) -> tuple[str, list[Row], list[str]]:
    """The sheet to read, its first rows, and the visible sheets that would do as well: a month each, say."""
    if source.sheet is not None:
        name = book.choose(source.sheet)
        return name, book.top(name), []
    best: tuple[int, str, list[Row]] | None = None
    alike: list[str] = []
    for name in book.visible[:50]:
        rows = book.top(name)
        header = find_header(rows, wanted, source.header_row)
        score = wanted_found(header, wanted) if header else -1
        if best is None or score > best[0]:
            best, alike = (score, name, rows), []
        elif score == best[0] > 1:
            alike.append(name)
    if best is None:
        raise FindingError(SHEET_MISSING.at(Place(book.shown), sheet="1", sheets=""))
    return best[1], best[2], alike


def _pieces(book: Workbook, name: str, scratch: Path) -> Iterator[Piece]:
    """The sheet's rows in pieces; blank rows stay, so that line numbers are row numbers."""
    lines: list[str] = []
    size, first = 0, 1
    rows = book.rows(name)
    while True:
        try:
            row = next(rows, None)
        except _DAMAGE as error:
            place = Place(book.shown, name, first + len(lines))
            raise FindingError(TABLE_UNREADABLE.at(place, format="xlsx", reason=text_of(error))) from error
        if row is not None:
            lines.append(FIELD_MARK.join(row[1]) if any(row[1]) else "")
            size += len(lines[-1])
        if lines and (row is None or size > _PIECE_BYTES):
            path = scratch / f"piece-{first}.txt"
            path.write_text("\n".join(lines) + "\n", "utf-8", errors="replace", newline="\n")
            yield Piece(path, first, len(lines), False, False, False, 1.0 if row is None else 0.5)
            first, lines, size = first + len(lines), [], 0
        if row is None:
            return
