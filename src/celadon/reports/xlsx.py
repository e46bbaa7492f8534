"""A report as a workbook: sums, quotients and whole calculations as live formulas, every figure with its trace id and link.

The cells of formulas also hold the value, so that a reader that computes nothing shows the same numbers. The same report gives
the same bytes: there is no time of writing in the file.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import field
from datetime import datetime
from functools import partial

from openpyxl import Workbook
from openpyxl.cell.cell import Cell as OpenCell
from openpyxl.drawing.image import Image
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import Outline
from openpyxl.worksheet.worksheet import Worksheet

from celadon.charts.chart import Chart
from celadon.charts.image import to_png
from celadon.core.dataclass import dataclass
from celadon.core.text import Lang, Text
from celadon.engine.quality import LABELS
from celadon.reports import words
from celadon.reports.calculation import Calculation
from celadon.reports.layout import break_between, fit_rows, keep_header, set_up_page, text_width, widen
from celadon.reports.model import Cell, Figure, Figures, Grid, Note, Report, Section
from celadon.rules.titles import titled

_font = partial(Font, name="Calibri", family=2, size=11)
"""A font without a name is another program's serif."""
_INK, _MUTED, _BRAND = "1C2421", "5D6B65", "00695C"
_HEAD = PatternFill("solid", fgColor="DDEBE6")
_INPUT = PatternFill("solid", fgColor="FFF4C2")
_WARN = PatternFill("solid", fgColor="FBE3DA")
_LINE = Border(bottom=Side(style="thin", color="DDE3E0"))
_TOP = Border(top=Side(style="medium", color="5D6B65"))
_TITLES = {"calculation": Text("Calculation", "计算过程"), "traces": Text("Traces", "溯源")}
_PICTURE = 720


class _Png(Image):
    """A picture whose size is known: openpyxl's own class would open it with an imaging library to ask."""

    def __init__(self, data: bytes, width: int, height: int) -> None:
        self.data, self.width, self.height, self.format, self.anchor = data, width, height, "png", "A1"

    def _data(self) -> bytes:
        return self.data


@dataclass
class _Book:
    """The workbook being written: where each trace stands, and the value of each formula by sheet and cell."""

    report: Report
    lang: Lang
    workbook: Workbook = field(default_factory=Workbook)
    values: dict[str, dict[str, float]] = field(default_factory=dict)
    traces: dict[str, int] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def sheet(self, name: Text) -> Worksheet:
        """A new sheet with a name of its own that Excel allows."""
        short = re.sub(r"[\[\]:*?/\\]", " ", name.say(self.lang))[:28]
        wanted, number = short, 2
        while wanted in self.names:
            wanted, number = f"{short} {number}", number + 1
        self.names.add(wanted)
        made: Worksheet = self.workbook.create_sheet(wanted)
        made.sheet_view.showGridLines = False
        set_up_page(made)
        return made

    def say(self, cell: Cell) -> str | float | int | None:
        return cell.say(self.lang) if isinstance(cell, Text) else cell

    def formula(self, sheet: Worksheet, row: int, column: int, text: str, value: Cell) -> None:
        """A live formula, with the value it has now."""
        sheet.cell(row, column).value = text
        if isinstance(value, int | float):
            self.values.setdefault(sheet.title, {})[f"{get_column_letter(column)}{row}"] = float(value)


def to_xlsx(report: Report, lang: Lang) -> bytes:
    """The report as a workbook in one language, with the other language's names beside the figures'."""
    book = _Book(report, lang)
    book.workbook.remove(book.workbook.active)  # type: ignore[arg-type]  # a new workbook has one sheet
    calculation = Calculation()
    for figure in report.figures:
        if figure.trace is not None and figure.question.id not in calculation.roots:
            calculation.add(figure.question.id, figure.trace.root, evidence=report.kind == "evidence")
    book.traces = {name: row + 4 for name, row in calculation.roots.items()}
    _cover(book)
    for section in report.sections:
        _section(book, section)
    _calculation(book, calculation)
    _traces(book)
    return _finished(book)


# -- sheets ------------------------------------------------------------------------------------------------------------


def _put(sheet: Worksheet, row: int, column: int, value: str | float | int | None) -> OpenCell:
    """Write a constant. A text is a text, whatever it begins with: what comes from files must never run as a formula."""
    cell = sheet.cell(row, column)
    if not isinstance(cell, OpenCell):
        raise TypeError(f"{cell.coordinate} is part of a merged cell")
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
    return cell


