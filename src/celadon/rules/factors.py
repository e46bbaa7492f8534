"""Dated, cited factor tables from CSV, as published.

A row has keys, values with their units, the span it applies to, the day it was published, and where it stands.
A blank value is a known gap. Of two rows for one key on one day the later published holds; without a later one they are a
Finding, never a choice.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Findings, Place, Severity
from celadon.core.periods import Validity
from celadon.core.text import Text, text_of
from celadon.core.units import UnitError, nearest, parse_unit

TABLE_UNREADABLE = FindingKind(
    "factor-table.unreadable",
    Severity.ERROR,
    Text(en="Factor table cannot be read", zh="因子表无法读取"),
    Text(en="The table cannot be used: {why}.", zh="因子表不可用：{why}。"),
    Text(
        en="Correct the file: UTF-8 CSV with one header row.", zh="请更正文件：UTF-8 编码、单行表头的 CSV。"
    ),
)
TABLE_COLUMN = FindingKind(
    "factor-table.column",
    Severity.ERROR,
    Text(en="Column missing or misspelt", zh="列缺失或拼写错误"),
    Text(en="Table {table}: {why}.", zh="因子表 {table}：{why}。"),
    Text(
        en="Every table has valid_from, valid_to, source, clause and confidence.",
        zh="每张表须有 valid_from、valid_to、source、clause、confidence 列。",
    ),
)
TABLE_VALUE = FindingKind(
    "factor-table.value",
    Severity.ERROR,
    Text(en="Value cannot be read", zh="数值无法识别"),
    Text(
        en="“{value}” in column {column} is no {expected}.", zh="{column} 列的“{value}”不是有效的{expected}。"
    ),
    Text(
        en="Correct the cell; leave it blank if the value is not known.",
        zh="请更正该单元格；数值未知时留空。",
    ),
)
TABLE_OVERLAP = FindingKind(
    "factor-table.overlap",
    Severity.ERROR,
    Text(en="Two rows for one key on one day", zh="同一键同一日期存在两行"),
    Text(
        en="{key} has two rows that hold at once: line {first} ({first_span}) and line {second} ({second_span}).",
        zh="{key} 有两行同时有效：第 {first} 行（{first_span}）与第 {second} 行（{second_span}）。",
    ),
    Text(
        en="Give the row that is to hold a later `published`; or give the rows a key that tells them apart.",
        zh="请为应生效的一行写较晚的 `published`；或增加能区分两行的键。",
    ),
)
TABLE_GAP = FindingKind(
    "factor-table.gap",
    Severity.WARNING,
    Text(en="Days without a row", zh="日期缺口"),
    Text(
        en="{key} has no row from {start} to {end}, between lines {first} and {second}.",
        zh="{key} 自 {start} 至 {end} 无有效行（第 {first} 行与第 {second} 行之间）。",
    ),
    Text(
        en="Add the missing row; an account in the gap has no factor.",
        zh="请补充缺失行；缺口期间的核算没有因子。",
    ),
)

MAX_ROWS = 100_000
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{0,30})?([eE][+-]?\d{1,2}|/\d{1,30})?\Z", re.ASCII)
CONFIDENCES = ("official", "verified2", "verified1", "recalled", "declared")
STANDARD_COLUMNS = ("valid_from", "valid_to", "published", "source", "clause", "confidence", "note")
_PERCENTAGE = re.compile(r"\d+(\.\d+)?\s*%")
REQUIRED_COLUMNS = ("valid_from", "valid_to", "source", "clause", "confidence")


@dataclass(frozen=True, eq=False)
class FactorRow:
    """One row as published; `cells` holds every cell by column name."""

    table: str
    line: int
    columns: tuple[str, ...]
    values: tuple[str, ...]
    validity: Validity
    published: date | None
    confidence: str

    @cached_property
    def cells(self) -> Mapping[str, str]:
        """Cell by column; made when first asked for, since most rows of a large table never are."""
        return dict(zip(self.columns, self.values, strict=True))

    @property
    def source(self) -> str:
        return self.cells.get("source", "")

    @property
    def clause(self) -> str:
        return self.cells.get("clause", "")

    @property
    def note(self) -> str:
        return self.cells.get("note", "")

    def value(self, column: str) -> Fraction | None:
        """The exact value; None is a known gap."""
        text = self.cells.get(column, "").strip()
        if text and not _NUMBER.match(text):
            raise ValueError(text[:80])  # Fraction would work out 1e999999999
        return Fraction(text) if text else None

    def uncertainty(self, column: str) -> float | None:
        """Half-width at 95 % as a share of the value, where the table prints one: `<column>_uncertainty`, else
        `uncertainty`, as `5%`."""
        text = self.cells.get(f"{column}_uncertainty") or self.cells.get("uncertainty") or ""
        return float(Fraction(text[:-1].strip()) / 100) if _PERCENTAGE.fullmatch(text) else None

    def unit(self, column: str) -> str:
        """The unit printed for a column: `<column>_unit`, else `unit`."""
        return self.cells.get(f"{column}_unit") or self.cells.get("unit") or "1"


@dataclass(frozen=True, slots=True)
class FactorTable:
    """One CSV as published."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[FactorRow, ...]
    file: str

    def matching(self, wanted: Mapping[str, str]) -> Iterator[FactorRow]:
        """Rows whose key cells equal `wanted`."""
        if not wanted.keys() <= set(self.columns):
            return
        cells = [(self.columns.index(column), value) for column, value in wanted.items()]
        for row in self.rows:
            if all(row.values[place] == value for place, value in cells):
                yield row

    def words(self, columns: Sequence[str]) -> Callable[[FactorRow], tuple[str, ...]]:
        """What reads a row's cells in these columns; blank where the table has no such column."""
        places = [self.columns.index(column) if column in self.columns else None for column in columns]
        return lambda row: tuple(["" if place is None else row.values[place] for place in places])


