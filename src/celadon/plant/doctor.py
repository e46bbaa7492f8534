"""`doctor`: what is wrong with a plant's store, what that means for answers, and mending what is safe to mend."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Findings, Place, Severity
from celadon.core.text import Text
from celadon.plant.ledger import Deriver, Piece, digests, pieces, worth_deriving
from celadon.plant.loading import scratch_connection
from celadon.plant.opened import View, decoded, open_file
from celadon.store import LedgerPart, LedgerParts, Store, kept, month_label, month_start
from celadon.store import doctor as stores
from celadon.store.sqlite import NAME

LEDGER_DIFFERS = FindingKind(
    "doctor.ledger-differs",
    Severity.ERROR,
    Text(en="Stored ledger is not what the readings give", zh="已存台账与读数不符"),
    Text(
        en="The stored ledger of {meter} differs from what its readings give in {months}.",
        zh="{meter} 在 {months} 的已存台账与由读数推导的结果不同。",
    ),
    Text(
        en="`celadon doctor --repair` derives it again; please report it, as it is a fault of the program or of the disk.",
        zh="`celadon doctor --repair` 可重新推导；请反馈此问题，这是程序或磁盘的故障。",
    ),
)
_SAMPLE = 48
"""Stored parts (meter, month) compared with a fresh derivation unless all are."""
_SHOWN = 6
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Diagnosis:
    """What was looked at, what was mended, and what is wrong still."""

    store: Path
    batches: int
    segments: int
    ledger_stored: int
    ledger_compared: int
    mended: stores.Mended | None
    ledger_derived: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not Findings(list(self.findings)).errors

    def to_json(self) -> dict[str, Any]:
        """Shape `doctor/1` without its findings."""
        mended = self.mended and {
            "removed": self.mended.removed, "segments_put_back": self.mended.put_back,
            "ledger_segments_dropped": self.mended.ledger_dropped, "ledger_parts_derived": self.ledger_derived,
        }  # fmt: skip
        return {
            "ok": self.ok, "store": str(self.store), "batches": self.batches, "segments": self.segments,
            "ledger_parts": self.ledger_stored, "ledger_parts_compared": self.ledger_compared, "mended": mended,
        }  # fmt: skip


def examine(
    path: str | Path,
    progress: Progress | None = None,
    *,
    deep: bool = False,
    repair: bool = False,
    backup: str | Path | None = None,
) -> Diagnosis:
    """Look at the store in the folder `path`, or that of the plant at `path`.

    A sample of the stored ledger is derived anew and compared, with `deep` all of it. `repair` removes what belongs to no batch,
    derives damaged ledger again and, with `backup`, puts damaged segments back; facts are never removed.

    Raises:
        FindingError: there is no store or plant, or `backup` is none.
    """
    with open_store(Path(path)) as store:
        found, compared, stored, bad = _look(store, progress, deep)
        mended, derived = None, 0
        if repair and not any(item.code == "store.catalogue-damaged" for item in found):
            mended = stores.repair(store, None if backup is None else Path(backup).absolute())
            store.give_up_ledger(parts=bad)
            derived = _derive_missing(store)
            found, compared, stored, _ = _look(store, progress, deep)
        (segments,) = store.catalogue.rows("SELECT count(*) FROM segment WHERE retired_at IS NULL")[0]
        batches = len(store.batches())
        return Diagnosis(store.path, batches, segments, stored, compared, mended, derived, tuple(found))


def open_store(path: Path) -> Store:
    """The store in the folder `path`, or that of the plant at `path`."""
    alone = (path / NAME).exists() or (path / kept.NAME).exists()
    return Store.open(path) if alone else open_file(path).open_store()


def _look(
    store: Store, progress: Progress | None, deep: bool
) -> tuple[list[Finding], int, int, set[tuple[int, int]]]:
    """Findings, ledger parts compared and stored, and those that differ."""
    share = 0.5 if deep else 0.9

    def step(done: int, total: int) -> None:
        if progress is not None:
            progress(share * done / max(total, 1), f"{done}/{total}")

    found = stores.examine(store, step, deep=deep).findings
    seen = None if any(item.code == "store.catalogue-damaged" for item in found) else _view(store)
    if seen is None:
        return found, 0, 0, set()
    stored = _stored(seen)
    chosen = stored if deep else stored[:: max(1, len(stored) // _SAMPLE)]
    bad: set[tuple[int, int]] = set()
    done = compared = 0
    with scratch_connection(store.path) as con:
        for count, differing in _compared(con, seen, chosen):
            done += count
            if differing is not None:
                compared += count
                bad |= differing
            if progress is not None:
                progress(share + (1 - share) * done / len(chosen), f"{done}/{len(chosen)}")
    names = {point: name for name, point in store.points().items()}
    for point, rows in groupby(sorted(bad), key=lambda part: part[0]):
        months = [month_label(month) for _, month in rows]
        more = f" (+{len(months) - _SHOWN})" if len(months) > _SHOWN else ""
        said = ", ".join(months[:_SHOWN]) + more
        found.append(
            LEDGER_DIFFERS.at(Place(subject=f"meter:{names[point]}"), meter=names[point], months=said)
        )
    return found, compared, len(stored), bad


def _view(store: Store) -> View | None:
    """The plant and facts as last loaded; None while no plant was."""
    snapshot = store.snapshot()
    text = snapshot.plant_json()
    return None if text is None else View(store, snapshot, *decoded(text))


def _stored(seen: View) -> list[LedgerPart]:
    """The stored parts of the ledger that answers of now use."""
    digest = digests(seen.model, seen.snapshot.points())
    span = seen.store.catalogue.rows("SELECT min(month), max(month) FROM ledger_part")[0]
    if not digest or span[0] is None:
        return []
    return seen.snapshot.ledger_parts(sorted(digest), range(span[0], span[1] + 1), digest).valid


def _compared(
    con: duckdb.DuckDBPyConnection, seen: View, parts: Collection[LedgerPart]
) -> Iterator[tuple[int, set[tuple[int, int]] | None]]:
    """For each piece of these parts: how many, and those whose stored rows are not the derived ones.

    None where readings are damaged: there the stored ledger knows more than a derivation.
    """
    by_key = {(part.point, part.month): part for part in parts}
    month = "(year(start) * 12 + month(start) - 1)::INTEGER"
    for deriver, piece in _derivers(con, seen, sorted(by_key)):
        chosen = [by_key[key] for key in piece.parts]
        with seen.store.reading():
            con.execute(f"CREATE OR REPLACE TEMP TABLE d_stored AS {LedgerParts(chosen, []).sql()}")
            deriver.derive(piece, "d_ledger", "d_events")
        if deriver.seen.snapshot.findings:
            yield len(chosen), None
            continue
        low, high = (f"TIMESTAMP '{month_start(edge):%Y-%m-%d}'" for edge in (piece.first, piece.last + 1))
        fresh = f"SELECT * FROM d_ledger WHERE start >= {low} AND start < {high}"
        rows = con.execute(
            f"SELECT DISTINCT point, {month} FROM ((FROM d_stored EXCEPT ALL ({fresh})) UNION ALL (({fresh}) EXCEPT ALL FROM d_stored))"
        ).fetchall()
        yield len(chosen), {(point, number) for point, number in rows}


def _derivers(
    con: duckdb.DuckDBPyConnection, seen: View, parts: list[tuple[int, int]]
) -> Iterator[tuple[Deriver, Piece]]:
    """The pieces of these parts, each with a snapshot of its own, so that one tells what damage its readings have."""
    deriver = Deriver.of(con, seen)
    for piece in pieces(parts):
        fresh = replace(seen, snapshot=seen.store.snapshot(seen.snapshot.upto))
        yield replace(deriver, seen=fresh), piece


def _derive_missing(store: Store) -> int:
    """Derive and store what is missing of the ledger; how many parts."""
    seen = _view(store)
    if seen is None:
        return 0
    digest = digests(seen.model, seen.snapshot.points())
    ranges = seen.snapshot.stored_ranges(digest).values()
    if not ranges:
        return 0
    months = range(min(low for low, _ in ranges), max(high for _, high in ranges) + 1)
    missing = seen.snapshot.ledger_parts(sorted(digest), months, digest).missing
    done = 0
    with scratch_connection(store.path) as con:
        for deriver, piece in _derivers(con, seen, worth_deriving(seen, missing)):
            deriver.derive(piece, "d_ledger", "d_events")
            snapshot = deriver.seen.snapshot
            if store.add_ledger(con, "d_ledger", snapshot=snapshot, parts=piece.parts, digests=digest):
                done += len(piece.parts)
    return done