def _cover(book: _Book) -> None:
    report, lang = book.report, book.lang
    sheet = book.sheet(Text("Report", "报告"))
    other: Lang = "en" if lang == "zh" else "zh"
    sheet["A1"] = report.title.say(lang)
    sheet["A1"].font = _font(size=18, bold=True, color=_BRAND)
    sheet["A2"] = f"{report.subject.say(lang)} · {report.period}"
    sheet["A2"].font = _font(size=12, bold=True, color=_INK)
    sheet["A3"] = f"{report.title.say(other)} · {report.subject.say(other)}"
    sheet["A3"].font = _font(color=_MUTED)
    for number, (name, value) in enumerate(report.facts, 5):
        cell = _put(sheet, number, 1, name.say(lang))
        cell.font, cell.alignment = _font(color=_MUTED), Alignment(wrap_text=True, vertical="top")
        _put(sheet, number, 2, value.say(lang)).alignment = Alignment(wrap_text=True, vertical="top")
    row = len(report.facts) + 6
    for text in _READ_ME:
        _put(sheet, row, 1, text.say(lang)).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=2)
        row += 1
    widen(sheet, (34, 102))
    fit_rows(sheet)


_READ_ME = (
    Text(
        "Sums, quotients and the whole sheet “Calculation” are live formulas: change a reading, a record or a factor there (yellow) and every "
        "figure follows. The column “Check” then says by how much it differs from what the program computed.",
        "合计、比值及“计算过程”表均为可重算公式：修改其中的读数、台账或因子（黄色），各指标随之变化；“核对”列给出与程序结果的差额。",
    ),
    Text(
        "Each figure has a trace id: click it to go to its calculation; the sheet “Traces” has the command that prints it. “absent” is never zero.",
        "每个指标均有溯源号，点击可跳转至计算过程；“溯源”表给出查看命令。“缺失”绝不等于零。",
    ),
)


def _section(book: _Book, section: Section) -> None:
    sheet = book.sheet(section.sheet)
    sheet["A1"] = section.title.say(book.lang)
    sheet["A1"].font = _font(size=14, bold=True, color=_BRAND)
    row, pictures, tables = 3, [], []
    if section.text is not None:
        row = _note(book, sheet, row, Note(section.text))
    for block in section.blocks:
        if isinstance(block, Note):
            row = _note(book, sheet, row, block)
        elif isinstance(block, Figures):
            tables.append((row, len(block.figures)))
            row = _figures(book, sheet, row, block.figures)
        elif isinstance(block, Grid):
            tables.append((row, len(block.rows)))
            row = _grid(book, sheet, row, block)
        else:
            pictures.append((row, int(block.scene(book.lang, _PICTURE).height)))
            row = _picture(book, sheet, row, block)
    fit_rows(sheet)
    if not tables:
        break_between(sheet, pictures)
    elif not pictures and (len(tables) == 1 or tables[0][1] > _LONG):
        keep_header(sheet, tables[0][0])


_LONG = 20
"""Rows of a table whose header stays, though another table follows it on the sheet."""


def _note(book: _Book, sheet: Worksheet, row: int, note: Note) -> int:
    cell = _put(sheet, row, 1, note.text.say(book.lang))
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    if note.warning:
        cell.fill = _WARN
    sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=8)
    return row + 1


def _header(sheet: Worksheet, row: int, texts: list[str], numbers: Collection[int] = ()) -> None:
    """Titles in the row; those of columns of numbers (from 1) stand right, as the numbers do."""
    for column, text in enumerate(texts, 1):
        cell = _put(sheet, row, column, text)
        cell.font, cell.fill = _font(bold=True, color=_INK), _HEAD
        side, after = ("right", 0) if column in numbers else ("left", 1 if column - 1 in numbers else 0)
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal=side, indent=after)


_FIGURE_WIDTHS = (34, 30, 16, 14, 16, 12, 12, 46, 16, 30)


