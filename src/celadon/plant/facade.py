"""Plant: the one object people hold. Every verb is a function in a module of its own; this hands them what they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.later import Later
from celadon.core.periods import GRAINS, Grain
from celadon.core.quantities import SPACES, Space
from celadon.core.text import Lang, Text
from celadon.core.units import did_you_mean
from celadon.plant.asked import period_of
from celadon.plant.opened import Opened, View, open_file, view
from celadon.plant.workspace import Workspace
from celadon.store import Store

if TYPE_CHECKING:
    from celadon.engine.trace import Trace
    from celadon.metering.balance import BalanceRow
    from celadon.plant import account as accounting
    from celadon.plant import (
        backup,
        checking,
        drafts,
        effects,
        guessing,
        loading,
        monthly,
        quarantine,
        replaying,
        upkeep,
    )
    from celadon.plant import balance as balancing
    from celadon.plant import bill as billing
    from celadon.plant import compare as comparing
    from celadon.plant import explain as explaining
    from celadon.plant import history as histories
    from celadon.plant import preview as previewing
    from celadon.plant import reconcile as reconciling
    from celadon.plant import series as serial
    from celadon.plant import triage as triaging
    from celadon.plant.entry import Entry, Signed
    from celadon.rules.rulebook import Rulebook
else:
    # One verb needs one of these; all of them take longer to import than most verbs to answer.
    accounting, balancing, billing = (
        Later(f"celadon.plant.{name}") for name in ("account", "balance", "bill")
    )
    backup, checking, drafts = (Later(f"celadon.plant.{name}") for name in ("backup", "checking", "drafts"))
    comparing, explaining = Later("celadon.plant.compare"), Later("celadon.plant.explain")
    effects, guessing, loading = (
        Later(f"celadon.plant.{name}") for name in ("effects", "guessing", "loading")
    )
    histories, previewing = Later("celadon.plant.history"), Later("celadon.plant.preview")
    monthly = Later("celadon.plant.monthly")
    quarantine, reconciling = Later("celadon.plant.quarantine"), Later("celadon.plant.reconcile")
    replaying, serial = Later("celadon.plant.replaying"), Later("celadon.plant.series")
    triaging, upkeep = Later("celadon.plant.triage"), Later("celadon.plant.upkeep")

WORD_UNKNOWN = FindingKind(
    "question.word",
    Severity.ERROR,
    Text(en="Word not known here", zh="不认识的词"),
    Text(en="“{word}” is not one of {known}{hint}.", zh="“{word}”不在 {known} 之中{hint}。"),
    Text(en="Write one of them.", zh="请使用其中之一。"),
)
Moment = str | datetime | None


class Plant:
    """An opened plant. Reading verbs see what `load` has committed, by any process; close it, or use it in a `with`."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self._store: Store | None = None

    # -- the plant itself --------------------------------------------------------------------------------------------

    @property
    def file(self) -> Path:
        """The plant file."""
        return self.opened.file

    @cached_property
    def _work(self) -> Workspace:
        return Workspace.open(self.opened.store_path)

    def view(self, as_of: Moment = None) -> View:
        """What was known at `as_of` (an instant or date, in the plant's zone when it names none; None = now)."""
        return view(self.opened, self.store, as_of)

    @property
    def store(self) -> Store:
        """The plant's store (FindingError `store.absent` before the first load)."""
        if self._store is None:
            self._store = self.opened.open_store()
        return self._store

    def close(self) -> None:
        """Let go of the store and the workspace."""
        if self._store is not None:
            self._store.close()
            self._store = None
        if "_work" in self.__dict__:
            self._work.close()
            del self.__dict__["_work"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- verbs -------------------------------------------------------------------------------------------------------

    def load(self, progress: loading.Progress | None = None) -> loading.Loading:
        """Load the files that are not loaded yet."""
        return loading.load(self.opened, progress, store=self._store, con=self._work.con)

    def preview(self, progress: loading.Progress | None = None) -> loading.Loading:
        """What `load` would do; nothing is committed."""
        with (
            self.opened.open_or_create_store() as store,
            previewing.pending(self.opened, store, progress) as would,
        ):
            return would.loading

    def check(self, progress: loading.Progress | None = None) -> checking.Check:
        """Read everything, change nothing, list what is wrong."""
        return checking.check(self.opened, progress)

    def balance(
        self, period: str | None = None, *, per: str | Grain | None = None, as_of: Moment = None
    ) -> balancing.Balance:
        """The conservation proof and the balance of meters, processes and sites; None = everything there are readings for."""
        seen = self.view(as_of)
        return balancing.balance(self._work, seen, period_of(period, self._work, seen), grain_of(per))

    def proof(self, period: str, *, as_of: Moment = None) -> balancing.Balance:
        """The conservation proof of the ledger as it is kept, and the balance of meters by month; `balance` also derives every cell
        again and compares."""
        seen = self.view(as_of)
        return balancing.proven(self._work, seen, period_of(period, self._work, seen))

    def meter_rows(self, period: str, *, as_of: Moment = None) -> list[BalanceRow]:
        """What each meter counted in `period`, and what its sub-meters leave over; without the proof that `balance` gives."""
        seen = self.view(as_of)
        return balancing.meter_rows(self._work, seen, period_of(period, self._work, seen))

    def account(
        self,
        rulebook: str | Path | Rulebook,
        period: str,
        *,
        by: str | Space = Space.SITE,
        per: str | Grain | None = None,
        quantities: Sequence[str] = (),
        options: Mapping[str, str] | None = None,
        as_of: Moment = None,
        factors_as_of: date | None = None,
        uncertainty: bool = False,
        engine: str | None = None,
        progress: loading.Progress | None = None,
    ) -> accounting.Account:
        """Quantities under a rulebook (id, folder or loaded) for `period`.

        `by`: enterprise, site, process or meter. `per`: hour, day, month, year, or None for the whole period as one row.
        `quantities` () = the rulebook's totals. `uncertainty`: also the width of each value, and what it comes from.
        `engine`: `spark-local` or `spark://host:port` instead of the embedded one.
        """
        on = self._work.engine(engine, progress)
        question = accounting.Question(
            period, space_of(by), grain_of(per), tuple(quantities), options, factors_as_of, uncertainty
        )
        return accounting.account(self._work, self.view(as_of), self._work.book(rulebook), question, on)

    def explain(
        self,
        quantity: str,
        rulebook: str | Path | Rulebook,
        period: str,
        *,
        where: Mapping[str, str] | None = None,
        options: Mapping[str, str] | None = None,
        as_of: Moment = None,
        factors_as_of: date | None = None,
        lang: Lang = "en",
        uncertainty: bool = False,
        to_lines: bool = True,
    ) -> Trace:
        """The trace of one number down to factor rows and file lines; `where` names its place and keys (site, carrier …).

        `to_lines`: False stops at facts, which takes a fraction of the time. `uncertainty`: also how wide every value in it is, and what the width of the result comes from."""
        places = dict(where or {})
        finest = max((SPACES[name] for name in places if name in SPACES), default=Space.SITE)
        question = accounting.Question(period, finest, None, (quantity,), options, factors_as_of, uncertainty)
        return explaining.explain(
            self._work, self.view(as_of), self._work.book(rulebook), question, places, lang, to_lines
        )

    def compare(
        self,
        rulebook: str | Path | Rulebook,
        period: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        pending_files: bool = False,
        by: str | Space = Space.SITE,
        per: str | Grain | None = None,
        quantities: Sequence[str] = (),
        options: Mapping[str, str] | None = None,
    ) -> comparing.Difference:
        """Two answers to one question. `before` and `after` say what differs: `as_of`, `rulebook`, `options`, `factors_as_of`.

        With `pending_files` the second side is the plant with the files that are not loaded yet; nothing is committed.
        """
        question = accounting.Question(period, space_of(by), grain_of(per), tuple(quantities), options)

        def side(changes: Mapping[str, Any], seen: View | None = None) -> comparing.Side:
            asked = replace(
                question,
                options={**(options or {}), **changes.get("options", {})},
                factors_as_of=changes.get("factors_as_of"),
            )
            return comparing.Side(
                seen or self.view(changes.get("as_of")),
                self._work.book(changes.get("rulebook") or rulebook),
                asked,
            )

        if not pending_files:
            return comparing.compare(self._work, side(before or {}), side(after or {}))
        with previewing.pending(self.opened, self.store) as would:
            return comparing.compare(self._work, side(before or {}), side(after or {}, would.seen))

    def reconcile(
        self,
        rulebooks: tuple[str | Path | Rulebook, str | Path | Rulebook],
        period: str,
        *,
        quantities: Sequence[str] = (),
        as_of: Moment = None,
    ) -> reconciling.Reconciled:
        """Why two rulebooks give different totals: lines that sum to the difference. `quantities`: one of each, or none
        for each rulebook's first total."""
        books = (self._work.book(rulebooks[0]), self._work.book(rulebooks[1]))
        return reconciling.reconcile_plant(self._work, self.view(as_of), books, period, tuple(quantities))

    def monthly_facts(
        self,
        rulebooks: Sequence[str | Path | Rulebook],
        period: str,
        *,
        each: str = "enterprise",
        partial: bool = False,
        as_of: Moment = None,
    ) -> monthly.MonthlyFacts:
        """The monthly facts that the rulebooks ask for, as a region takes them; `each`: enterprise, or site as a firm of its own.

        What rests on data for a part of its month only is blank, unless `partial`.
        """
        books = [self._work.book(one) for one in rulebooks]
        return monthly.monthly_facts(self._work, self.view(as_of), books, period, each=each, partial=partial)

    def write_facts(self, found: monthly.MonthlyFacts, path: str | Path) -> None:
        """To a Parquet file (by its ending) or CSV."""
        found.write(self._work.con, Path(path))

    def bill(self, period: str | None = None, *, as_of: Moment = None) -> billing.Bills:
        """The monthly bills under the plant's tariffs; None = everything there are readings for."""
        seen = self.view(as_of)
        return billing.bill(self._work, seen, period_of(period, self._work, seen))

    def series(
        self, meters: Sequence[str], period: str, *, per: str | Grain | None = None, as_of: Moment = None
    ) -> serial.Series:
        """What meters counted in each hour, day, month … (None = each cell of the ledger), with what of it is estimated."""
        seen = self.view(as_of)
        asked = period_of(period, self._work, seen)
        return serial.series(self._work, seen, meters, asked, grain_of(per))

    def readings(
        self, meter: str, start: datetime, end: datetime, *, beyond: int = 3, as_of: Moment = None
    ) -> list[serial.Seen]:
        """The readings of a meter in [start, end) that count, and a few before and after, with file and line."""
        return serial.readings(self._work, self.view(as_of), meter, start, end, beyond)

    def quarantine(self, status: str | None = "open") -> list[quarantine.Kept]:
        """Rows that were kept out, with that status (open, replayed, dismissed; None = all)."""
        return quarantine.kept_rows(self.view(), status)

    def export_quarantine(self, path: str | Path) -> int:
        """Write the waiting rows to a CSV to be corrected; how many rows."""
        return quarantine.export(self.view(), Path(path))

    def replay(self, path: str | Path) -> replaying.Replay:
        """Count the rows that a corrected CSV mends."""
        return replaying.replay(self.opened, Path(path))

    def triage(self, period: str, rulebooks: Sequence[str] = ()) -> list[triaging.Judged]:
        """What the accounts of a period find, with what was decided about it; open findings first."""
        seen = self.view()
        return triaging.triage(self._work, seen, rulebooks or effects.rulebooks_of(seen.model), period)

    def decide(
        self, ident: str, action: str, by: str, reason: str, period: str, rulebooks: Sequence[str] = ()
    ) -> triaging.Decision:
        """Accept the finding with that id (`accept`, with a reason) or open it again (`reopen`)."""
        return triaging.decide(self.store, self.triage(period, rulebooks), ident, action, by, reason, period)

    def history(
        self, period: str | None = None, *, meter: str | None = None, as_of: Moment = None, **words: str
    ) -> list[histories.Told]:
        """Every version of records (of these words) or, for a period, of a meter's readings."""
        seen = self.view(as_of)
        span = period_of(period, self._work, seen) if period or meter else None
        if meter is not None and span is not None:
            return histories.of_readings(self._work, seen, meter, span.start, span.end)
        return histories.of_records(self._work, seen, span, **words)

    # -- changes, shown before they are made --------------------------------------------------------------------------

    def guess(
        self, path: str | Path, name: str | None = None, answers: Mapping[str, str] | None = None
    ) -> guessing.Tried:
        """How an unknown file could be read, and what reading it so gives; nothing is written."""
        name = name or drafts.free_name(self.opened, Path(path).name)
        return guessing.try_guess(self.opened, Path(path), name, answers)

    def draft_source(self, block: Mapping[str, Any], name: str, staged: Path) -> drafts.Draft:
        """A file (its content in `staged`) with the source block that reads it, made ready."""
        return drafts.of_source(self.opened, block, name, staged)

    def draft_records(self, entries: Sequence[Entry], signed: Signed) -> drafts.Draft:
        """Records entered by hand, made ready."""
        return drafts.of_records(self.opened, entries, signed)

    def draft_correction(
        self, file: str, line: int, changes: Mapping[str, Any], signed: Signed
    ) -> drafts.Draft:
        """Another value, unit or weight for the record in force in that place, made ready."""
        return drafts.of_correction(self.opened, self.view(), self._work, (file, line), changes, signed)

    def draft_exclusion(self, item: Mapping[str, Any]) -> drafts.Draft:
        """Readings or records that are not to count (keys of `excluded:` in the plant file), made ready."""
        return drafts.of_exclusion(self.opened, item)

    def draft_corrections(
        self, changes: Mapping[int, Mapping[str, str]], dismissed: Sequence[int] = ()
    ) -> drafts.Draft:
        """Corrected rows of the quarantine, and rows given up, made ready."""
        return drafts.of_corrections(self.view(), changes, dismissed)

    def effect(
        self,
        draft: drafts.Draft,
        rulebooks: Sequence[str] = (),
        period: str | None = None,
        progress: loading.Progress | None = None,
    ) -> effects.Effect:
        """Which figures a draft would change, and by how much; nothing is committed."""
        return effects.effect(self.opened, self._work, draft, rulebooks, period, progress)

    def commit(
        self, draft: drafts.Draft, state: str, progress: loading.Progress | None = None
    ) -> drafts.Committed:
        """Make a draft's change; `state` is that of the effect that was looked at. The plant is as its file now says."""
        done = drafts.commit(self.opened, draft, state, progress=progress)
        fresh = open_file(self.opened.file)
        kept = self.opened
        self.opened = replace(fresh, catalogue=kept.catalogue, segments=kept.segments, stored=kept.stored)
        return done

    def verify(self, progress: loading.Progress | None = None) -> upkeep.Upkeep:
        """Compare every stored byte with its digest."""
        return upkeep.verify(self.opened, progress)

    def compact(self, progress: loading.Progress | None = None) -> upkeep.Upkeep:
        """Merge small segments; every answer stays as it was."""
        return upkeep.compact(self.opened, progress)

    def back_up(self, folder: str | Path, progress: loading.Progress | None = None) -> backup.Backup:
        """Copy the plant file and the store into `folder`, only what is new there; loads may go on meanwhile."""
        return backup.back_up(self.opened, folder, progress)


def open_plant(path: str | Path, *, catalogue: str | None = None, segments: str | None = None) -> Plant:
    """Open the plant file at `path` (a file, or a folder that holds plant.yaml). Nothing is loaded or written.

    `catalogue`: the address of the store's catalogue on a server, `segments`: of the object store that keeps its files, in
    place of the plant file's own.

    Raises:
        FindingError: nothing can be built from it.
    """
    return Plant(replace(open_file(path), catalogue=catalogue, segments=segments))


def space_of(word: str | Space) -> Space:
    """`site` → Space.SITE (FindingError for another word)."""
    if isinstance(word, Space):
        return word
    return SPACES[_known(word, list(SPACES))]


def grain_of(word: str | Grain | None) -> Grain | None:
    """`month` → Grain.MONTH; None stays (FindingError for another word)."""
    if word is None or isinstance(word, Grain):
        return word
    return GRAINS[_known(word, list(GRAINS))]


def _known(word: str, known: list[str]) -> str:
    if word not in known:
        raise FindingError(
            WORD_UNKNOWN.at(
                Place(subject=word), word=word, known=", ".join(known), hint=did_you_mean(word, known)
            )
        )
    return word
