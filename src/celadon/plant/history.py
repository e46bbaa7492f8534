"""History: everything that was ever said of a fact, by both clocks: when it applies, and when it was recorded.

The last word that counts is *in force*; earlier ones were *replaced*, and what the plant file excludes is *excluded*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.model import Excluded
from celadon.core.periods import Period
from celadon.core.text import Text
from celadon.plant.entry import Mark, manual_source, mark_of
from celadon.plant.opened import View
from celadon.plant.sources import superseded
from celadon.plant.workspace import Workspace
from celadon.store.rows import READING_COLUMNS, RECORD_COLUMNS, RECORD_KEY

METER_UNKNOWN = FindingKind(
    "history.no-such-meter",
    Severity.ERROR,
    Text(en="No readings of this meter", zh="没有该计量点的读数"),
    Text(en="Nothing was ever read for {meter}.", zh="从未载入 {meter} 的读数。"),
    Text(
        en="Write a meter of the plant file whose readings are loaded.",
        zh="请写工厂文件中已载入读数的计量点。",
    ),
)
IN_FORCE, REPLACED, EXCLUDED, WITHDRAWN = "in_force", "replaced", "excluded", "withdrawn"
_MOST = 2_000


@dataclass(frozen=True)
class Version:
    """One thing said of a fact. `status`: in_force, replaced, excluded or withdrawn (the row was taken out of its file)."""

    recorded_at: datetime
    batch: int
    file: str
    line: int
    value: float | None
    unit: str
    status: str
    mark: Mark | None = None
    """Who entered it, when that was by hand."""
    excluded: Excluded | None = None
    """The exclusion that holds, when there is one."""

    def to_json(self) -> dict[str, Any]:
        """Who and why only where they are known."""
        shape: dict[str, Any] = {
            "recorded_at": self.recorded_at.isoformat(), "batch": self.batch, "file": self.file, "line": self.line,
            "value": self.value, "unit": self.unit, "status": self.status,
            "entered": self.mark.to_json() if self.mark else None, "excluded": None,
        }  # fmt: skip
        if self.excluded is not None:
            shape["excluded"] = {
                "reason": self.excluded.reason,
                "by": self.excluded.by,
                "at": self.excluded.at,
            }
        return shape


@dataclass(frozen=True)
class Told:
    """A fact and its versions, oldest first. `start` and `end` are when it applies (UTC; the same of a reading at an instant)."""

    what: Mapping[str, str]
    start: datetime
    end: datetime
    versions: tuple[Version, ...] = field(default=())

    @property
    def current(self) -> Version | None:
        """The version that counts, None where none does."""
        return next((one for one in reversed(self.versions) if one.status == IN_FORCE), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "what": dict(self.what), "start": self.start.isoformat(), "end": self.end.isoformat(),
            "versions": [one.to_json() for one in self.versions],
        }  # fmt: skip


def of_records(work: Workspace, seen: View, period: Period | None = None, **words: str) -> list[Told]:
    """Records (of these words: quantity, item, site, process, note …) and every version of each, by their start."""
    bounds = (period.start, period.end) if period else (None, None)
    tests = [f'"{name}" = ?' for name in words]
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    sql = seen.snapshot.records_sql(*bounds, every=True)
    with seen.store.reading():
        rows = work.con.execute(
            f"SELECT * FROM ({sql}){where} ORDER BY start, quantity, item, batch, file, line LIMIT {_MOST}",
            list(words.values()),
        ).fetchall()
    reader = _Reader(work, seen)
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        record = dict(zip(RECORD_COLUMNS, row, strict=True))
        groups.setdefault(tuple(record[name] for name in RECORD_KEY), []).append(record)
    return [reader.record(group) for group in groups.values()]


def of_readings(work: Workspace, seen: View, meter: str, start: datetime, end: datetime) -> list[Told]:
    """The readings of a meter stamped in [start, end], and every version of each (the first two thousand).

    Raises:
        FindingError: nothing was ever read for it.
    """
    point = seen.snapshot.points().get(meter)
    if point is None:
        raise FindingError(METER_UNKNOWN.at(Place(subject=f"meter:{meter}"), meter=meter))
    sql = seen.snapshot.readings_sql([point], start, end + timedelta(microseconds=1), neighbours=0)
    with seen.store.reading():
        rows = work.con.execute(
            f"SELECT * FROM ({sql}) ORDER BY t, span, batch, file, line LIMIT {_MOST}"
        ).fetchall()
    reader = _Reader(work, seen)
    unit = next((item.unit for item in seen.model.meters if item.id == meter), "")
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        reading = dict(zip(READING_COLUMNS, row, strict=True))
        groups.setdefault((reading["t"], reading["span"]), []).append(reading)
    return [reader.reading(meter, unit, group) for group in groups.values()]


class _Reader:
    """Turns rows of one view into versions."""

    def __init__(self, work: Workspace, seen: View) -> None:
        self._con, self._seen = work.con, seen
        files = seen.snapshot.files()
        self._files = {file.id: file for file in files}
        self._gone = superseded(files)
        self._recorded = {batch.id: batch.recorded_at for batch in seen.snapshot.batches()}
        self._manual = manual_source(seen.model)[0]
        self._folder = Path(seen.model.file).parent

    def record(self, group: list[dict[str, Any]]) -> Told:
        first, last = (
            group[0],
            max(row["batch"] for row in group if row["file"] not in self._gone or len(group) == 1),
        )
        versions = []
        for row in group:
            excluded = self._excluded_record(row)
            gone = row["batch"] != last or row["file"] in self._gone
            status = (
                REPLACED
                if gone
                else WITHDRAWN
                if row["value"] is None
                else EXCLUDED
                if excluded
                else IN_FORCE
            )
            versions.append(
                self._version(row, row["unit"] or "", status, excluded if status == EXCLUDED else None)
            )
        words = {
            name: first[name]
            for name in ("quantity", "item", "purpose", "site", "process", "note")
            if first[name]
        }
        return Told(words, _utc(first["start"]), _utc(first["end"]), tuple(versions))

    def reading(self, meter: str, unit: str, group: list[dict[str, Any]]) -> Told:
        t = _utc(group[0]["t"])
        excluded = next(
            (x for x in self._seen.model.excluded if x.meter == meter and x.start <= t <= (x.end or x.start)),
            None,
        )
        counting = [row for row in group if row["file"] not in self._gone]
        versions = [
            self._version(
                row,
                unit,
                REPLACED if not counting or row is not counting[-1] else EXCLUDED if excluded else IN_FORCE,
                excluded if counting and row is counting[-1] else None,
            )
            for row in group
        ]
        return Told({"meter": meter}, t - timedelta(seconds=group[0]["span"]), t, tuple(versions))

    def _version(self, row: dict[str, Any], unit: str, status: str, excluded: Excluded | None) -> Version:
        file = self._files.get(row["file"])
        mark = None
        if file is not None and file.source_id == self._manual:
            mark = mark_of(self._folder / file.name, file.sha256, row["line"])
        return Version(
            self._recorded[row["batch"]], row["batch"], file.name if file else "?", row["line"], row["value"], unit, status, mark, excluded
        )  # fmt: skip

    def _excluded_record(self, row: dict[str, Any]) -> Excluded | None:
        return next((item for item in self._seen.model.excluded if item.quantity and _is(item, row)), None)


def _is(item: Excluded, row: Mapping[str, Any]) -> bool:
    """Whether an exclusion is of this record; as `excluding.condition` says in SQL."""
    words = ("quantity", "item", "purpose", "site", "process", "note", "value")
    same = all(getattr(item, name) in (None, row[name]) for name in words)
    return same and item.start == _utc(row["start"]) and (item.end is None or item.end == _utc(row["end"]))


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