def read_table(name: str, text: str, file: str, findings: Findings) -> FactorTable:
    """Read one table; what is wrong becomes Findings and the row is left out."""
    columns, rows, found = _read(name, text, MAX_ROWS)
    findings.extend(replace(item, where=replace(item.where, file=file)) for item in found)
    return FactorTable(name, columns, rows, file)


@lru_cache(maxsize=256)
def _read(
    name: str, text: str, most: int
) -> tuple[tuple[str, ...], tuple[FactorRow, ...], tuple[Finding, ...]]:
    """Columns, at most so many rows and what is wrong, in no file: rulebooks that hold the same table share its rows."""
    findings = Findings()
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    columns: tuple[str, ...] = ()
    rows: list[FactorRow] = []
    try:
        columns = tuple(cell.strip() for cell in next(reader, []))
        rows = _read_rows(name, columns, reader, most, findings)
    except csv.Error as error:
        findings.add(TABLE_UNREADABLE.at(Place(line=reader.line_num), why=text_of(error)))
        columns, rows = (), []
    return columns, tuple(rows), tuple(findings)


def _read_rows(
    name: str, columns: tuple[str, ...], reader: Any, most: int, findings: Findings
) -> list[FactorRow]:
    if not columns or len(set(columns)) != len(columns):
        why = Text("the header is empty or names a column twice", "表头为空或列名重复")
        findings.add(TABLE_UNREADABLE.at(Place(line=1), why=why))
        return []
    _check_header(name, columns, findings)
    rows: list[FactorRow] = []
    known_of = itemgetter(
        *(
            columns.index(name) if name in columns else len(columns)
            for name in ("valid_from", "valid_to", "published", "confidence")
        )
    )
    for cells in reader:
        line = reader.line_num
        if len(rows) >= most:
            why = Text(f"more than {most} rows", f"超过 {most} 行")
            findings.add(TABLE_UNREADABLE.at(Place(line=line), why=why))
            break
        values = tuple(map(str.strip, cells))
        if not any(values):
            continue
        if len(values) != len(columns):
            why = Text(
                f"line {line} has {len(values)} cells, the header has {len(columns)}",
                f"第 {line} 行有 {len(values)} 个单元格，表头有 {len(columns)} 个",
            )
            findings.add(TABLE_UNREADABLE.at(Place(line=line), why=why))
            continue
        words = known_of((*values, ""))
        known = _known(*words)
        if known is None:
            _bad_cell(line, words, findings)
        else:
            rows.append(FactorRow(name, line, columns, values, *known))
    return rows


@lru_cache(maxsize=4096)
def _known(
    since: str, until: str, published: str, confidence: str
) -> tuple[Validity, date | None, str] | None:
    """When a row holds, when it was published and how sure it is; None where one of these cannot be read."""
    try:
        validity = Validity(day(since), day(until, closing=True))
        return (validity, day(published), confidence) if confidence in CONFIDENCES else None
    except (ValueError, OverflowError):
        return None


def _bad_cell(line: int, words: tuple[str, ...], findings: Findings) -> None:
    """A Finding for the first of a row's days or its confidence that cannot be read."""
    for column, text in zip(("valid_from", "valid_to", "published"), words, strict=False):
        try:
            day(text, closing=column == "valid_to")
        except (ValueError, OverflowError):
            where = Place(line=line, column=column)
            findings.add(TABLE_VALUE.at(where, value=text, column=column, expected=Text("date", "日期")))
            return
    where, expected = Place(line=line, column="confidence"), " / ".join(CONFIDENCES)
    findings.add(TABLE_VALUE.at(where, value=words[3], column="confidence", expected=expected))


