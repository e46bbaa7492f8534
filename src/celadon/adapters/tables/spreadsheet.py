"""Human spreadsheets, such as published factor sets: notes above the table, merged cells, several header rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from celadon.adapters.tables import limits
from celadon.adapters.tables.header import Header, Row, find_header
from celadon.adapters.tables.kinds import HEADER_MISSING
from celadon.adapters.tables.numbers import TYPED_NUMBER, NumberForm, parse_number
from celadon.adapters.tables.sniff import choose_format, sample_text
from celadon.adapters.tables.table import split_line, untyped
from celadon.adapters.tables.text import TextPieces
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, Place
from celadon.store.scratch import Scratch

Value = str | float | None


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: its line in the file and its values by column name; numbers as float, blanks as None."""

    line: int
    values: dict[str, Value]

    def __getitem__(self, column: str) -> Value:
        return self.values[column]

    def number(self, column: str) -> float | None:
        """The value as a number; None when it is blank or a text."""
        value = self.values[column]
        return value if isinstance(value, float) else None


def sheet_names(path: Path | str) -> list[str]:
    """The sheets of a workbook in its own order (FindingError when it cannot be read)."""
    from celadon.adapters.tables.read_xlsx import Workbook  # noqa: PLC0415  (openpyxl takes as long as all the rest)

    with Workbook(Path(path), str(path)) as book:
        return [str(name) for name in book.book.sheetnames]


def read_table(
    path: Path | str,
    *,
    columns: Sequence[str] = (),
    sheet: str | None = None,
    header_row: int | None = None,
    fill: Sequence[str] = (),
    stop_at_blank: bool = False,
    numbers: NumberForm | None = None,
    encoding: str = "auto",
) -> list[TableRow]:
    """Read the table under the header that holds `columns` (or in `header_row`).

    Keys are the names asked for, then every other column by its own name (its number where it has none). In `fill`
    columns, whose cells are merged downwards, a blank means the value above. With `stop_at_blank` the table ends at the
    first blank row below it; notes under it are not read. FindingError: no such file, sheet, header or column.
    """
    path, found = Path(path), list[TableRow]()
    form, _ = choose_format(path, str(path), "auto")
    rows = _workbook_rows(path, sheet) if form == "xlsx" else _text_rows(path, encoding, columns)
    top = list(islice(rows, limits.MAX_HEADER_LINES))
    header = find_header(top, columns, header_row)
    if header is None:
        raise FindingError(HEADER_MISSING.at(Place(str(path), sheet, header_row), at=""))
    named = _columns(header, columns, Place(str(path), sheet))
    last: dict[str, Value] = {}
    for line, cells in (*(row for row in top if row[0] >= header.data_line), *rows):
        if not any(cell.strip() for cell in cells):
            if stop_at_blank and found:
                break
            continue
        values = {
            title: _value(cells[n] if n < len(cells) else "", numbers or NumberForm())
            for title, n in named.items()
        }
        for title in fill:
            values[title] = last[title] = values[title] if values[title] is not None else last.get(title)
        found.append(TableRow(line, values))
    return found


def _columns(header: Header, wanted: Sequence[str], where: Place) -> dict[str, int]:
    named: dict[str, int] = {}
    problems: list[Finding] = []
    for name in wanted:
        found = header.find(name, where)
        if isinstance(found, Finding):
            problems.append(found)
        else:
            named[name] = found
    if problems:
        raise FindingError(problems)
    for n, name in enumerate(header.names):
        if n not in named.values():
            named.setdefault(name, n)
    return named


def _value(cell: str, form: NumberForm) -> Value:
    if cell.startswith(TYPED_NUMBER):
        return float(cell[1:])
    text = untyped(cell).strip()
    if not text:
        return None
    number = parse_number(text, form)
    return number if number is not None else text


def _workbook_rows(path: Path, sheet: str | None) -> Iterator[Row]:
    from celadon.adapters.tables.read_xlsx import Workbook  # noqa: PLC0415  (openpyxl takes as long as all the rest)

    with Workbook(path, str(path)) as book:
        yield from book.rows(book.choose(sheet))


def _text_rows(path: Path, encoding: str, columns: Sequence[str]) -> Iterator[Row]:
    with Scratch() as scratch:
        top = sample_text(path, encoding, "auto", columns, scratch.path)
        for piece in TextPieces(path, top.encoding, scratch.path, top.delimiter):
            text = piece.path.read_text("utf-8", errors="replace")
            for n, line in enumerate(text.split("\n")[: piece.lines]):
                yield piece.first_line + n, split_line(line, top.delimiter)
