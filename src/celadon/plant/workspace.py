"""Workspace: one database connection on which a plant's questions are answered, and the fact tables built on it.

A fact table is kept under everything it depends on (the batch seen, the plant's digest, period and grain), so it can
never be out of date; only the last few are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.later import Later
from celadon.core.periods import Grain, Period
from celadon.core.quantities import Space
from celadon.core.text import Text
from celadon.metering.activity import fill_facts, plan_facts
from celadon.metering.few import Sums
from celadon.plant.excluding import excluded_findings, leave_out_records
from celadon.plant.keeping import NO_FACTS, load_findings, stored_findings, unique
from celadon.plant.ledger import ledger_of
from celadon.plant.opened import View
from celadon.plant.renewal import Declared, changed_sites, elsewhere, only
from celadon.plant.sources import superseded
from celadon.store.scratch import Scratch, connect

if TYPE_CHECKING:
    from celadon.engine import explain as explaining
    from celadon.engine import plans as planned
    from celadon.engine import request as requests
    from celadon.engine import run as running
    from celadon.engine import spark as distributed
    from celadon.engine.backends import Backend, Progress
    from celadon.engine.explain import Explainer
    from celadon.engine.plans import Plans
    from celadon.engine.request import Request
    from celadon.engine.run import Result
    from celadon.engine.spark import Spark
    from celadon.engine.steps import Summary
    from celadon.plant import deriving, pooling
    from celadon.rules import check as rule_checks
    from celadon.rules import rulebook as rulebooks
    from celadon.rules.rulebook import Rulebook
else:
    # Facts are also asked for where no rulebook is: by `check`, and by what shows them.
    explaining, requests = Later("celadon.engine.explain"), Later("celadon.engine.request")
    running, distributed = Later("celadon.engine.run"), Later("celadon.engine.spark")
    planned = Later("celadon.engine.plans")
    deriving, pooling = Later("celadon.plant.deriving"), Later("celadon.plant.pooling")
    rule_checks, rulebooks = Later("celadon.rules.check"), Later("celadon.rules.rulebook")

QUARANTINE_OPEN = FindingKind(
    "quarantine.open",
    Severity.WARNING,
    Text(en="Rows wait in quarantine", zh="有待处理的隔离行"),
    Text(
        en="{count} rows of {files} are not counted: they wait in quarantine.",
        zh="{files} 中有 {count} 行未计入：仍在隔离区。",
    ),
    Text(en="`celadon quarantine PLANT` lists them.", zh="用 `celadon quarantine PLANT` 查看。"),
)
_KEPT = 8
"""Tables and explainers that are kept: what one report asks for by turns."""
_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")


@dataclass(frozen=True)
class FactTable:
    """A built table of facts and what building it found."""

    name: str
    findings: tuple[Finding, ...]
    books: tuple[Rulebook, ...] = ()
    """Rulebooks that calculated some of the facts."""
    sums: Sums = field(default_factory=dict, compare=False)
    """What of the ledger was added up for it."""


@dataclass(frozen=True)
class _Made:
    """From what a table of facts was built: the last batch that brings any, and the plant."""

    batch: int
    declared: Declared

    @property
    def mark(self) -> tuple[object, ...]:
        return self.batch, *self.declared.digest


@dataclass
class Workspace:
    """A connection with a folder to spill into; `close` it."""

    con: duckdb.DuckDBPyConnection
    _scratch: Scratch
    _tables: OrderedDict[tuple[object, ...], FactTable] = field(default_factory=OrderedDict)
    _built: OrderedDict[tuple[object, ...], FactTable] = field(default_factory=OrderedDict)
    _newest: OrderedDict[tuple[object, ...], _Made] = field(default_factory=OrderedDict)
    """From what facts of a store, period and grain were built last."""
    _books: dict[Path, Rulebook] = field(default_factory=dict)
    _summaries: dict[str, Summary] = field(default_factory=dict)
    _in_use: list[str] = field(default_factory=list)
    """Tables that stay while calculated facts are made and traced."""
    _there: set[str] = field(default_factory=set)
    _pooled: set[str] = field(default_factory=set)
    """Those of them that are views of sums."""
    _records: OrderedDict[tuple[object, ...], str] = field(default_factory=OrderedDict)
    _declared: OrderedDict[str, Declared] = field(default_factory=OrderedDict)
    _explainers: OrderedDict[tuple[object, ...], Explainer] = field(default_factory=OrderedDict)
    _engines: dict[str, Spark] = field(default_factory=dict)
    _made: int = 0

    @cached_property
    def plans(self) -> Plans:
        """What was asked last, compiled."""
        return planned.Plans()

    @classmethod
    def open(cls, store: Path | None = None) -> Workspace:
        """Spills beside the data of the store in that folder, where there is one that can be written."""
        scratch = Scratch(store)
        return cls(connect(scratch.path), scratch)

    def engine(self, address: str | None, progress: Progress | None = None) -> Backend | None:
        """The engine at an address (`spark-local`, `spark://host:port`), None for the embedded one; it stays until `close`.

        Raises:
            FindingError: no such engine, or it cannot be had (see engine/spark.py).
        """
        if address is None:
            return None
        if address not in self._engines:
            while self._engines:  # a process has one at a time
                self._engines.popitem()[1].close()
            self._engines[address] = distributed.Spark(address, self._scratch.path, progress)
        return self._engines[address]

    def close(self) -> None:
        while self._engines:
            self._engines.popitem()[1].close()
        self.con.close()
        self._scratch.close()

    def facts(self, seen: View, period: Period, space: Space, grain: Grain) -> FactTable:
        """The facts of `period` at that grain as this view shows them."""
        asked = (period, space, grain)
        key = (seen.store.path, seen.snapshot.upto, seen.digest, *asked)
        if seen.snapshot.is_preview:
            built = self._build(seen, *asked)
            _keep(self._built, (built.name,), built)
            return self._found(seen, period, built)
        if key not in self._tables:
            # A change of factors or options leaves the facts as they are; what was found on the way may differ.
            batch = seen.snapshot.last_batch(omit=NO_FACTS)
            made = _Made(batch, self._declared_by(seen))
            built = self._built.get((seen.store.path, *asked, *made.mark)) or self._renewed(seen, made, asked)
            _keep(self._built, (seen.store.path, *asked, *made.mark), built)
            _keep(self._newest, (seen.store.path, *asked), made)
            _keep(self._tables, key, self._found(seen, period, built))
            self._drop_unused()
        self._tables.move_to_end(key)
        return self._tables[key]

    def facts_for(
        self,
        seen: View,
        books: Sequence[Rulebook],
        request: Request,
        grain: tuple[Space, Grain],
        chain: tuple[str, ...] = (),
    ) -> FactTable:
        """The facts of the request's period, with those that other rulebooks calculate for these (`Plant.derived`)."""
        base = self.facts(seen, request.period, *grain)
        if not seen.model.derived:
            return base
        asking = [
            deriving.Derivations(seen, book, self.book, partial(self._answer, seen), chain) for book in books
        ]
        due = [(made, made.due()) for made in asking]
        if not any(items for _, items in due) and not any(made.findings for made in asking):
            return base
        asked = [book.digest for book in books] + self._sources(seen)
        key = (base.name, seen.digest, *asked, request.factors_as_of, chain)
        if key not in self._built:
            name = self._new_table()
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {base.name}")
            done: set[int] = set()
            with self.using(base.name, name):
                for made, items in due:
                    fresh = [(number, item) for number, item in items if number not in done]
                    deriving.insert(self.con, name, made, fresh, request, grain[1])
                    done.update(number for number, _ in fresh)
            said = [finding for made in asking for finding in made.findings]
            others = {book.digest: book for made in asking for book in made.books}
            built = FactTable(name, tuple(unique([*base.findings, *said])), tuple(others.values()))
            _keep(self._built, key, built)
        return self._built[key]

    def pooled_for(self, seen: View, book: Rulebook, request: Request) -> FactTable:
        """Facts for this one account: like `facts_for`, and at hours with the meters of a site added up where it sees only sums."""
        if seen.model.derived or seen.snapshot.is_preview or not pooling.can_pool(book, request):
            return self.facts_for(seen, [book], request, requests.fact_grain(book, request))
        key = (
            seen.store.path,
            seen.snapshot.upto,
            seen.digest,
            request.period,
            "pooled",
            *sorted(book.facts),
        )
        if key not in self._built:
            name = self._new_table()
            with seen.store.reading():
                write_records(self.con, seen)
                said = pooling.build_pooled(self.con, seen, request, book.facts, name)
                self.con.execute("DROP TABLE records")
            if said is None:
                return self.facts_for(seen, [book], request, requests.fact_grain(book, request))
            self._pooled.add(name)
            findings = [_placed(item, seen) for item in said]
            _keep(self._built, key, FactTable(name, (*findings, *seen.snapshot.findings)))
            self._drop_unused()
        return self._found(seen, request.period, self._built[key])

    def _sources(self, seen: View) -> list[str]:
        """Digests of the rulebooks that calculate facts, as their folders are now; of one that cannot be had its name."""
        names = dict.fromkeys(item.rulebook for item in seen.model.derived)
        digests = []
        for name in names:
            try:
                digests.append(self.book(name).digest)
            except FindingError:
                digests.append(name)
        return digests

    def _answer(
        self, seen: View, book: Rulebook, request: Request, chain: tuple[str, ...]
    ) -> tuple[Result, Sequence[Rulebook]]:
        """A request on this view's facts, asked for the sake of the rulebooks in `chain`."""
        table = self.facts_for(seen, [book], request, requests.fact_grain(book, request), chain)
        result = running.run(
            self.con,
            book,
            seen.model,
            request,
            facts=table.name,
            summary=self.summary(table),
            plans=self.plans,
        )
        return replace(result, findings=(*table.findings, *result.findings)), table.books

    def book(self, rulebook: str | Path | Rulebook) -> Rulebook:
        """The rulebook, loaded unless it is; a folder that changed since is another rulebook and is loaded anew."""
        if isinstance(rulebook, rulebooks.Rulebook):
            return rule_checks.sound(rulebook)
        folder = rulebook if isinstance(rulebook, Path) else rulebooks.find_rulebook(rulebook)
        known = self._books.get(folder)
        if known is None or known.current_digest() != known.digest:
            known = self._books[folder] = rule_checks.sound(rulebooks.load_rulebook(folder))
        return known

    @contextmanager
    def using(self, *tables: str) -> Iterator[None]:
        """These tables stay while others are made."""
        before = len(self._in_use)
        self._in_use += tables
        try:
            yield
        finally:
            del self._in_use[before:]

    def _new_table(self) -> str:
        self._made += 1
        name = f"facts_{self._made}"
        self._there.add(name)
        return name

    def _renewed(self, seen: View, now: _Made, asked: tuple[Period, Space, Grain]) -> FactTable:
        """A new table: of the newest one there is, with the facts of changed sites made anew; else all anew."""
        before = self._newest.get((seen.store.path, *asked))
        older = self._built.get((seen.store.path, *asked, *before.mark)) if before else None
        if before is None or older is None or before.batch > now.batch:
            return self._build(seen, *asked)
        touched = seen.snapshot.touched_since(before.batch)
        sites = changed_sites(seen, asked[0], now.declared, before.batch, before.declared, touched)
        if sites is None or len(sites) == len(seen.model.sites):
            return self._build(seen, *asked)
        if not sites:
            return older
        same = before.declared.digest == now.declared.digest
        sums = _untouched(older.sums, touched) if same else {}
        made = self._build(replace(seen, model=only(seen.model, sites)), *asked, sites=sites, sums=sums)
        with_sites = "list_contains(?::VARCHAR[], site)"
        sql = f"INSERT INTO {made.name} SELECT * FROM {older.name} WHERE NOT {with_sites}"
        self.con.execute(sql, [sorted(sites)])
        kept = elsewhere(older.findings, (now.declared, before.declared), sites)
        return FactTable(made.name, (*kept, *made.findings), sums=made.sums)

    def _build(
        self,
        seen: View,
        period: Period,
        space: Space,
        grain: Grain,
        *,
        sites: Collection[str] | None = None,
        sums: Sums | None = None,
    ) -> FactTable:
        """A new table, and what making it found. Of the records only those of `sites`, where given; `sums` are known already."""
        name, sums = self._new_table(), {} if sums is None else sums
        points, records = seen.snapshot.points(), "records" if seen.snapshot.has_records else None
        if records:
            write_records(self.con, seen, records, sites=sites)
        plan = plan_facts(self.con, seen.model, records, period, space, grain)
        needed = {points[meter] for meter in plan.meters if meter in points}
        if plan.few:
            needed -= {point for point, _, _ in sums}
        with seen.store.reading():
            ledger, findings = ledger_of(self.con, seen, period, needed)
            fill_facts(self.con, plan, ledger, records, points, name, sums)
        findings += [_placed(item, seen) for item in plan.said()]
        self.con.execute("DROP TABLE IF EXISTS ledger; DROP TABLE IF EXISTS records")
        return FactTable(name, (*findings, *seen.snapshot.findings), sums=sums)

    def _found(self, seen: View, period: Period, built: FactTable) -> FactTable:
        """The table with everything this view says of the period."""
        findings = [*built.findings, *stored_findings(seen, period), *load_findings(seen, period)]
        findings += excluded_findings(self.con, seen, period)
        return FactTable(built.name, tuple(unique([*findings, *waiting_rows(seen), *seen.snapshot.findings])))

    def _declared_by(self, seen: View) -> Declared:
        """What of the plant the facts depend on."""
        if seen.digest not in self._declared:
            _keep(self._declared, seen.digest, Declared(seen.model))
        return self._declared[seen.digest]

    def summary(self, table: FactTable) -> Summary:
        """What a table holds, asked once: no later one has its name."""
        if table.name not in self._summaries:
            self._summaries[table.name] = running.summarise(self.con, table.name)
        return self._summaries[table.name]

    def _drop_unused(self) -> None:
        used = {table.name for tables in (self._tables, self._built) for table in tables.values()}
        used.update(self._in_use, self._records.values())
        for name in self._there - used:
            self._summaries.pop(name, None)
            if name in self._pooled:
                pooling.drop_sums(self.con, name)
            else:
                self.con.execute(f"DROP TABLE IF EXISTS {name}")
        self._there &= used
        self._pooled &= used

    def records(self, seen: View) -> str:
        """A table of the records that this view shows, all times."""
        key = (seen.store.path, seen.snapshot.upto, seen.digest)
        if seen.snapshot.is_preview or key not in self._records:
            name = self._new_table()
            write_records(self.con, seen, name)
            _keep(self._records, key, name)
            self._drop_unused()
        return self._records[key]

    def explainer(self, seen: View, book: Rulebook, request: Request, facts: str) -> Explainer:
        """What explains cells of the request's one quantity from a fact table, which no later one has the name of."""
        options = tuple(sorted(request.options.items()))
        key = (
            facts,
            seen.digest,
            book.digest,
            request.wanted,
            request.period,
            request.space,
            options,
            request.factors_as_of,
        )
        if key not in self._explainers:
            _keep(
                self._explainers,
                key,
                explaining.Explainer(self.con, book, seen.model, request, request.wanted[0], facts),
            )
        self._explainers.move_to_end(key)
        return self._explainers[key]


