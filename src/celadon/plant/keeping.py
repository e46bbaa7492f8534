"""What `load` keeps of the ledger: derived parts, and what deriving them found.

Findings about readings belong to (meter, month) like ledger parts. They are stored in batches of their own (`ledger`,
whose note is the batch they were derived at) and hold as long as no later batch touched those months, so nothing is ever
deleted or invalidated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, Severity
from celadon.core.periods import Period, parse_period
from celadon.core.same import Same
from celadon.plant.ledger import Deriver, digests, months_of, pieces, summed_meters, worth_deriving
from celadon.plant.opened import View
from celadon.store import Store
from celadon.store.rows import DECISION, RETAIN

_KIND = "ledger"
_ALL_KEPT = "kept"
"""Kind of the empty batch that ends a load: the ledger of every batch before it is stored."""
NO_FACTS = ("plant", _KIND, _ALL_KEPT, RETAIN, DECISION)
"""Kinds of batches that bring neither readings nor records."""
_OF_A_MOMENT = ("metering.silent", "metering.no-readings")
"""What is said of silence compares a meter with the others' data: never stored, always said anew from the facts."""


def keep_ledger(
    seen: View, con: duckdb.DuckDBPyConnection, progress: Callable[[float, str], None] | None = None
) -> tuple[int, list[Finding]]:
    """Derive and store the parts that are missing at `seen`, its store's newest snapshot; how many, and what was found.

    Where the last batch says that everything before it is kept, only what was touched since is looked at.
    """
    points = seen.snapshot.points()
    summed = {points[meter.id] for meter in summed_meters(seen.model) if meter.id in points}
    wanted = _not_kept(seen, summed)
    if not wanted:
        return 0, []
    digest = digests(seen.model, points, {point for point, _ in wanted})
    months = range(min(month for _, month in wanted), max(month for _, month in wanted) + 1)
    missing = set(seen.snapshot.ledger_parts(sorted({point for point, _ in wanted}), months, digest).missing)
    deriver, findings, stored = Deriver.of(con, seen), [], 0
    todo = list(pieces(worth_deriving(seen, sorted(missing.intersection(wanted)))))
    for number, piece in enumerate(todo):
        if progress:
            progress(number / len(todo), "")
        said = deriver.derived(piece, "kept_ledger")
        findings += said
        # Findings first: a kill between the two leaves parts to be derived again, never parts whose findings are lost.
        _keep_findings(seen.store, seen.snapshot.upto, said)
        if seen.store.add_ledger(
            con, "kept_ledger", snapshot=seen.snapshot, parts=piece.parts, digests=digest
        ):
            stored += len(piece.parts)
    if todo:
        with seen.store.begin(_ALL_KEPT, str(seen.snapshot.upto)) as pending:
            pending.commit()
    return stored, unique(findings)


def _not_kept(seen: View, summed: Collection[int]) -> list[tuple[int, int]]:
    """(point, month) of these points that may lack a stored part."""
    kept = [
        batch.id
        for batch in seen.store.batches()
        if batch.kind == _ALL_KEPT and batch.id <= seen.snapshot.upto
    ]
    if kept:
        return [(point, month) for point, month in seen.snapshot.touched_since(kept[-1]) if point in summed]
    ranges = seen.snapshot.stored_ranges(summed)
    return [(point, month) for point, (low, high) in ranges.items() for month in range(low, high + 1)]


def _keep_findings(store: Store, upto: int, findings: Iterable[Finding]) -> None:
    lasting = [item for item in findings if item.code not in _OF_A_MOMENT]
    if lasting:
        with store.begin(_KIND, str(upto)) as pending:
            pending.add_findings(lasting)
            pending.commit()


