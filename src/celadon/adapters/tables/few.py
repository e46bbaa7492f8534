"""The rows of a small, plain file of readings in Python: planning the statements that judge any file takes ten times longer.

Only what no rule could object to is read here: a column of meters, ASCII throughout, nothing quoted, every time in one form and
on an hour that the clock neither skips nor repeats, every number plain. Anything else is None, and the whole file goes the
general way, so that there is one judge of what is wrong with a row. Tests read files both ways.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from celadon.adapters.tables.numbers import NumberForm
from celadon.adapters.tables.points import Layout, Point, attributes, names_of
from celadon.adapters.tables.staging import Context
from celadon.adapters.tables.table import Table
from celadon.adapters.tables.times import clock

Reading = tuple[int, datetime, int, float, int, int, int]
"""A row of READING_COLUMNS."""
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_SLACK = timedelta(minutes=5)
"""How far a clock may be ahead of ours, as for all files."""


def few_rows(
    table: Table, layout: Layout, context: Context, points: Mapping[str, Point]
) -> list[Reading] | None:
    """The file's readings in its order; None where the general way must look at it."""
    if not _is_plain(table, layout, context, points):
        return None
    names = {word: points[meter].id for word, meter in names_of(points, context.source).items()}
    missing, form = set(context.source.missing), table.time_guess or ""
    time, meter, value = layout.time[0] - 1, layout.meter - 1, layout.columns[0].index - 1
    found: list[tuple[int, datetime, float, int]] = []
    for line, cells in table.sample:
        if line < table.header.data_line or cells == [""]:
            continue
        if len(cells) != table.header.width:
            return None
        point, number = names.get(cells[meter]), cells[value]
        if point is None or number in missing or not _NUMBER.fullmatch(number):
            return None
        found.append((point, datetime.strptime(cells[time], form), float(number), line))
    return _in_utc(found, context)


def _is_plain(table: Table, layout: Layout, context: Context, points: Mapping[str, Point]) -> bool:
    """Whether the file and what it is read into are of the kind that is read here."""
    return (
        table.plain
        and layout.long
        and not layout.unit
        and len(layout.time) == 1
        and context.times(table).only_fast
        and context.numbers == NumberForm()
        and all(
            attributes(point, layout.columns[0].unit) == (point.id, False, 0, 0, False, None)
            for point in points.values()
        )
    )


def _in_utc(found: list[tuple[int, datetime, float, int]], context: Context) -> list[Reading] | None:
    """The rows in UTC; None without any, with a time that is suspicious, or near a change of the clock."""
    times = [row[1] for row in found]
    latest = (context.now + timedelta(days=366)).strftime("%Y-%m-%d")
    if not times or min(times) < datetime(1970, 1, 2) or max(times) >= datetime.fromisoformat(latest):
        return None
    local = clock(context.zone_name, min(times), max(times))
    offset = timedelta(seconds=local.first)
    if local.changes or max(times) - offset > context.now.astimezone(UTC).replace(tzinfo=None) + _SLACK:
        return None
    return [
        (point, time - offset, 0, value, context.file_id, line, context.batch)
        for point, time, value, line in found
    ]