def _figures(book: _Book, sheet: Worksheet, row: int, figures: tuple[Figure, ...]) -> int:
    """Values point to their calculation; the change since the period before is a live quotient."""
    lang = book.lang
    names = (
        words.QUANTITY,
        words.PLACE,
        words.VALUE,
        words.UNIT,
        words.BEFORE,
        words.CHANGE,
        words.COVERAGE,
        words.RESTS_ON,
        words.TRACE,
    )
    other = words.QUANTITY.say("en" if lang == "zh" else "zh")
    _header(sheet, row, [*(name.say(lang) for name in names), other], numbers=(3, 5, 6, 7))
    for figure in figures:
        row += 1
        wrapped = Alignment(wrap_text=True, vertical="top")
        _put(sheet, row, 1, figure.label.say(lang)).alignment = wrapped
        _put(sheet, row, 2, figure.place.say(lang)).alignment = wrapped
        _figure_value(book, sheet, row, 3, figure)
        _put(sheet, row, 4, "" if figure.unit == "1" else figure.unit)
        if figure.before is not None:
            _put(sheet, row, 5, figure.before).number_format = _format(figure.before)
            if figure.value is not None and figure.before:
                book.formula(sheet, row, 6, f"=C{row}/E{row}-1", figure.value / figure.before - 1)
                sheet.cell(row, 6).number_format = "+0.0%;-0.0%;0.0%"
        if figure.value is not None:
            _put(sheet, row, 7, figure.coverage).number_format = "0.0%"
        _put(sheet, row, 8, rests_on(figure, lang))
        for column in range(3, 11):
            side, after = ("left", 1) if column in (4, 8) else (None, 0)
            sheet.cell(row, column).alignment = Alignment(
                wrap_text=column in (8, 10), vertical="top", horizontal=side, indent=after
            )
        if figure.unchecked:
            sheet.cell(row, 8).fill = _WARN
        _trace_link(book, sheet, row, figure)
        _put(sheet, row, 10, figure.label.say("en" if lang == "zh" else "zh")).font = _font(color=_MUTED)
        for column in range(1, 11):
            sheet.cell(row, column).border = _LINE
    widen(sheet, _FIGURE_WIDTHS)
    return row + 2


def _figure_value(book: _Book, sheet: Worksheet, row: int, column: int, figure: Figure) -> None:
    cell = sheet.cell(row, column)
    if figure.value is None:
        cell.value, cell.font = words.ABSENT.say(book.lang), _font(italic=True, color=_MUTED)
        return
    there = book.traces.get(figure.question.id)
    if there is None:
        cell.value = figure.value
    else:
        book.formula(sheet, row, column, f"='{_TITLES['calculation'].say(book.lang)}'!E{there}", figure.value)
    cell.number_format, cell.font = _format(figure.value), _font(bold=True)


def _trace_link(book: _Book, sheet: Worksheet, row: int, figure: Figure) -> None:
    cell = _put(sheet, row, 9, figure.question.id)
    there = book.traces.get(figure.question.id)
    if there is not None:
        inside = f"'{_TITLES['calculation'].say(book.lang)}'!A{there}"
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=inside)
        cell.font = _font(color="0563C1", underline="single")


def rests_on(figure: Figure, lang: Lang) -> str:
    """Measured 80 %, estimated 20 %; the unchecked last and named."""
    if figure.value is None:
        return ""
    shares = figure.quality.shares()
    said = [
        f"{LABELS[name].say(lang)} {shares[name]:.0%}"
        for name in ("measured", "calculated", "declared", "estimated", "defaulted")
        if shares[name] > 0.0005
    ]
    if figure.unchecked:
        said.append(f"{words.UNCHECKED.say(lang)} {shares['recalled']:.1%}")
    return ("、" if lang == "zh" else ", ").join(said)


def _grid(book: _Book, sheet: Worksheet, row: int, grid: Grid) -> int:
    numbers = {
        column
        for column in range(1, len(grid.header) + 1)
        if any(isinstance(cells[column - 1], int | float) for cells in grid.rows)
    }
    _header(sheet, row, [text.say(book.lang) for text in grid.header], numbers)
    first, last = row + 1, row + len(grid.rows)
    for number, cells in enumerate(grid.rows):
        row += 1
        places = {"r": row, "first": first, "last": last, "before": row - 1}
        for column, value in enumerate(cells):
            cell = sheet.cell(row, column + 1)
            formula = grid.formulas.get((number, column))
            if formula is None:
                _put(sheet, row, column + 1, book.say(value))
            else:
                book.formula(sheet, row, column + 1, formula.format_map(places), value)
            if isinstance(value, float):
                cell.number_format = _format(value)
            cell.border = _LINE
            text = isinstance(value, str | Text)
            # What follows a column of numbers, which end at its edge, begins a little further on.
            after = 1 if text and column in numbers else 0
            cell.alignment = Alignment(
                wrap_text=text, vertical="top", horizontal="left" if after else None, indent=after
            )
            if (number, column) in grid.inputs:
                cell.fill = _INPUT
            if grid.total and number == len(grid.rows) - 1:
                cell.font, cell.border = _font(bold=True), _TOP
    widen(sheet, _grid_widths(book, grid))
    return row + 2


