"""How a workbook's sheets lie on the screen and on paper: column widths, row heights, headers that stay, page breaks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet


def set_up_page(sheet: Worksheet) -> None:
    """A4 across, as wide as the sheet, its name and the page's number at the foot."""
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_margins = PageMargins(left=0.5, right=0.5, top=0.6, bottom=0.7, header=0.3, footer=0.3)
    footer = sheet.HeaderFooter.oddFooter
    footer.left.text, footer.right.text = "&A", "&P / &N"  # type: ignore[union-attr]  # a new sheet has one


def keep_header(sheet: Worksheet, row: int) -> None:
    """The header row stays when the sheet is scrolled, and stands on every page."""
    sheet.freeze_panes = f"A{row + 1}"
    sheet.print_title_rows = f"{row}:{row}"


_LINE_HEIGHT = 15.0
_LETTERS = 1.1
"""Letters in the width of one digit."""
_WORD = re.compile(r"[\u2e80-\uffff]|[^\s\u2e80-\uffff]+\s*|\s+")


def fit_rows(sheet: Worksheet) -> None:
    """Heights for texts that wrap: not every program finds them itself when it opens the file."""
    merged = {
        sheet.cell(span.min_row, span.min_col).coordinate: range(span.min_col, span.max_col + 1)
        for span in sheet.merged_cells.ranges
    }
    for cells in sheet.iter_rows():
        lines = 1
        for cell in cells:
            if isinstance(cell.value, str) and cell.alignment.wrap_text:
                columns = merged.get(cell.coordinate, range(cell.column, cell.column + 1))
                width = sum(sheet.column_dimensions[get_column_letter(one)].width for one in columns)
                lines = max(lines, _lines(cell.value, width * (1.0 if cell.font.b else _LETTERS)))
        if lines > 1:
            sheet.row_dimensions[int(cells[0].row or 0)].height = _LINE_HEIGHT * lines


def _lines(text: str, width: float) -> int:
    """Lines that a text takes in a column of this width, broken between words."""
    lines, used = 1, 0.0
    for word in _WORD.findall(text):
        size = text_width(word.rstrip())
        if used and used + size > width:
            lines, used = lines + 1, 0.0
        if size > width:  # a word longer than the line goes on in the next
            lines, used = lines + int((size - 0.01) // width), size % width
        else:
            used += text_width(word)
    return lines


def text_width(text: str) -> float:
    """In digits of the usual font: a Chinese character is two wide."""
    return sum(2.0 if ord(character) > 0x2E80 else 1.0 for character in text)


def widen(sheet: Worksheet, widths: Sequence[float]) -> None:
    """Make columns at least this wide."""
    for column, width in enumerate(widths, 1):
        letter = get_column_letter(column)
        sheet.column_dimensions[letter].width = max(sheet.column_dimensions[letter].width or 0, width)


_PAGE = 640
"""Pixels of height that a printed page takes where nothing is wider than it."""


def break_between(sheet: Worksheet, pictures: Iterable[tuple[int, int]]) -> None:
    """Page breaks so that no picture of a sheet of pictures is cut in two; `pictures`: (first row, height in pixels)."""
    top = None
    for row, height in pictures:
        if top is not None and (row - top) * 20 + height > _PAGE:
            sheet.row_breaks.append(Break(id=row - 1))
            top = row
        top = row if top is None else top
