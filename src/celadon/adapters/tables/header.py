"""Finding the header of a table and the columns a source asks for, in one row or several, merged or not."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Sequence

from celadon.adapters.tables.kinds import COLUMN_DUPLICATE, COLUMN_MISSING
from celadon.adapters.tables.numbers import TYPED_NUMBER, TYPED_TIME, parse_number
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, Place
from celadon.core.units import UnitError, parse_unit

Row = tuple[int, list[str]]
"""Line number and cells."""


def plain(name: str) -> str:
    """A column name for comparison: full-width letters as ASCII, blanks collapsed, quotes and marks gone."""
    text = unicodedata.normalize("NFKC", name.replace("\ufeff", "").lstrip(TYPED_NUMBER + TYPED_TIME))
    return re.sub(r"\s+", " ", text).strip().strip('"').strip()


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header is and the names each column answers to, nearest first."""

    line: int
    """Of the row most names stand in; 0 when the file brings its own schema."""
    data_line: int
    """First line that can be data."""
    levels: tuple[tuple[str, ...], ...]
    """levels[0] = the row's own cells; then rows below, joins of both, joins with the group above."""
    text: str = ""
    """The row as the file has it, to recognise it when it is repeated."""

    @property
    def width(self) -> int:
        """Columns up to the last that has a name."""
        return max((n + 1 for level in self.levels for n, name in enumerate(level) if name), default=0)

    @property
    def names(self) -> tuple[str, ...]:
        """One name per column, unique: a repeated one gets #2, #3 …, a blank one its number."""
        seen: dict[str, int] = {}
        names = []
        for n in range(self.width):
            own = next((level[n] for level in self.levels if n < len(level) and level[n]), f"column {n + 1}")
            seen[own] = seen.get(own, 0) + 1
            names.append(own if seen[own] == 1 else f"{own}#{seen[own]}")
        return tuple(names)

    def columns_named(self, name: str) -> list[int]:
        """The columns that answer to `name`, exactly if any does, else whatever the case."""
        wanted, tests = plain(name), (lambda text: text, str.casefold)
        for same in tests:
            for level in self.levels:
                found = [n for n, text in enumerate(level) if text and same(text) == same(wanted)]
                if found:
                    return found
        return []

    def find(self, name: str, where: Place) -> int | Finding:
        """The column (from 0) called `name`; `name#2` is the second of that name. A Finding when there is not one."""
        found = self.columns_named(name)
        if not found and (numbered := re.fullmatch(r"(.*)#(\d+)", name, re.DOTALL)):
            several, n = self.columns_named(numbered[1]), int(numbered[2])
            found = several[n - 1 : n] if n else []
        if len(found) == 1:
            return found[0]
        place = Place(where.file, where.sheet, self.line or None, name)
        if found:
            return COLUMN_DUPLICATE.at(place, column=name, count=len(found))
        columns = ", ".join(text[:40] for text in self.names[:30]) + (" …" if self.width > 30 else "")
        return COLUMN_MISSING.at(place, column=name, hint=_hint(name, self.names), columns=columns)

    def unit_of(self, column: int) -> str | None:
        """The unit that the header itself gives: in brackets, after a slash, comma or underscore, or in the row below."""
        for number, level in enumerate(self.levels):
            text = level[column] if column < len(level) else ""
            if number == 1 and _is_unit(text):
                return text
            bracketed = re.fullmatch(r".*[\(（\[【]([^()（）\[\]【】]+)[\)）\]】]\s*", text, re.DOTALL)
            ends: list[str] = [bracketed[1].strip()] if bracketed else []
            # The longest unit: of “NCV, kJ/kg” it is kJ/kg and not kg.
            ends += [text[mark.end() :].strip() for mark in re.finditer(r"[,，/_]", text)]
            if found := next(filter(_is_unit, ends), None):
                return found
        return None