def _check_header(name: str, columns: tuple[str, ...], findings: Findings) -> None:
    for column in REQUIRED_COLUMNS:
        if column not in columns:
            findings.add(
                TABLE_COLUMN.at(
                    Place(line=1, column=column),
                    table=name,
                    why=Text(f"column {column} is missing", f"缺少列 {column}"),
                )
            )
    missing = [column for column in STANDARD_COLUMNS if column not in columns]
    for column in columns:
        if column in STANDARD_COLUMNS or "_" not in column:
            continue
        near = nearest(column, missing)
        if near and near == nearest(column, STANDARD_COLUMNS):
            why = Text(f"column {column} (did you mean “{near}”?)", f"列 {column}（是否指“{near}”？）")
            findings.add(TABLE_COLUMN.at(Place(line=1, column=column), table=name, why=why))


@lru_cache(maxsize=4096)
def day(text: str, closing: bool = False) -> date | None:
    """Read `2024-04-12`, `2024-04` or `2024` (first day, or the last when `closing`); blank is None."""
    text = text.strip()
    if not text:
        return None
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 3:
        return date(*parts)
    if len(parts) > 3:
        raise ValueError(text)
    year, month = parts[0], parts[1] if len(parts) == 2 else (12 if closing else 1)
    if not closing:
        return date(year, month, 1)
    if not 1 <= month <= 12:
        raise ValueError(text)
    following = date(year + month // 12, month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def check_table(
    table: FactorTable, keys: tuple[str, ...], columns: tuple[str, ...], findings: Findings
) -> None:
    """Values and units are readable; no two rows of one key hold at once; gaps inside a key's span are told."""
    groups: dict[tuple[str, ...], list[FactorRow]] = {}
    for row in table.rows:
        for column in columns:
            _check_value(table, row, column, findings)
            _check_uncertainty(table, row, column, findings)
        groups.setdefault(tuple(row.cells.get(column, "") for column in keys), []).append(row)
    for key, rows in groups.items():
        label = ", ".join(f"{column}={value}" for column, value in zip(keys, key, strict=True)) or table.name
        _check_spans(table, label, rows, findings)


def _check_value(table: FactorTable, row: FactorRow, column: str, findings: Findings) -> None:
    try:
        row.value(column)
    except (ValueError, ZeroDivisionError):
        findings.add(
            TABLE_VALUE.at(
                Place(file=table.file, line=row.line, column=column),
                value=row.cells.get(column, ""),
                column=column,
                expected=Text("number", "数字"),
            )
        )
    try:
        parse_unit(row.unit(column))
    except UnitError:
        findings.add(
            TABLE_VALUE.at(
                Place(file=table.file, line=row.line, column=column),
                value=row.unit(column),
                column=column,
                expected=Text("unit", "单位"),
            )
        )


def _check_uncertainty(table: FactorTable, row: FactorRow, column: str, findings: Findings) -> None:
    name = f"{column}_uncertainty" if row.cells.get(f"{column}_uncertainty") else "uncertainty"
    text = row.cells.get(name, "")
    if text and not _PERCENTAGE.fullmatch(text):
        where = Place(file=table.file, line=row.line, column=name)
        expected = Text("percentage such as 5%", "百分数（如 5%）")
        findings.add(TABLE_VALUE.at(where, value=text, column=name, expected=expected))


def _check_spans(table: FactorTable, label: str, rows: list[FactorRow], findings: Findings) -> None:
    """Rows of one key, in the order they begin: overlapping ones need different days of publication; days that no row
    covers are told."""
    furthest: FactorRow | None = None
    latest: dict[date | None, FactorRow] = {}
    for row in sorted(rows, key=lambda row: row.validity.since or date.min):
        rivals = latest.values() if row.published is None else (latest.get(row.published), latest.get(None))
        for other in rivals:
            if other is not None and other.validity.overlaps(row.validity):
                findings.add(_overlap(table, label, other, row))
                break
        if furthest is not None:
            _check_gap(table, label, furthest, row, findings)
        furthest = _longer(furthest, row)
        latest[row.published] = _longer(latest.get(row.published), row)


def _longer(first: FactorRow | None, second: FactorRow) -> FactorRow:
    """Whichever holds longer."""
    if first is None:
        return second
    return first if (first.validity.until or date.max) > (second.validity.until or date.max) else second


def _overlap(table: FactorTable, label: str, first: FactorRow, second: FactorRow) -> Finding:
    return TABLE_OVERLAP.at(
        Place(file=table.file, line=second.line),
        key=label,
        first=first.line,
        first_span=str(first.validity),
        second=second.line,
        second_span=str(second.validity),
    )


def _check_gap(
    table: FactorTable, label: str, first: FactorRow, second: FactorRow, findings: Findings
) -> None:
    end, start = first.validity.until, second.validity.since
    if end and start and (start - end).days > 1:
        findings.add(
            TABLE_GAP.at(
                Place(file=table.file, line=second.line),
                key=label,
                first=first.line,
                second=second.line,
                start=date.fromordinal(end.toordinal() + 1),
                end=date.fromordinal(start.toordinal() - 1),
            )
        )
