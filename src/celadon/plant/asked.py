"""The period a question is about: as written, or all there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.periods import Period, parse_period, zone
from celadon.core.text import Text
from celadon.plant.opened import View
from celadon.plant.workspace import Workspace

NO_DATA = FindingKind(
    "account.no-data",
    Severity.ERROR,
    Text(en="Nothing is loaded", zh="没有数据"),
    Text(
        en="The store holds neither readings nor records, so there is no period to take.",
        zh="数据仓中没有读数和台账记录，无法确定期间。",
    ),
    Text(en="Load the plant's files, or give --period.", zh="请先载入工厂文件，或指定 --period。"),
)
_TICK = timedelta(microseconds=1)


def period_of(text: str | None, work: Workspace, seen: View) -> Period:
    """The period a user wrote, or everything there are readings for (else records), in whole local months.

    Raises:
        FindingError: it cannot be read; or none was written and the store is empty.
    """
    model = seen.model
    if text:
        return parse_period(text, model.zone)
    span = seen.snapshot.span() or _records_span(work, seen)
    if span is None:
        raise FindingError(NO_DATA.at(Place(file=model.file or None)))
    first, last = (moment.astimezone(zone(model.zone)) for moment in (span[0], max(span[0], span[1] - _TICK)))
    return parse_period(f"{first:%Y-%m}..{last:%Y-%m}", model.zone)


def _records_span(work: Workspace, seen: View) -> tuple[datetime, datetime] | None:
    sql = f'SELECT min(start), max("end") FROM ({seen.snapshot.records_sql()})'
    found = work.con.execute(sql).fetchall()[0]
    return None if found[0] is None else (found[0].replace(tzinfo=UTC), found[1].replace(tzinfo=UTC))