def _grid_widths(book: _Book, grid: Grid) -> list[float]:
    widths = []
    for column, title in enumerate(grid.header):
        texts = [
            str(book.say(row[column]) or "") for row in grid.rows[:200] if not isinstance(row[column], float)
        ]
        longest = max(
            [text_width(text) for text in texts] + [12.0, min(text_width(title.say(book.lang)), 24.0)]
        )
        widths.append(60.0 if column in grid.wide else min(longest + 2, 44.0))
    return widths


def _picture(book: _Book, sheet: Worksheet, row: int, chart: Chart) -> int:
    height = chart.scene(book.lang, _PICTURE).height
    sheet.add_image(_Png(to_png(chart, book.lang, _PICTURE), _PICTURE, int(height)), f"A{row}")
    sheet.cell(row, 1).value = chart.summary(book.lang)  # what the picture says, for who cannot see it
    sheet.cell(row, 1).font = _font(color="FFFFFF", size=1)
    return row + int(height / 20) + 2


def _calculation(book: _Book, calculation: Calculation) -> None:
    lang, lines = book.lang, calculation.lines
    sheet = book.sheet(_TITLES["calculation"])
    sheet["A1"] = _TITLES["calculation"].say(lang)
    sheet["A1"].font = _font(size=14, bold=True, color=_BRAND)
    if calculation.cut:
        left = Text(
            "{n} further rows are left out: `celadon explain` prints them.",
            "另有 {n} 行未列出，可用 celadon explain 查看。",
        )
        sheet["A2"] = left.say(lang, {"n": calculation.cut})
    titles = (
        words.QUANTITY, words.PLACE, Text("As published", "公布值"), Text("Published unit", "公布单位"), words.VALUE, words.UNIT,
        Text("Formula", "算式"), words.CLAUSE, words.SOURCE, words.CONFIDENCE, Text("Program's value", "程序结果"), Text("Check", "核对"),
    )  # fmt: skip
    _header(sheet, 3, [title.say(lang) for title in titles], numbers=(3, 5, 11, 12))
    keep_header(sheet, 3)
    sheet.sheet_properties.outlinePr = Outline(summaryBelow=False)  # a number stands above what it is made of
    for number, line in enumerate(lines):
        node, row = line.node, number + 4
        sheet.row_dimensions[row].outlineLevel = min(line.depth, 7)
        label = node.label.say(lang) if node.label.en else node.quantity
        _put(sheet, row, 1, ("↑ " if line.same_as is not None else "") + label).alignment = Alignment(
            indent=min(line.depth, 12)
        )
        _put(sheet, row, 2, " ".join(word for key, word in node.where.items() if key != "rows"))
        _calculated(book, sheet, row, line.formula, node.value, node.detail)
        _put(sheet, row, 6, node.unit)
        _put(sheet, row, 7, node.effective or node.formula)
        _put(sheet, row, 8, node.clause.say(lang) if node.clause else "")
        detail = node.detail
        place = f"{detail.get('table') or detail.get('file') or ''}:{detail.get('line', '')}".strip(":")
        _put(
            sheet,
            row,
            9,
            " · ".join(part for part in (titled(str(detail.get("source", ""))).say(lang), place) if part),
        )
        confidence = str(detail.get("confidence", ""))
        _put(
            sheet,
            row,
            10,
            words.CONFIDENCES[confidence].say(lang) if confidence in words.CONFIDENCES else confidence,
        )
        if confidence == "recalled":
            sheet.cell(row, 10).fill = _WARN
        if line.depth == 0:
            for column in range(1, 13):
                sheet.cell(row, column).font = _font(bold=True)
                sheet.cell(row, column).border = _TOP
    widen(sheet, (46, 34, 14, 16, 18, 14, 52, 44, 60, 18, 18, 12))


