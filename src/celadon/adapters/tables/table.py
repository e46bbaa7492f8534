"""One opened table, whatever its format: its header, and its rows as batches the engine can query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from pathlib import Path

import duckdb

from celadon.adapters.tables.header import Header, Row
from celadon.adapters.tables.kinds import FLAW, LINE_TOO_LONG
from celadon.adapters.tables.numbers import EMPTY_FORMULA, TYPED_NUMBER, TYPED_TIME
from celadon.adapters.tables.sql import case, literal
from celadon.adapters.tables.text import FIELD_MARK, LINE_MARK, MARK_QUOTE_OPEN, MARK_UNDECODED, Piece
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, Place

LINES = "celadon_tables_lines"


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a table as a query: `line` (from 1), `x` (the row's text), `f` (its cells), `mark` (a flaw or null)."""

    query: str
    share: float
    tidy: bool = False
    """No cell has blanks around it or characters outside ASCII."""


def _nothing() -> None:
    """Of a file that is not held open."""


@dataclass(slots=True)
class Table:
    """A table ready to be read. `typed`: numbers and dates come marked with their type."""

    path: Path
    shown: str
    header: Header
    delimiter: str
    pieces: Callable[[], Iterable[Piece]]
    sheet: str | None = None
    typed: bool = False
    excel_1904: bool = False
    time_guess: str | None = None
    time_sure: bool = False
    """All times are as guessed."""
    parquet: str | None = None
    """A query that gives line, x, f, instead of pieces."""
    encoding: str = "utf-8"
    format: str = "csv"
    sample: Sequence[Row] = ()
    """The file's first rows, header included."""
    findings: list[Finding] = field(default_factory=list)
    after: Callable[[], list[Finding]] = list
    """Findings known once the table has been read."""
    whole: bool = False
    """The sample is all of it."""
    plain: bool = False
    """It is, and it is printable ASCII with nothing quoted."""
    done: Callable[[], None] = _nothing
    """Lets go of the file."""

    def close(self) -> None:
        """Let go of the file."""
        self.done()

    @property
    def place(self) -> Place:
        return Place(self.shown, self.sheet)

    def fields(self, text: str, quoted: bool = True) -> str:
        """SQL: the cells of a row's text as a list."""
        return split(text, self.delimiter, quoted and self.delimiter != FIELD_MARK)

    def batches(self, con: duckdb.DuckDBPyConnection) -> Iterator[Batch]:
        """The rows below the header; each batch is valid until the next is asked for."""
        if self.parquet:
            yield Batch(f"(SELECT line, x, f, NULL::UTINYINT AS mark FROM ({self.parquet}))", 1.0)
            return
        setting = con.execute("SELECT current_setting('preserve_insertion_order')").fetchone()
        # Line numbers are the order of the rows: never read a file without it.
        con.execute("SET preserve_insertion_order = true")
        try:
            for piece in self.pieces():
                try:
                    load_lines(con, piece, self.shown)
                finally:
                    piece.path.unlink(missing_ok=True)
                yield Batch(self._query(piece), piece.share, piece.tidy)
        finally:
            con.execute(f"DROP TABLE IF EXISTS temp.{LINES}")
            con.execute(f"SET preserve_insertion_order = {'true' if setting and setting[0] else 'false'}")

    def _query(self, piece: Piece) -> str:
        mark, text = "NULL::UTINYINT", "x"
        if piece.marked:
            mark = case(
                [
                    (f"starts_with(x, {literal(MARK_UNDECODED)})", f"{FLAW['encoding-mixed']}::UTINYINT"),
                    (f"starts_with(x, {literal(MARK_QUOTE_OPEN)})", f"{FLAW['quote-open']}::UTINYINT"),
                ]
            )
            text = f"ltrim(x, {literal(MARK_UNDECODED + MARK_QUOTE_OPEN)})"
        lines = f"SELECT rowid + {piece.first_line} AS line, {text} AS x, {mark} AS mark FROM temp.{LINES} WHERE x <> ''"
        fields = self.fields("x", piece.quoted)
        return f"(SELECT line, x, {fields} AS f, mark FROM ({lines}) WHERE line >= {self.header.data_line})"


