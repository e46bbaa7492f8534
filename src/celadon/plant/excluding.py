"""What the plant file excludes: leaving its records out, saying so with the account, showing it in a trace.

Excluded facts stay in the store; the plant file of each day says what counted that day, so that an earlier answer stays as
it was and taking an exclusion back brings the facts back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import Excluded
from celadon.core.periods import Period
from celadon.core.text import Text
from celadon.plant.opened import View

FACTS_EXCLUDED = FindingKind(
    "excluded.facts",
    Severity.NOTICE,
    Text(en="Facts that were declared not to count", zh="已声明不计入的数据"),
    Text(
        en="{count} {what} do not count: {reason} ({by}).",
        zh="{what}共 {count} 条不计入：{reason}（{by}）。",
    ),
    Text(
        en="Nothing; take the entry out of `excluded:` in the plant file and load to have them counted again.",
        zh="无需处理；如需重新计入，请从工厂文件 `excluded:` 中删除该项并加载。",
    ),
)
NOTHING_EXCLUDED = FindingKind(
    "excluded.nothing",
    Severity.WARNING,
    Text(en="Exclusion of nothing", zh="不计入项没有对应数据"),
    Text(
        en="There are no {what} that line {line} of the plant file could exclude.",
        zh="工厂文件第 {line} 行的不计入项没有对应的{what}。",
    ),
    Text(en="Correct its words and times, or remove it.", zh="请更正其内容与时间，或删除该项。"),
)
_WORDS = ("quantity", "item", "purpose", "site", "process", "note", "value")
_TICK = timedelta(microseconds=1)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def condition(item: Excluded) -> tuple[str, list[Any]]:
    """SQL with its parameters: whether a record is the one excluded."""
    given = [(name, getattr(item, name)) for name in _WORDS if getattr(item, name) is not None]
    tests = [f'"{name}" = ?' for name, _ in given] + ['"start" = ?']
    values = [value for _, value in given] + [_utc(item.start)]
    if item.end is not None:
        tests.append('"end" = ?')
        values.append(_utc(item.end))
    return "(" + " AND ".join(tests) + ")", values


def leave_out_records(con: duckdb.DuckDBPyConnection, excluded: Sequence[Excluded], table: str) -> None:
    """Delete what is excluded from a temporary table of records."""
    for item in excluded:
        if item.quantity is not None:
            sql, values = condition(item)
            con.execute(f"DELETE FROM {table} WHERE {sql}", values)


def what(item: Excluded) -> Text:
    """What an exclusion is about, in words."""
    if item.meter is not None:
        return Text(f"readings of {item.meter}", f"计量点 {item.meter} 的读数")
    words = " ".join(
        str(word) for word in (item.quantity, item.item, item.site, item.process, item.note) if word
    )
    return Text(f"records of {words}", f"台账 {words}")


def count(con: duckdb.DuckDBPyConnection, seen: View, item: Excluded) -> int:
    """How many readings or records of the view it leaves out."""
    if item.meter is None:
        test, values = condition(item)
        start = item.start.astimezone(UTC)
        sql = seen.snapshot.records_sql(start - _TICK, start + _TICK)
    else:
        point, values = seen.snapshot.points().get(item.meter), []
        if point is None:
            return 0
        test, end = "TRUE", item.end or item.start
        sql = seen.snapshot.readings_sql([point], item.start, end + _TICK, neighbours=0)
        sql = f"SELECT DISTINCT t, span FROM ({sql})"
    with seen.store.reading():
        return int(con.execute(f"SELECT count(*) FROM ({sql}) WHERE {test}", values).fetchall()[0][0])


def excluded_findings(con: duckdb.DuckDBPyConnection, seen: View, period: Period) -> Iterator[Finding]:
    """What the plant file excludes in `period`, and what it excludes in vain."""
    for item in seen.model.excluded:
        if not period.overlaps(item.start, (item.end or item.start) + _TICK):
            continue
        place = Place(item.where.file, line=item.where.line, subject=_subject(item))
        found = count(con, seen, item)
        if found:
            yield FACTS_EXCLUDED.at(place, count=found, what=what(item), reason=item.reason, by=signed(item))
        else:
            yield NOTHING_EXCLUDED.at(place, what=what(item), line=item.where.line or "?")


def signed(item: Excluded) -> str:
    """Who decided and when."""
    return ", ".join(word for word in (item.by, item.at) if word) or "—"


def _subject(item: Excluded) -> str:
    return f"meter:{item.meter}" if item.meter else f"record:{item.quantity}"


def trace_nodes(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    excluded: Sequence[Excluded],
    start: datetime,
    end: datetime,
    lang: str,
) -> Iterator[dict[str, Any]]:
    """A node of a trace for each of these exclusions in [start, end)."""
    for item in excluded:
        if item.start < end and (item.end or item.start) >= start:
            number = count(con, seen, item)
            if not number:
                continue
            unit = "条" if lang == "zh" else "readings" if item.meter else "records"
            yield {
                "kind": "excluded", "value": float(number), "unit": unit, "says": item.reason, "by": item.by, "decided": item.at,
                "file": item.where.file, "line": item.where.line,
            }  # fmt: skip
