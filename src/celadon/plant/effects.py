"""The effect of a draft: every figure that would change under the rulebooks asked about, before anything is committed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isclose
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, Place
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import zone
from celadon.core.text import Text
from celadon.engine.run import Row
from celadon.plant.account import Question, account
from celadon.plant.drafts import Draft, drafted, state_of
from celadon.plant.loading import LoadedFile, Progress
from celadon.plant.opened import Opened, View, view
from celadon.plant.preview import Pending, pending
from celadon.plant.replaying import Replay
from celadon.plant.workspace import Workspace
from celadon.rules.rulebook import Rulebook
from celadon.store import Store, month_start
from celadon.store.scratch import Scratch

USUAL = ("cn_gbt_2589_2020", "cn_gbt_32150_2015")
"""Rulebooks every plant is looked at under: its energy and its carbon."""
_TICK = timedelta(microseconds=1)
_NOISE = 1e-13
"""Two sums of the same terms in another order differ by less; as in a comparison."""
_Key = tuple[str, str, str, str, str, str, str]


@dataclass(frozen=True)
class Change:
    """One figure before and after; None where it is absent or not there."""

    rulebook: str
    quantity: str
    label: Text
    where: dict[str, str]
    """Item, purpose, site, process: those that say something."""
    period: str
    unit: str
    before: float | None
    after: float | None

    @property
    def difference(self) -> float | None:
        """After less before; None where one of the two is absent."""
        return None if self.before is None or self.after is None else self.after - self.before

    def to_json(self) -> dict[str, Any]:
        return {
            "rulebook": self.rulebook, "quantity": self.quantity, "label": {"zh": self.label.zh, "en": self.label.en},
            "where": self.where, "period": self.period, "unit": self.unit, "before": self.before, "after": self.after,
            "difference": self.difference,
        }  # fmt: skip


@dataclass(frozen=True)
class Effect:
    """What a draft would do. `state` is what `drafts.commit` asks for."""

    what: Text
    state: str
    changes: tuple[Change, ...]
    figures: int
    """How many figures were looked at."""
    asked: tuple[tuple[str, str], ...]
    """(rulebook, period) looked at."""
    files: tuple[LoadedFile, ...]
    findings: tuple[Finding, ...]
    """What is found with the draft and was not before."""
    gone: tuple[Finding, ...] = ()
    """What was found before and would be over."""
    replay: Replay | None = None

    def to_json(self) -> dict[str, Any]:
        """Shape `effect/1` without its findings."""
        return {
            "what": {"zh": self.what.zh, "en": self.what.en}, "state": self.state, "figures": self.figures,
            "asked": [{"rulebook": book, "period": period} for book, period in self.asked],
            "changes": [item.to_json() for item in self.changes],
            "files": [item.to_json() for item in self.files if item.status != "known"],
            "gone": [{"code": item.code, "says": {"zh": item.says("zh"), "en": item.says("en")}} for item in self.gone],
            "replay": self.replay.to_json() if self.replay else None,
        }  # fmt: skip


def effect(
    opened: Opened,
    work: Workspace,
    draft: Draft,
    rulebooks: Sequence[str] = (),
    period: str | None = None,
    progress: Progress | None = None,
) -> Effect:
    """Work out what a draft changes; nothing is committed. Other writers wait meanwhile.

    `rulebooks` () = the usual ones and those the plant file has options for; `period` None = the years that the changed
    facts lie in. A load commits every waiting file, so that the effect of those is in it too.

    Raises:
        FindingError: the draft is not sound (unknown carrier, name taken …).
    """
    books = [work.book(name) for name in rulebooks or rulebooks_of(opened.model)]
    with Scratch() as scratch, opened.open_or_create_store() as store:
        would_be = drafted(opened, draft, scratch.path)
        before = _loaded(opened, store)
        state = state_of(opened)
        with pending(would_be, store, progress, draft.corrections) as would:
            periods = [period] if period else years_changed(work, would, opened.model)
            asked = [(book, one) for book in books for one in periods]
            old: dict[_Key, tuple[Row, Rulebook]] = {}
            new: dict[_Key, tuple[Row, Rulebook]] = {}
            found: tuple[list[Finding], list[Finding]] = ([], [])
            for book, one in asked:
                for seen, rows, said in ((before, old, found[0]), (would.seen, new, found[1])):
                    if seen is not None:
                        answer = account(work, seen, book, Question(one))
                        rows.update((_key(row, book), (row, book)) for row in answer.rows)
                        said += answer.findings
            fresh, gone = _difference([*would.loading.findings, *found[1]], found[0], opened.file.as_posix())
            said_by_replay = would.replay.findings if would.replay else []
            return Effect(
                draft.what,
                state,
                tuple(_changes(old, new)),
                len(old | new),
                tuple((book.id, one) for book, one in asked),
                tuple(would.loading.files),
                (*said_by_replay, *fresh),
                tuple(gone),
                would.replay,
            )


def _loaded(opened: Opened, store: Store) -> View | None:
    """What is loaded now; None before the first load."""
    try:
        return view(opened, store)
    except FindingError:
        return None


def rulebooks_of(model: PlantModel) -> list[str]:
    """The usual rulebooks, and those that the plant file says anything about."""
    named = [name for name, _ in (*model.options, *model.exclusions)]
    named += [item.rulebook for item in model.derived]
    return list(dict.fromkeys([*USUAL, *named]))


def years_changed(work: Workspace, would: Pending, before: PlantModel) -> list[str]:
    """The calendar years (the last three) in which the facts that would change lie; of all facts where none can be told."""
    spans = list(_spans(work, would, before))
    if not spans:
        span = would.seen.snapshot.span()
        spans = [(span[1] - _TICK, span[1])] if span else []
    tz = zone(before.zone)
    years: set[int] = set()
    for start, end in spans:
        first, last = start.astimezone(tz).year, max(start, end - _TICK).astimezone(tz).year
        years.update(range(first, last + 1))
    return [str(year) for year in sorted(years)[-3:]]


def _spans(work: Workspace, would: Pending, before: PlantModel) -> Iterator[tuple[datetime, datetime]]:
    """The times of readings and records that the pending batch brings, and of what is excluded anew or no more."""
    snapshot, replay = would.seen.snapshot, would.replay
    batch = snapshot.upto
    if any(item.readings for item in would.loading.files) or (replay and replay.readings):
        # The months beside a changed one are touched too: what changed is what is left without the outermost.
        touched = sorted({month for _, month in snapshot.touched_since(batch - 1)})
        inner = touched[1:-1] if len(touched) > 2 else touched
        yield from ((month_start(month), month_start(month + 1)) for month in inner)
    if snapshot.records_since(batch - 1):
        sql = f'SELECT min(start), max("end") FROM ({snapshot.records_sql(batches=[batch])})'
        with would.seen.store.reading():
            first, last = work.con.execute(sql).fetchall()[0]
        if first is not None:
            yield first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)
    words = [
        {replace(item, where=Place()) for item in model.excluded} for model in (before, would.seen.model)
    ]
    for item in words[0] ^ words[1]:
        yield item.start, item.end or item.start


def _key(row: Row, book: Rulebook) -> _Key:
    return (book.id, row.quantity, row.item, row.purpose, row.site, row.process, row.label)


def _changes(
    old: dict[_Key, tuple[Row, Rulebook]], new: dict[_Key, tuple[Row, Rulebook]]
) -> Iterator[Change]:
    for key in dict.fromkeys([*old, *new]):
        row, book = new.get(key) or old[key]
        before = old[key][0].value if key in old else None
        after = new[key][0].value if key in new else None
        if before == after or (
            before is not None and after is not None and isclose(before, after, rel_tol=_NOISE)
        ):
            continue
        words = {"item": row.item, "purpose": row.purpose, "site": row.site, "process": row.process}
        where = {name: word for name, word in words.items() if word}
        yield Change(
            book.id, row.quantity, book.label(row.quantity), where, row.label, row.unit, before, after
        )


def _difference(
    after: list[Finding], before: list[Finding], plant_file: str
) -> tuple[list[Finding], list[Finding]]:
    """Findings that are new, and those that are over, each once; lines of the plant file move when it is added to."""

    def by_words(findings: list[Finding]) -> dict[tuple[str, str, str], Finding]:
        places = [replace(f.where, line=None) if f.where.file == plant_file else f.where for f in findings]
        return {(f.code, str(place), f.says()): f for f, place in zip(findings, places, strict=True)}

    new, old = by_words(after), by_words(before)
    return (
        [item for key, item in new.items() if key not in old],
        [item for key, item in old.items() if key not in new],
    )