def _calculated(
    book: _Book, sheet: Worksheet, row: int, formula: str, value: float | None, detail: Mapping[str, object]
) -> None:
    """A row's value: a formula over other rows, a factor's printed value converted, or a constant that may be changed."""
    if value is None:
        _put(sheet, row, 5, words.ABSENT.say(book.lang)).font = _font(italic=True, color=_MUTED)
        return
    if "published_value" in detail:
        printed = str(detail["published_value"])
        number = _number(printed)
        _put(sheet, row, 3, printed if number is None else number)
        _put(sheet, row, 4, str(detail.get("published_unit", "")))
        if formula:
            sheet.cell(row, 3).fill = _INPUT
    if formula:
        text = re.sub(r"\{(\d+)\}", lambda found: f"E{int(found[1]) + 4}", formula).replace(
            "{published}", f"C{row}"
        )
        book.formula(sheet, row, 5, f"={text}", value)
        _put(sheet, row, 11, value).number_format = _format(value)
        book.formula(sheet, row, 12, f"=ROUND(E{row}-K{row},9)", 0.0)
    else:
        _put(sheet, row, 5, value).fill = _INPUT
    sheet.cell(row, 5).number_format = _format(value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _traces(book: _Book) -> None:
    """Of each trace id the command that prints it, its link where the console is known, and the digests it was made under.

    The last columns are for `celadon verify`: the question as words, and the value (`proof/reports.py` reads them)."""
    lang = book.lang
    sheet = book.sheet(_TITLES["traces"])
    sheet["A1"] = _TITLES["traces"].say(lang)
    sheet["A1"].font = _font(size=14, bold=True, color=_BRAND)
    titles = (
        words.TRACE, words.QUANTITY, words.PLACE, Text("Command", "命令"), Text("Console", "控制台"), words.RULEBOOK,
        Text("Digest of the rulebook", "规则册摘要"), words.FACTS, Text("Quantity asked", "查询指标"), words.PERIOD,
        Text("Place and keys", "对象（键）"), Text("Options", "选项"), words.VALUE, words.UNIT,
    )  # fmt: skip
    _header(sheet, 3, [title.say(lang) for title in titles], numbers=(13,))
    keep_header(sheet, 3)
    row = 3
    for figure in {figure.question.id: figure for figure in book.report.figures}.values():
        row += 1
        trace, question = figure.trace, figure.question
        link = book.report.address + question.path() if book.report.address else ""
        cells = (
            question.id, figure.label.say(lang), figure.place.say(lang), question.command(book.report.plant), link, question.rulebook,
            trace.rulebook_digest if trace else "", trace.facts_digest if trace else "", question.quantity, question.period,
            _as_json(question.where), _as_json(question.options),
        )  # fmt: skip
        for column, text in enumerate(cells, 1):
            _put(sheet, row, column, text)
        _figure_value(book, sheet, row, len(cells) + 1, figure)
        _put(sheet, row, len(cells) + 2, figure.unit)
        if link:
            sheet.cell(row, 5).hyperlink = link
    widen(sheet, (16, 34, 30, 90, 40, 24, 30, 30, 30, 12, 40, 24, 16, 14))


def _as_json(words_: Mapping[str, str]) -> str:
    return json.dumps(dict(words_), ensure_ascii=False)


def _format(value: Cell) -> str:
    """Thousands apart; as many decimals as the size of the value asks for."""
    if not isinstance(value, int | float) or value == 0:
        return "General"
    size = abs(value)
    if size >= 1000:
        return "#,##0"
    if size >= 10:
        return "#,##0.0"
    return "#,##0.000" if size >= 0.1 else "0.000000" if size >= 1e-4 else "0.00E+00"


# -- the file ----------------------------------------------------------------------------------------------------------

_EPOCH = (2000, 1, 1, 0, 0, 0)
_FORMULA_CELL = re.compile(r'<c r="([A-Z]+\d+)"([^>]*)><f>([^<]*)</f><v\s*/?>(?:</v>)?</c>')


def _finished(book: _Book) -> bytes:
    """The file with the values of its formulas in it, and without the time of writing."""
    workbook = book.workbook
    title = (
        f"{book.report.title.say(book.lang)} · {book.report.subject.say(book.lang)} · {book.report.period}"
    )
    workbook.properties.creator, workbook.properties.title = "Celadon", title
    workbook.properties.created = workbook.properties.modified = datetime(*_EPOCH)
    workbook.calculation.fullCalcOnLoad = True
    raw = io.BytesIO()
    workbook.save(raw)
    out = io.BytesIO()
    sheets = {f"xl/worksheets/sheet{number}.xml": name for number, name in enumerate(workbook.sheetnames, 1)}
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist(), key=lambda one: (one != "[Content_Types].xml", one)):
            data = source.read(name)
            if name in sheets:
                data = _with_values(data.decode(), book.values.get(sheets[name], {})).encode()
            elif name == "docProps/core.xml":
                data = re.sub(
                    rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>2000-01-01T00:00:00Z", data
                )
            target.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _with_values(sheet: str, values: Mapping[str, float]) -> str:
    def filled(found: re.Match[str]) -> str:
        value = values.get(found[1])
        shown = "" if value is None else f"<v>{value!r}</v>"
        return f'<c r="{found[1]}"{found[2]}><f>{found[3]}</f>{shown}</c>'

    return _FORMULA_CELL.sub(filled, sheet)