def _hint(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(plain(name), names, n=1, cutoff=0.6)
    return f" (“{near[0]}”?)" if near else ""


def _is_unit(text: str) -> bool:
    # A bare letter in a header is a phase, an axis or a footnote more often than a unit (A, V, h …).
    if len(text.strip()) < 2 and text.strip() not in ("t", "%", "‰", "度", "吨"):
        return False
    try:
        parse_unit(text)
    except UnitError:
        return False
    return not re.fullmatch(r"[\d\s.]+", text)


def find_header(
    rows: Sequence[Row],
    wanted: Sequence[str],
    header_row: int | None,
    text: Callable[[int], str] | None = None,
) -> Header | None:
    """The header among the first rows of a file: the given line, else the row that holds most of the wanted names.

    Without wanted names it is the first row of words that is followed by rows of the same width. `text` gives a
    line as the file has it. None when there is none.
    """
    filled = [
        (line, [plain(cell) for cell in cells]) for line, cells in rows if any(cell.strip() for cell in cells)
    ]
    at = _header_at(filled, [plain(name) for name in wanted], header_row)
    if at is None:
        return None
    line, base = filled[at]
    key = next(
        (n for name in wanted for n, cell in enumerate(base) if cell.casefold() == plain(name).casefold()), 0
    )
    below = _rows_below(filled[at + 1 :], key)
    data_line = (below[-1][0] if below else line) + 1
    above = filled[at - 1][1] if at else []
    levels: list[tuple[str, ...]] = [tuple(base)]
    wide = _fill_right(base, [cells for _, cells in below])
    for _, cells in below:
        levels += [tuple(cells), _join(wide, cells, " / "), _join(wide, cells, " ")]
    if above and sum(1 for cell in above if cell) > 1:
        group = _fill_right(above, [base])
        levels += [_join(group, base, " / "), _join(group, base, " ")]
        # A cell merged downwards stands in its first row: the time column beside a group of meters.
        levels.append(tuple("" if n < len(base) and base[n] else cell for n, cell in enumerate(above)))
    return Header(line, data_line, tuple(levels), text(line) if text else "")


def _header_at(rows: Sequence[Row], wanted: Sequence[str], header_row: int | None) -> int | None:
    if header_row is not None:
        return next((n for n, (line, _) in enumerate(rows) if line == header_row), None)
    if wanted:
        folded = {name.casefold() for name in wanted} | {
            re.sub(r"#\d+$", "", name).casefold() for name in wanted
        }
        parts = folded | {part.strip() for name in folded for part in name.split(" / ")}
        counts = [len(parts & {cell.casefold() for cell in cells if cell}) for _, cells in rows]
        if counts and max(counts) > 0:
            return counts.index(max(counts))
    for n, (_, cells) in enumerate(rows):
        words = [cell for cell in cells if cell]
        after = rows[n + 1 : n + 4]
        if (
            len(words) >= 2
            and not any(_numeric(cell) for cell in words)
            and after
            and any(len(c) >= len(words) for _, c in after)
        ):
            return n
    return None


def _numeric(cell: str) -> bool:
    return cell.startswith((TYPED_NUMBER, TYPED_TIME)) or parse_number(cell) is not None


def _rows_below(rows: Sequence[Row], key: int) -> list[Row]:
    """Rows under the header that still belong to it: units, or the lower half of merged cells."""
    found: list[Row] = []
    for line, cells in rows[:2]:
        words = [cell for n, cell in enumerate(cells) if cell and n != key]
        first = cells[key] if key < len(cells) else ""
        if not words or any(_numeric(cell) for cell in words) or re.search(r"\d", first):
            break
        units = sum(_is_unit(cell) for cell in words)
        if first and units * 2 < len(words):
            break
        found.append((line, cells))
    return found


def _fill_right(cells: Sequence[str], below: Sequence[Sequence[str]]) -> list[str]:
    """A merged cell stands in its first column only: carry it right over the columns that have something below."""
    filled, last = [], ""
    for n in range(max([len(cells), *(len(row) for row in below)])):
        own = cells[n] if n < len(cells) else ""
        under = any(n < len(row) and row[n] for row in below)
        last = own or (last if under else "")
        filled.append(last)
    return filled


def _join(upper: Sequence[str], lower: Sequence[str], mark: str) -> tuple[str, ...]:
    width = max(len(upper), len(lower))
    pairs = [(upper[n] if n < len(upper) else "", lower[n] if n < len(lower) else "") for n in range(width)]
    return tuple(mark.join(part for part in pair if part) if pair[0] and pair[1] else "" for pair in pairs)
