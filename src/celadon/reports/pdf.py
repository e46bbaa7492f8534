"""A report as a typeset PDF: A4, tagged for screen readers, pictures as vectors; the same report gives the same bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import typst

from celadon.charts.chart import Chart
from celadon.charts.image import fonts
from celadon.charts.measure import text_width
from celadon.charts.scale import number
from celadon.core.text import Lang, Text
from celadon.reports import words
from celadon.reports.model import Cell, Figure, Figures, Grid, Note, Report, Section
from celadon.reports.xlsx import rests_on

_ROWS_PRINTED = 60
_SHORT = 11.0
"""Texts up to so many ems are never broken."""
_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_NAMES = {
    "quantity": words.QUANTITY, "place": words.PLACE, "value": words.VALUE, "unit": words.UNIT, "before": words.BEFORE,
    "change": words.CHANGE, "coverage": words.COVERAGE, "rests": words.RESTS_ON, "trace": words.TRACE,
    "page": Text("page", "页"), "contents": Text("Contents", "目录"),
}  # fmt: skip


def to_pdf(report: Report, lang: Lang) -> bytes:
    """The report as PDF in one language; what stays in the workbook is said."""
    document = {
        "lang": lang,
        "title": report.title.say(lang),
        "subtitle": report.title.say("en" if lang == "zh" else "zh"),
        "subject": report.subject.say(lang),
        "period": report.period,
        "facts": [[name.say(lang), value.say(lang)] for name, value in report.facts],
        "names": {name: text.say(lang) for name, text in _NAMES.items()},
        "sections": [_section(section, lang) for section in report.sections if section.printed],
    }
    source = files("celadon.reports").joinpath("report.typ").read_text("utf-8")
    return typst.compile(
        source.encode(),
        format="pdf",
        font_paths=fonts(),
        sys_inputs={"report": json.dumps(document, ensure_ascii=False)},
        timestamp=_TIME,
    )


def _section(section: Section, lang: Lang) -> dict[str, Any]:
    return {
        "title": section.title.say(lang),
        "text": section.text.say(lang) if section.text is not None else "",
        "blocks": [_block(block, lang) for block in section.blocks],
    }


def _block(block: Figures | Grid | Note | Chart, lang: Lang) -> dict[str, Any]:
    if isinstance(block, Note):
        return {"kind": "note", "text": block.text.say(lang), "warning": block.warning}
    if isinstance(block, Figures):
        return {"kind": "figures", "rows": [_figure(figure, lang) for figure in block.figures]}
    if isinstance(block, Chart):
        return {
            "kind": "picture",
            "svg": block.to_svg(lang, "print"),
            "alt": f"{block.title.say(lang)}. {block.summary(lang)}",
        }
    return _grid(block, lang)


def _figure(figure: Figure, lang: Lang) -> dict[str, Any]:
    change = ""
    if figure.value is not None and figure.before:
        change = f"{figure.value / figure.before - 1:+.1%}"
    return {
        "quantity": figure.label.say(lang),
        "place": figure.place.say(lang),
        "value": words.ABSENT.say(lang) if figure.value is None else number(figure.value, 6),
        "absent": figure.value is None,
        "unit": "" if figure.unit == "1" else figure.unit,
        "before": "" if figure.before is None else number(figure.before, 6),
        "change": change,
        "coverage": "" if figure.value is None else f"{figure.coverage:.1%}",
        "rests": rests_on(figure, lang),
        "unchecked": figure.unchecked,
        "trace": figure.question.id,
    }


def _grid(grid: Grid, lang: Lang) -> dict[str, Any]:
    shown = [place for place in range(len(grid.header)) if place not in grid.unprinted]
    rows = [tuple(row[place] for place in shown) for row in grid.rows]
    left = len(rows) - _ROWS_PRINTED
    if left > 0:
        rows = rows[:_ROWS_PRINTED]
    more = Text("{n} more rows are in the workbook.", "其余 {n} 行见工作簿。")
    return {
        "kind": "grid",
        "header": [grid.header[place].say(lang) for place in shown],
        "rows": [[_cell(cell, lang) for cell in row] for row in rows],
        "right": [any(isinstance(row[place], int | float) for row in rows) for place in range(len(shown))],
        "parts": [_part(grid, rows, index, place, lang) for index, place in enumerate(shown)],
        "total": grid.total and left <= 0,
        "more": more.say(lang, {"n": left}) if left > 0 else "",
    }


def _part(grid: Grid, rows: list[tuple[Cell, ...]], index: int, place: int, lang: Lang) -> float:
    """How much of the room that is left a column takes; 0 = as much as its text needs."""
    longest = max((text_width(_cell(row[index], lang), 1.0) for row in rows), default=0.0)
    return 2.4 if place in grid.wide and longest > _SHORT else 0.0 if longest <= _SHORT else 1.0


def _cell(cell: Cell, lang: Lang) -> str:
    if isinstance(cell, Text):
        return cell.say(lang)
    if isinstance(cell, float):
        return number(cell, 6)
    return "" if cell is None else str(cell)
