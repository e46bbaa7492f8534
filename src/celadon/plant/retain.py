"""`retain`: how much of the past stays tellable, and dropping replaced readings beyond that; see `store.retention`.

Before a reading goes, the ledger of its meter and month is derived with and without it: where they differ (the reading that
replaced it is one the meter's declaration leaves out), it stays.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.metering.intervals import derive
from celadon.plant.ledger import Deriver, Piece, summed_meters
from celadon.plant.loading import scratch_connection
from celadon.plant.opened import Opened, View, view
from celadon.plant.sources import superseded
from celadon.store import Segment, Store, month_label, retention
from celadon.store.retention import Replaced
from celadon.store.rows import RETAIN, instant_of, micros

SPAN_UNREADABLE = FindingKind(
    "retain.span-unreadable",
    Severity.ERROR,
    Text(en="Not a length of time", zh="时长无法识别"),
    Text(en="“{word}” is no length of time to keep history for.", zh="“{word}”不是可识别的保留时长。"),
    Text(en="Write 5y, 18mo or 90d.", zh="请写作 5y（年）、18mo（月）或 90d（日）。"),
)
_SPAN = re.compile(r"(\d{1,4})\s*(y|mo|d)")
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Retained:
    """What went, or (not `applied`) what would go."""

    keep: str | None
    since: datetime | None
    """Answers as of this instant (the horizon batch's) or later can be told; None = nothing would be given up."""
    applied: bool
    kept_since: datetime | None
    """The same as retention before this one has left it; None = all of history can be told."""
    months: tuple[tuple[str, int], ...]
    """(month, readings) that go."""
    held_back: int
    """Replaced readings that stay because the ledger would change without them."""

    @property
    def readings(self) -> int:
        return sum(count for _, count in self.months)

    def to_json(self) -> dict[str, Any]:
        """Shape `retain/1` without its findings."""
        return {
            "keep": self.keep, "since": self.since and self.since.isoformat(), "applied": self.applied,
            "kept_since": self.kept_since and self.kept_since.isoformat(), "readings": self.readings,
            "held_back": self.held_back, "months": [{"month": month, "readings": count} for month, count in self.months],
        }  # fmt: skip


def retain(
    opened: Opened,
    keep: str | None = None,
    progress: Progress | None = None,
    *,
    apply: bool = False,
    now: datetime | None = None,
) -> Retained:
    """Drop readings that were replaced longer than `keep` (`5y`, `18mo`, `90d`) ago; None keeps everything.

    Without `apply` nothing is changed. Every answer as of `now` − `keep` or later stays what it is; earlier ones are refused
    afterwards (`store.history-dropped`). Killed at any moment, it has dropped whole months, and the rest the next time.

    Raises:
        FindingError: `retain.span-unreadable`; there is no store, or it cannot be written.
    """
    since = None if keep is None else before(now or datetime.now(UTC), keep)
    with opened.open_store() as store:
        known = store.catalogue.horizon()
        kept_since = recorded(store, known)
        horizon = 0 if since is None else store.catalogue.batch_at(micros(since))
        if horizon == 0:
            return Retained(keep, None, apply, kept_since, (), 0)
        with store.lock() if apply else nullcontext():
            gone, held_back = _each(store, view(opened, store), horizon, progress, apply=apply)
        told = recorded(store, horizon) if gone else kept_since
        return Retained(keep, told, apply, kept_since, tuple(gone), held_back)


def _each(
    store: Store, seen: View, horizon: int, progress: Progress | None, *, apply: bool
) -> tuple[list[tuple[str, int]], int]:
    """Go through the months; what goes of each, and how many readings are held back."""
    files = seen.snapshot.files()
    months = list(retention.months(store.files, store.catalogue, horizon))
    gone: list[tuple[str, int]] = []
    held_back = 0
    with scratch_connection(store.path) as con:
        retention.declare(con, files, superseded(files))
        for done, (month, parts) in enumerate(months):
            if progress is not None:
                progress(done / len(months), month_label(month))
            found = retention.replaced_in(con, store.path, month, parts, horizon)
            needed = _needed(con, seen, found, horizon) if found.by_point else set()
            sure = {point: count for point, count in found.by_point.items() if point not in needed}
            held_back += found.readings - sum(sure.values())
            if not sure:
                continue
            found = replace(found, by_point=sure)
            if apply:
                if store.catalogue.horizon() < horizon:  # from here on earlier answers are refused
                    with store.begin(RETAIN, str(horizon)) as pending:
                        pending.commit()
                _drop(con, store, parts, found, horizon)
            gone.append((month_label(month), found.readings))
    return gone, held_back


def _drop(
    con: duckdb.DuckDBPyConnection, store: Store, parts: list[Segment], found: Replaced, horizon: int
) -> None:
    with store.rewriting() as (catalogue, staging, moment):
        retention.drop(con, store.path, catalogue, staging, parts, found, horizon, moment)


def _needed(con: duckdb.DuckDBPyConnection, seen: View, found: Replaced, horizon: int) -> set[int]:
    """The points whose ledger of that month would be another without the replaced readings."""
    ids = {name: point for name, point in seen.snapshot.points().items() if point in found.by_point}
    meters = [meter for meter in summed_meters(seen.model) if meter.id in ids]
    if not meters:
        return set()
    piece = Piece(frozenset(ids[meter.id] for meter in meters), found.month, found.month)
    window = piece.window
    # An exclusion may be taken back: what it leaves out is judged like all the rest.
    replace(Deriver.of(con, seen), left_out={}).readings(piece.points, window.start, window.end, "r_all")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE r_less AS SELECT * EXCLUDE (replaced) "
        f"FROM ({retention.marked('r_all', horizon)}) WHERE NOT replaced"
    )
    grid = seen.model.grid_seconds
    derive(con, "r_all", meters, ids, window, grid, "r_before", "r_events")
    derive(con, "r_less", meters, ids, window, grid, "r_after", "r_events")
    differing = "(FROM r_before EXCEPT ALL FROM r_after) UNION ALL (FROM r_after EXCEPT ALL FROM r_before)"
    rows = con.execute(f"SELECT DISTINCT point FROM ({differing})").fetchall()
    return {int(row[0]) for row in rows}


def recorded(store: Store, batch: int) -> datetime | None:
    """When a batch was recorded; None for no batch."""
    recorded = store.catalogue.recorded_at(batch) if batch else None
    return None if recorded is None else instant_of(recorded)


def before(now: datetime, span: str) -> datetime:
    """`now` less a length of time; calendar months and years, at most to the month's last day."""
    found = _SPAN.fullmatch(span.strip().lower())
    if found is None:
        raise FindingError(SPAN_UNREADABLE.at(Place(), word=span))
    count = int(found[1])
    if found[2] == "d":
        return now - timedelta(days=count)
    months = now.year * 12 + now.month - 1 - count * (12 if found[2] == "y" else 1)
    if months < 12 * 1970:  # before anything can have been recorded
        return datetime(1970, 1, 1, tzinfo=UTC)
    year, month = divmod(months, 12)
    day = min(now.day, monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)