def load_lines(con: duckdb.DuckDBPyConnection, piece: Piece, shown: str) -> None:
    """Every line of a piece as one text in the temporary table LINES; rowid + 1 is its number in the piece."""
    options = (
        f"columns = {{'x': 'VARCHAR'}}, delim = {literal(LINE_MARK)}, quote = '', escape = '', header = false, "
        "auto_detect = false, strict_mode = false, new_line = '\\n', compression = 'none'"
    )
    source = f"read_csv({literal(str(piece.path))}, {options})"
    try:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {LINES} AS SELECT x FROM {source}")
    except duckdb.Error as error:
        if "line size" not in str(error):
            raise
        with piece.path.open("rb") as lines:
            longest = max((len(line), -number) for number, line in enumerate(lines))
        place = Place(shown, line=piece.first_line - longest[1])
        raise FindingError(LINE_TOO_LONG.at(place, limit="2 MB")) from error
    row = con.execute(f"SELECT count(*) FROM temp.{LINES}").fetchone()
    if row is None or row[0] != piece.lines:
        raise RuntimeError(
            f"{shown}: {row and row[0]} lines came out of {piece.lines}; line numbers would be wrong"
        )


def split(text: str, delimiter: str, quoted: bool) -> str:
    """SQL: the cells of a line. Quotes are looked at only in lines that have some."""
    mark = literal(delimiter)
    plain = f"string_split({text}, {mark})"
    if not quoted:
        return plain
    d = "\\t" if delimiter == "\t" else "\\" + delimiter
    cell = f'(?: *"[^"{d}]*" *|[^"{d}]*)'
    simple = f"regexp_full_match({text}, {literal(f'{cell}(?:{d}{cell})*')})"
    piece = f'{d}(?: *"(?:[^"]|"")*"[^{d}]*|[^{d}]*)'
    inner = "trim(p[2:])"
    unquoted = case(
        [
            (
                f"length({inner}) > 1 AND {inner}[1] = '\"' AND {inner}[-1] = '\"'",
                f"replace({inner}[2:-2], '\"\"', '\"')",
            )
        ],
        "p[2:]",
    )
    parts = f"list_transform(regexp_extract_all({mark} || {text}, {literal(piece)}), lambda p: {unquoted})"
    return case(
        [
            (f"NOT contains({text}, '\"')", plain),
            (simple, f"string_split(replace({text}, '\"', ''), {mark})"),
        ],
        parts,
    )


def split_line(line: str, delimiter: str) -> list[str]:
    """The same in Python, for the few lines a header is looked for in."""
    if '"' not in line or delimiter == FIELD_MARK:
        return line.split(delimiter)
    cells, position = [], 0
    while position <= len(line):
        start = position + len(line[position:]) - len(line[position:].lstrip(" "))
        if line[start : start + 1] == '"':
            end = start + 1
            while end < len(line) and (line[end] != '"' or line[end + 1 : end + 2] == '"'):
                end += 2 if line[end] == '"' else 1
            if end < len(line):
                stop = line.find(delimiter, end + 1)
                stop = len(line) if stop < 0 else stop
                whole = line[start:stop].strip(" ")
                cells.append(whole[1:-1].replace('""', '"') if whole.endswith('"') else line[position:stop])
                position = stop + 1
                continue
        stop = line.find(delimiter, position)
        stop = len(line) if stop < 0 else stop
        cells.append(line[position:stop])
        position = stop + 1
    return cells


def untyped(cell: str) -> str:
    """A cell's text for people: without the mark of its type."""
    return cell.lstrip(TYPED_NUMBER + TYPED_TIME + EMPTY_FORMULA)


def wanted_found(header: Header, wanted: Sequence[str]) -> int:
    """How many of the wanted names the header has."""
    return sum(1 for name in wanted if header.columns_named(name))
