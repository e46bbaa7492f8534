"""Reports that were filed: which there are, and whether the figures that a workbook states follow from the filing's own facts.

A workbook of `celadon report` says on its last sheet, row by row, which question each figure answers, and its value (columns
below). A PDF states the same figures in print: it is bound to the filing by its digest alone.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import ParseError

import duckdb
import openpyxl

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, Place
from celadon.core.quantities import SPACES, Space
from celadon.core.text import Text
from celadon.engine.run import Row, run
from celadon.proof import faults
from celadon.proof.opening import Filed
from celadon.proof.payload import REPORT
from celadon.proof.verifier import Bag

TRACE, RULEBOOK, ASKED = 1, 6, 9
"""Columns of a workbook's last sheet: trace id, rulebook, and from ASKED on: quantity, period, place and keys (JSON), options
(JSON), value, unit."""
_TRACE_ID = re.compile(r"T-[0-9a-f]{10}")
_MOST = 256 << 20
"""Bytes that a workbook may unpack to."""
_PLACES = ("site", "process", "meter")
_NOT_A_WORKBOOK = (
    zipfile.BadZipFile,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    EOFError,
)


@dataclass(frozen=True)
class Stated:
    """A figure of a workbook: the question it answers and what it says; None is absent."""

    rulebook: str
    quantity: str
    period: str
    where: Mapping[str, str]
    options: Mapping[str, str]
    value: float | None
    unit: str


@dataclass(frozen=True)
class FiledReport:
    """A report in a filing. `equal`, `different`: figures computed anew; `other`: those of other rulebooks, periods or finer places,
    which this filing cannot answer; all None where the file states no figures that can be read."""

    file: str
    sha256: str
    equal: int | None = None
    different: int | None = None
    other: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file, "sha256": self.sha256, "equal": self.equal, "different": self.different, "other": self.other,
        }  # fmt: skip


def paths(bag: Bag) -> list[str]:
    """The reports of a package, by their paths."""
    return sorted(path for path in bag.items if path.startswith(f"{REPORT}/"))


def stated(content: bytes) -> list[Stated] | None:
    """The figures of a workbook, as its last sheet lists them; None where it is no such workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(item.file_size for item in archive.infolist()) > _MOST:
                return None
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows = book[book.sheetnames[-1]].iter_rows(values_only=True)
        return [_stated(row) for row in rows if _TRACE_ID.fullmatch(str(row[TRACE - 1]))]
    except _NOT_A_WORKBOOK:
        return None


def _stated(row: tuple[Any, ...]) -> Stated:
    quantity, period, where, options, value, unit = row[ASKED - 1 : ASKED + 5]
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return Stated(
        str(row[RULEBOOK - 1]), str(quantity), str(period), dict(json.loads(where)), dict(json.loads(options)),
        float(value) if known else None, str(unit or ""),
    )  # fmt: skip


def checked(
    bag: Bag, con: duckdb.DuckDBPyConnection, filed: Filed, name: str, close: float
) -> tuple[list[FiledReport], list[Finding]]:
    """Every report of a package, with the figures of workbooks computed anew; what differs is a finding.

    `close`: the share by which two engines' sums may differ."""
    reports, found = [], []
    for path in paths(bag):
        file, digest = path.removeprefix(f"{REPORT}/"), bag.sha256(path)
        told = stated(bag.read(path)) if file.lower().endswith(".xlsx") else None
        if not told:
            reports.append(FiledReport(file, digest))
            continue
        fitting = [one for one in told if _fits(one, filed)]
        wrong = list(_wrong(con, filed, fitting, close))
        found += [_differs(one, computed, file, name) for one, computed in wrong]
        reports.append(
            FiledReport(file, digest, len(fitting) - len(wrong), len(wrong), len(told) - len(fitting))
        )
    return reports, found


def _space(one: Stated) -> Space:
    return max((SPACES[place] for place in _PLACES if place in one.where), default=Space.ENTERPRISE)


def _fits(one: Stated, filed: Filed) -> bool:
    """Whether the filed facts and rulebook answer the question."""
    options = filed.asked.options
    return (
        one.rulebook == filed.book.id
        and one.period == str(filed.request["period"])
        and all(options.get(name) == choice for name, choice in one.options.items())
        and _space(one) <= filed.grain[0]
    )


def _wrong(
    con: duckdb.DuckDBPyConnection, filed: Filed, told: Iterable[Stated], close: float
) -> Iterable[tuple[Stated, float | None]]:
    """The figures that come out otherwise, with what they come to."""
    spaces: dict[Space, list[Stated]] = {}
    for one in told:
        spaces.setdefault(_space(one), []).append(one)
    for space, some in spaces.items():
        known = {*filed.book.rules, *filed.book.facts}
        wanted = tuple(dict.fromkeys(one.quantity for one in some if one.quantity in known))
        asked = replace(filed.asked, space=space, time=None, wanted=wanted)
        rows = run(con, filed.book, filed.model, asked, facts="filed_facts").rows if wanted else ()
        for one in some:
            row = next((row for row in rows if _is(one, row)), None)
            computed = row.value if row is not None else None
            same_unit = row is None or row.unit == one.unit
            if not (same_unit and _same(one.value, computed, close)):
                yield one, computed


def _is(one: Stated, row: Row) -> bool:
    item = next(
        (word for key, word in one.where.items() if key not in (*_PLACES, "purpose", "enterprise")), ""
    )
    places = all(getattr(row, place) == one.where.get(place, "") for place in _PLACES)
    return places and (row.quantity, row.item, row.purpose) == (
        one.quantity,
        item,
        one.where.get("purpose", ""),
    )


def _same(stated: float | None, computed: float | None, close: float) -> bool:
    if stated is None or computed is None:
        return stated is computed
    return abs(stated - computed) <= close * max(abs(stated), abs(computed))


def _differs(one: Stated, computed: float | None, file: str, name: str) -> Finding:
    absent = Text("absent", "缺失")
    return faults.REPORT_DIFFERS.at(
        Place(file=name, subject=file, period=one.period),
        report=file,
        quantity=" ".join((one.quantity, *one.where.values())),
        period=one.period,
        stated=absent if one.value is None else repr(one.value),
        computed=absent if computed is None else repr(computed),
        unit=one.unit,
    )