def stored_findings(seen: View, period: Period) -> list[Finding]:
    """What deriving stored parts found, as far as it concerns `period` and still holds for this view."""
    points, upto = seen.snapshot.points(), seen.snapshot.upto
    said: list[tuple[Finding, int, int, range]] = []
    for told in seen.store.told(period, (_KIND,)):
        if not told.note.isdigit():
            continue
        where = told.finding.where
        point = points.get((where.subject or "").removeprefix("meter:"))
        span = span_of(told.finding, seen.model.zone)
        if point is not None and span is not None and span.overlaps(period.start, period.end):
            said.append((told.finding, int(told.note), point, _months(where.period or "", seen.model.zone)))
    asked = {point for _, _, point, _ in said}, {month for *_, months in said for month in months}
    touched: dict[int, Mapping[tuple[int, int], int]] = {}
    for newest in {max(upto, derived_at) for _, derived_at, *_ in said}:
        newer = seen.snapshot if newest == upto else seen.store.snapshot(newest)
        touched[newest] = newer.touched_among(*asked)
    return unique(
        item
        for item, derived_at, point, months in said
        if all(
            touched[max(upto, derived_at)].get((point, month), 0) <= min(derived_at, upto) for month in months
        )
    )


def load_findings(seen: View, period: Period) -> Iterator[Finding]:
    """What reading files found (bad rows, unknown columns …) where it says a time inside `period`, or none.

    What was found in an earlier version of a file is told only as long as rows of it wait in quarantine.
    """
    stale, settled = _stale_batches(seen), _Settled.of(seen)
    for told in seen.store.told(period, None, omit=(_KIND, _ALL_KEPT)):
        if told.batch > seen.snapshot.upto or told.batch in stale:
            continue
        if settled.covers(told.batch, told.kind, told.finding):
            continue
        span = span_of(told.finding, seen.model.zone)
        if span is None or span.overlaps(period.start, period.end):
            yield told.finding


@dataclass(frozen=True)
class _Settled:
    """What was kept out and has been replayed or dismissed since: an error of which nothing waits any more is over."""

    kept_out: frozenset[tuple[int, str]] = frozenset()
    waiting: frozenset[tuple[int, str]] = frozenset()
    """(batch, code) of rows that wait."""
    waiting_in: frozenset[tuple[str, str]] = frozenset()
    """(file, code) of rows that wait."""

    @classmethod
    def of(cls, seen: View) -> _Settled:
        """As it is now; an earlier view has all its errors."""
        rows = seen.store.quarantine(None)
        if not rows or seen.snapshot.upto < seen.store.batches()[-1].id:
            return cls()
        marks = [(row, json.loads(row.text)) for row in rows]
        waiting = [(row, shape) for row, shape in marks if row.status == "open"]
        return cls(
            frozenset((row.batch, shape["code"]) for row, shape in marks),
            frozenset((row.batch, shape["code"]) for row, shape in waiting),
            frozenset((shape["file"], shape["code"]) for _, shape in waiting),
        )

    def covers(self, batch: int, kind: str, item: Finding) -> bool:
        """Whether an error is over: none of the rows it speaks of waits."""
        if item.severity is not Severity.ERROR:
            return False
        if kind == "replay":
            mine = {code for _, code in self.kept_out}
            return item.code in mine and (item.where.file or "", item.code) not in self.waiting_in
        return (batch, item.code) in self.kept_out and (batch, item.code) not in self.waiting


def _stale_batches(seen: View) -> set[int]:
    newest: dict[tuple[str, str], int] = {}
    files = seen.snapshot.files()
    for file in files:
        newest[file.source_id, file.name] = file.id
    old = {file.id: file.batch for file in files if newest[file.source_id, file.name] != file.id}
    waiting = {row.file_id for row in seen.store.quarantine("open")} if old else set()
    return {batch for file, batch in old.items() if file not in waiting}


def span_of(item: Finding, zone: str) -> Period | None:
    """The time a finding speaks of; None when it names none."""
    return _span(item.where.period, zone) if item.where.period else None


@lru_cache(maxsize=20_000)
def _span(text: str, zone: str) -> Period | None:
    try:
        return parse_period(text, zone)
    except FindingError:
        return None


@lru_cache(maxsize=20_000)
def _months(text: str, zone: str) -> range:
    """The UTC months that a span which findings name touches."""
    return months_of(parse_period(text, zone))


def unique(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once: adjoining pieces both tell of what spans their edge."""
    kept: dict[tuple[str, str, str], Finding] = {}
    for item in findings:
        kept.setdefault(_mark(Same(item)), item)
    return list(kept.values())


@lru_cache(maxsize=4_096)
def _mark(item: Same[Finding]) -> tuple[str, str, str]:
    """What tells a finding from others; stored ones come as the same objects again and again."""
    return item.item.code, str(item.item.where), item.item.says()