def _keep(kept: OrderedDict[_Key, _Kept], key: _Key, item: _Kept) -> None:
    """Keep an item as the newest, and only the last few."""
    kept[key] = item
    kept.move_to_end(key)
    while len(kept) > _KEPT:
        kept.popitem(last=False)


def _untouched(sums: Sums, touched: Collection[tuple[int, int]]) -> Sums:
    """The sums of the other points than these."""
    points = {point for point, _ in touched}
    return {mark: found for mark, found in sums.items() if mark[0] not in points}


def _placed(item: Finding, seen: View) -> Finding:
    """A finding about a record says `records:<batch>:<file>:<line>`; people know the file by its name."""
    parts = (item.where.file or item.where.subject or "").split(":")
    if parts[0] != "records" or len(parts) != 4:
        return item
    names = {str(file.id): file.name for file in seen.snapshot.files()}
    return replace(
        item, where=replace(item.where, file=names.get(parts[2], parts[2]), line=int(parts[3]), subject=None)
    )


def write_records(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    into: str = "records",
    *,
    sites: Collection[str] | None = None,
    every: bool = False,
) -> None:
    """Make the temporary table `into`: the records this view shows, all times (stocks look at neighbouring months).

    What the plant file excludes is among them only where `every` record is asked for."""
    gone = ", ".join(str(number) for number in sorted(superseded(seen.snapshot.files())))
    omit = f"AND file NOT IN ({gone})" if gone else ""
    with seen.store.reading():
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT * FROM ({seen.snapshot.records_sql()}) "
            f"WHERE ($1 IS NULL OR list_contains($1::VARCHAR[], site)) {omit}",
            [None if sites is None else sorted(sites)],
        )
    if not every:
        leave_out_records(con, seen.model.excluded, into)


def waiting_rows(seen: View) -> list[Finding]:
    """One finding for the rows that wait in quarantine, None without any."""
    files = {file.id: file.name for file in seen.snapshot.files()}
    gone = superseded(seen.snapshot.files())
    rows = [
        row
        for row in seen.store.quarantine("open")
        if row.batch <= seen.snapshot.upto and row.file_id not in gone
    ]
    if not rows:
        return []
    names = _names([files.get(row.file_id, "?") for row in rows])
    return [QUARANTINE_OPEN.at(Place(), count=len(rows), files=names)]


def _names(files: Sequence[str]) -> str:
    known = list(dict.fromkeys(files))
    return ", ".join(known[:3]) + (f" +{len(known) - 3}" if len(known) > 3 else "")
