"""Region: the one object people hold. Every verb is a function in a module of its own; this hands them what they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import duckdb

from celadon.core.findings import Finding, FindingError, Place
from celadon.core.periods import Grain, Period, parse_period
from celadon.engine.spark import Spark
from celadon.engine.trace import Trace
from celadon.plant.facade import grain_of
from celadon.region import account as accounting
from celadon.region import anomalies, loading, rejected, warning
from celadon.region import explain as explaining
from celadon.region import grades as grading
from celadon.region import peers as benchmarking
from celadon.region.opened import Opened, open_file
from celadon.region.published import record
from celadon.region.view import View, view
from celadon.rules.rulebook import Rulebook, find_rulebook, load_rulebook
from celadon.store import Store, faults
from celadon.store.scratch import Scratch, connect

Moment = str | datetime | None
Progress = Callable[[float, str], None]
Given = TypeVar("Given")


class Region:
    """An opened region. Reading verbs see what `load` has committed; close it, or use it in a `with`."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self._store: Store | None = None
        self._scratch: Scratch | None = None
        self._spark: Spark | None = None

    @property
    def store(self) -> Store:
        """The region's store (FindingError `store.absent` before the first load)."""
        if self._store is None:
            self._store = self.opened.open_store()
        return self._store

    @cached_property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The connection that questions are answered on; it spills beside the store."""
        if self._scratch is None:
            self._scratch = Scratch(self.opened.store_path)
        return connect(self._scratch.path)

    def close(self) -> None:
        """Let go of the store and the connection."""
        if self._store is not None:
            self._store.close()
            self._store = None
        if self._spark is not None:
            self._spark.close()
            self._spark = None
        if "con" in self.__dict__:
            self.con.close()
            del self.__dict__["con"]
        if self._scratch is not None:
            self._scratch.close()
            self._scratch = None

    def _engine(self, address: str | None, progress: Progress | None) -> Spark | None:
        """The engine at an address, kept until `close`; None = the embedded one."""
        if address is None:
            return None
        if self._spark is None or self._spark.address != address:
            if self._spark is not None:
                self._spark.close()
            folder = Scratch(self.opened.store_path) if self._scratch is None else self._scratch
            self._scratch = folder
            self._spark = Spark(address, folder.path, progress)
        return self._spark

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def view(self, as_of: Moment = None) -> View:
        """What was known at `as_of` (an instant or date in the region's zone; None = now)."""
        return view(self.opened, self.store, as_of)

    def period(self, text: str) -> Period:
        """A period as the region's calendar has it."""
        return parse_period(text, self.opened.region.zone)

    # -- verbs -------------------------------------------------------------------------------------------------------

    def load(self, progress: Progress | None = None) -> loading.Loading:
        """Load the registry, quotas and facts that are not loaded yet."""
        return loading.load(self.opened, progress)

    def rejected(self, most: int = 1000) -> rejected.Rejected:
        """The rows that the loads kept out, oldest first, at most `most`."""
        return rejected.rejected(self.con, self.store, most)

    def screen(
        self,
        period: str,
        *,
        most: int = 100,
        as_of: Moment = None,
        engine: str | None = None,
        progress: Progress | None = None,
    ) -> anomalies.Screened:
        """Anomalous reports of `period`, the `most` strongest as findings with their evidence.

        `engine`: as in `account`, for every rule that goes through the reports."""
        when = self.period(period)
        on = self._engine(engine, progress)
        return self._read(as_of, lambda seen: anomalies.screened(self.con, seen, when, most, on, progress))

    def account(
        self,
        rulebook: str | Path | Rulebook,
        period: str,
        *,
        by: str = "",
        per: str | Grain | None = None,
        quantities: Sequence[str] = (),
        options: Mapping[str, str] | None = None,
        as_of: Moment = None,
        factors_as_of: date | None = None,
        most: int = 100_000,
        engine: str | None = None,
        progress: Progress | None = None,
    ) -> accounting.RegionAccount:
        """Quantities under a rulebook for `period`, rolled up `by` words with commas (enterprise, industry, industry_group,
        division, region, prefecture, province, product, size; '' = the whole region). At most `most` rows come back.
        `engine`: `spark-local` or `spark://host:port` instead of the embedded one."""
        question = self._question(period, by, per, quantities, options, factors_as_of)
        on = self._engine(engine, progress)
        return self._read(
            as_of, lambda seen: accounting.account(self.con, seen, _book(rulebook), question, most, on)
        )

    def write(
        self,
        file: str | Path,
        rulebook: str | Path | Rulebook,
        period: str,
        *,
        by: str = "",
        per: str | Grain | None = None,
        quantities: Sequence[str] = (),
        options: Mapping[str, str] | None = None,
        as_of: Moment = None,
        factors_as_of: date | None = None,
        engine: str | None = None,
        progress: Progress | None = None,
    ) -> tuple[int, tuple[Finding, ...]]:
        """Like `account`, all rows into a Parquet or CSV file, streaming; how many, and the findings."""
        question = self._question(period, by, per, quantities, options, factors_as_of)
        on = self._engine(engine, progress)
        return self._read(
            as_of, lambda seen: accounting.write(self.con, seen, _book(rulebook), question, Path(file), on)
        )

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
    ) -> Trace:
        """The trace of one number: of an enterprise (`where={"enterprise": id}`) down to its reports' lines; of a group
        (`where={"industry": "3011"}`) down to its enterprises."""
        question = self._question(period, "", None, (quantity,), options, factors_as_of)
        return self._read(
            as_of, lambda seen: explaining.explain(self.con, seen, _book(rulebook), question, where or {})
        )

    def grade(
        self,
        period: str,
        *,
        rulebook: str | Path | Rulebook = "cn_gbt_32150_2015",
        quantity: str | None = None,
        grades: str | Path | Rulebook = grading.GRADE_BOOK,
        options: Mapping[str, str] | None = None,
        most: int = 100,
        as_of: Moment = None,
        file: str | Path | None = None,
        engine: str | None = None,
        progress: Progress | None = None,
    ) -> grading.Grades:
        """Carbon-efficiency grades of every enterprise, their emission by `rulebook`; `file` gets all of them."""
        on = self._engine(engine, progress)
        target = Path(file) if file else None
        books, when = (_book(grades), _book(rulebook)), self.period(period)
        return self._read(
            as_of,
            lambda seen: grading.grade(
                self.con, seen, *books, quantity, when, options or {}, most, target, on
            ),
        )

    def peers(
        self,
        period: str,
        *,
        rulebook: str | Path | Rulebook = "cn_gbt_2589_2020",
        quantity: str | None = None,
        over: str = "output_value",
        by: str = "industry",
        enterprise: str | None = None,
        as_of: Moment = None,
        publish: bool = False,
        beside: Sequence[str] = (),
        engine: str | None = None,
        progress: Progress | None = None,
    ) -> benchmarking.Peers:
        """Totals, means and percentiles of `quantity` per `over` in groups, without those that would show one enterprise.

        `engine`: as in `account`, for the quantity of every enterprise.
        `publish`: keep what was shown, so that later groupings of the same numbers take account of it.
        `beside`: words of other groupings that are shown together with this one: nothing follows from all of them."""
        words = accounting.group_words(by)
        book, when = _book(rulebook), self.period(period)
        on = self._engine(engine, progress)
        found = self._read(
            as_of,
            lambda seen: benchmarking.peers(
                self.con,
                seen,
                book,
                quantity,
                over,
                words,
                when,
                enterprise,
                self.store.snapshot(),
                on,
                beside,
            ),
        )
        if publish:
            record(self.con, self.store, found.publication())
        return found

    def warn(
        self,
        year: int,
        month: int | None = None,
        *,
        most: int = 100,
        as_of: Moment = None,
        engine: str | None = None,
        progress: Progress | None = None,
    ) -> warning.Warnings:
        """Quotas of `year` at risk, from what was reported up to `month` (None = the last loaded).

        `engine`: as in `account`, for every enterprise's months."""
        seen = self.view(as_of)
        if seen.region.quotas is None:
            raise FindingError(warning.NO_QUOTAS.at(Place(file=str(self.opened.file)), year=year))
        book = _book(seen.region.quotas.rulebook)
        on = self._engine(engine, progress)
        return self._read(as_of, lambda seen: warning.warn(self.con, seen, book, year, month, most, on))

    def _read(self, as_of: Moment, ask: Callable[[View], Given]) -> Given:
        """Ask of what was known at `as_of`; where a segment turns out to be damaged, once more, of the rest."""
        try:
            with self.store.reading():
                return ask(self.view(as_of))
        except FindingError as error:
            if not {item.kind for item in error.findings} <= {faults.SEGMENT_DAMAGED, faults.SEGMENT_MISSING}:
                raise
        return ask(self.view(as_of))

    def _question(
        self,
        period: str,
        by: str,
        per: str | Grain | None,
        quantities: Sequence[str],
        options: Mapping[str, str] | None,
        factors_as_of: date | None,
    ) -> accounting.RegionQuestion:
        return accounting.RegionQuestion(
            self.period(period),
            accounting.group_words(by),
            grain_of(per),
            tuple(quantities),
            options or {},
            factors_as_of,
        )


def _book(rulebook: str | Path | Rulebook) -> Rulebook:
    if isinstance(rulebook, Rulebook):
        return rulebook
    return load_rulebook(rulebook if isinstance(rulebook, Path) else find_rulebook(rulebook))


def open_region(path: str | Path, catalogue: str | None = None, segments: str | None = None) -> Region:
    """Open the region file at `path` (a file, or a folder that holds region.yaml). Nothing is loaded or written.

    `catalogue`, `segments`: addresses for the store that the first load makes (see `Store.open_or_create`).

    Raises:
        FindingError: nothing can be built from it.
    """
    return Region(open_file(path, catalogue, segments))
