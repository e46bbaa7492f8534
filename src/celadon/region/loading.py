"""`load` of a region: registry, quotas and monthly facts into the store, one batch a file, each once.

A file is one transaction: a kill loses at most the file it was in. Bad rows are kept in a table of their own and told;
good rows of the same file count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, Findings, Place
from celadon.region import staging
from celadon.region.faults import GIVEN_DIFFERENTLY, GONE_FROM_FILE, KINDS, LEFT_OUT_NOW, REGISTRY_SHORTER
from celadon.region.model import FactSource, RegionFile, TableSource
from celadon.region.opened import Opened
from celadon.region.reports import source_sql
from celadon.region.tables_in import Rows, identifier, inputs
from celadon.region.view import quotas_sql, registries_sql, registry_sql
from celadon.store import Pending, Store, StoredFile
from celadon.store.scratch import Scratch, connect

Progress = Callable[[float, str], None]
_LINES_TOLD = 5


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """What became of one file or table. `status`: loaded, known (loaded before) or failed."""

    source: str
    name: str
    status: str
    rows: int = 0
    rejected: int = 0
    batch: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source, "name": self.name, "status": self.status, "rows": self.rows, "rejected": self.rejected,
            "batch": self.batch,
        }  # fmt: skip


@dataclass
class Loading:
    """What a load did."""

    store: Path
    files: list[LoadedTable] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)

    @property
    def rows(self) -> int:
        return sum(item.rows for item in self.files)

    @property
    def rejected(self) -> int:
        return sum(item.rejected for item in self.files)

    @property
    def changed(self) -> bool:
        return any(item.status == "loaded" for item in self.files)

    def to_json(self) -> dict[str, Any]:
        """Shape `region-load/1` without its findings."""
        return {
            "store": str(self.store), "rows": self.rows, "rejected": self.rejected,
            "files": [item.to_json() for item in self.files],
        }  # fmt: skip


def load(opened: Opened, progress: Progress | None = None) -> Loading:
    """Load what is not loaded yet.

    Raises:
        FindingError: the region file has errors, or the registry cannot be read at all.
    """
    opened.sound()
    with opened.open_or_create_store() as store, Scratch(opened.store_path) as scratch:
        con = connect(scratch.path)
        try:
            con.execute("SET preserve_insertion_order = true")  # lines are counted in their order
            with store.reading():
                return _Load(opened, store, con, scratch.path, progress).run()
        finally:
            con.close()


class _Load:
    def __init__(
        self,
        opened: Opened,
        store: Store,
        con: duckdb.DuckDBPyConnection,
        scratch: Path,
        progress: Progress | None,
    ) -> None:
        self.opened, self.store, self.con, self.scratch, self.progress = opened, store, con, scratch, progress
        self.region: RegionFile = opened.region
        self.done = Loading(opened.store_path)
        self.known: dict[tuple[str, str], StoredFile] = {}
        """What was last loaded under a name."""
        self.since: dict[tuple[str, str], int] = {}
        """The batch that first brought it as it is: where it is read anew, later batches of other files still correct it."""
        for item in store.snapshot().files():
            name = (item.source_id, item.name)
            if name not in self.known or self.known[name].sha256 != item.sha256:
                self.since[name] = item.batch
            self.known[name] = item
        self.registry_mark = ""

    def run(self) -> Loading:
        self.done.findings.extend(self.opened.findings)
        self._registry()
        openers: list[tuple[str, Callable[[], Rows], FactSource | None]] = []
        for source in self.region.sources:
            openers += [(source.id, opener, source) for opener in self._inputs(source.source)]
        if self.region.quotas:
            openers += [("quotas", opener, None) for opener in self._inputs(self.region.quotas.source)]
        for number, (name, opener, sender) in enumerate(openers):
            if self.progress is not None:
                self.progress(number / len(openers), name)
            self._one(name, opener, sender)
        if self.done.changed:
            self._compare_senders()
        return self.done

    def _compare_senders(self) -> None:
        """Tell where two senders give the same fact of the same enterprise and month, and differ."""
        snapshot = self.store.snapshot()
        for place, first in enumerate(self.region.sources):
            for other in self.region.sources[place + 1 :]:
                theirs = {value.name: value for value in other.values}
                both = [(value, theirs[value.name]) for value in first.values if value.name in theirs]
                months = {item.month for _, item in snapshot.tables(f"facts-{first.id}")}
                months &= {item.month for _, item in snapshot.tables(f"facts-{other.id}")}
                sides = [
                    source_sql(snapshot, source, {month for month in months if month is not None})
                    for source in (first, other)
                ]
                if not both or None in sides:
                    continue
                counts = ", ".join(
                    f"count(*) FILTER (abs(a.{name} - b.{name} * {theirs.scale_to(value)!r}e0) > 1e-9 * abs(a.{name}))"
                    for value, theirs in both
                    for name in [identifier(value.name)]
                )
                found = self.con.execute(
                    f"SELECT {counts} FROM ({sides[0]}) AS a JOIN ({sides[1]}) AS b USING (enterprise, month)"
                ).fetchall()[0]
                for (value, _), count in zip(both, found, strict=True):
                    if count:
                        self.done.findings.add(
                            GIVEN_DIFFERENTLY.at(
                                value.where, count=count, column=value.name, first=first.id, other=other.id
                            )
                        )

    def _inputs(self, place: TableSource) -> list[Callable[[], Rows]]:
        return list(inputs(place, self.opened.folder, self.scratch, self.done.findings))

    # -- the registry ------------------------------------------------------------------------------------------------

    def _registry(self) -> None:
        found = self._inputs(self.region.registry.source)
        if not found:
            raise FindingError(list(self.done.findings))
        rows = [opener() for opener in found]
        if len(rows) > 1:
            select = " UNION ALL BY NAME ".join(f"({item.select})" for item in rows)
            digest = hashlib.sha256("".join(item.sha256 for item in rows).encode()).hexdigest()
            name = ", ".join(item.name for item in rows)
            rows = [Rows(name, select, rows[0].columns, digest, sum(item.bytes for item in rows))]
        whole = rows[0]
        self.registry_mark = whole.sha256
        mapping = _digest(self.region.registry.columns, [item.id for item in self.region.products])
        if self._is_known("registry", whole, mapping):
            with self.store.begin("plant", "region file") as pending:
                if pending.set_plant(self.opened.text):  # only what the file says has changed
                    pending.commit()
        else:
            staging.stage_registry(self.con, whole, self.region)
            self._commit("registry", whole, mapping, self._add_registry)
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE registry AS SELECT number, enterprise FROM ({registry_sql(self.store.snapshot())})"
        )

    def _add_registry(self, pending: Pending, file: int, rows: Rows) -> int:
        """Numbers stay with their ids, also of who left and comes back; new ids get numbers that nobody had."""
        con, snapshot = self.con, self.store.snapshot()
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE before AS SELECT min(number) AS number, enterprise FROM ({registries_sql(snapshot)}) GROUP BY 2"
        )
        select = (
            "SELECT (coalesce(b.number, (SELECT coalesce(max(number), 0) FROM before) + row_number() OVER (PARTITION BY b.number "
            "IS NULL ORDER BY s.enterprise)))::INTEGER AS number, s.enterprise, s.name, s.industry, s.region, s.grid, s.product, "
            f"s.size, {file}::INTEGER AS file, s.line::INTEGER AS line, {pending.batch_id}::INTEGER AS batch "
            "FROM staged AS s LEFT JOIN before AS b USING (enterprise) WHERE s.fault IS NULL"
        )
        made = pending.add_table(con, "registry", select)
        [(gone,)] = con.execute(
            f"SELECT count(*) FROM ({registry_sql(snapshot)}) WHERE enterprise NOT IN (SELECT enterprise FROM staged WHERE fault IS NULL)"
        ).fetchall()
        if gone:
            self.done.findings.add(REGISTRY_SHORTER.at(Place(file=rows.name), count=gone))
        con.execute("DROP TABLE before")
        return made

    # -- facts and quotas --------------------------------------------------------------------------------------------

    def _one(self, name: str, opener: Callable[[], Rows], source: FactSource | None) -> None:
        try:
            rows = opener()
            kept = f"facts-{name}" if source else "quotas"
            mapping = _digest(kept, self.region.months, *_settings(self.region, source))
            if self._is_known(kept, rows, mapping):
                return
            if source is not None:
                staging.stage_facts(self.con, rows, self.region, source)
                self._leave_corrected(kept, rows, source)
                self._tell_gone(kept, rows, source)
                self._commit(
                    kept, rows, mapping, lambda pending, file, _: self._add_facts(pending, file, rows, source)
                )
            elif self.region.quotas is not None:
                staging.stage_quotas(self.con, rows, self.region.quotas)
                self._leave_corrected(kept, rows, None)
                self._commit(kept, rows, mapping, self._add_quotas)
        except FindingError as error:
            self.done.findings.extend(error.findings)
            shown = error.findings[0].where.file or name
            self.done.files.append(LoadedTable(name, shown, "failed"))

    def _leave_corrected(self, kept: str, rows: Rows, source: FactSource | None) -> None:
        """Take out of `staged`, where a file is read anew as it was, what later files have corrected meanwhile."""
        since = self._since(kept, rows)
        if since is None:
            return
        snapshot = self.store.snapshot()
        if source is None:
            there, same = (
                f"SELECT * FROM ({quotas_sql(snapshot)})",
                "b.year = s.year AND b.quantity = s.quantity",
            )
        else:
            months = self.con.execute("SELECT DISTINCT month FROM staged WHERE fault IS NULL").fetchall()
            numbers = {month.year * 12 + month.month - 1 for (month,) in months}
            there, same = source_sql(snapshot, source, numbers) or "", "b.month = s.month"
        own = ", ".join(
            str(item.id) for item in snapshot.files() if (item.source_id, item.name) == (kept, rows.name)
        )
        if there:
            self.con.execute(
                f"DELETE FROM staged AS s USING (SELECT * FROM ({there}) WHERE batch > {since} AND file NOT IN ({own})) AS b "
                f"WHERE s.fault IS NULL AND b.enterprise = s.number AND {same}"
            )

    def _tell_gone(self, kept: str, rows: Rows, source: FactSource) -> None:
        """Tell of reports that came with this file as it was before, and are not in it as it is now."""
        if (kept, rows.name) not in self.known or self._since(kept, rows) is not None:
            return
        snapshot = self.store.snapshot()
        months = {item.month for _, item in snapshot.tables(f"facts-{source.id}") if item.month is not None}
        there = source_sql(snapshot, source, months)
        if there is None:
            return
        own = ", ".join(
            str(item.id) for item in snapshot.files() if (item.source_id, item.name) == (kept, rows.name)
        )
        [(count, example)] = self.con.execute(
            f"SELECT count(*), min(r.enterprise || strftime(b.month, ' %Y-%m')) FROM ({there}) AS b JOIN registry AS r ON "
            f"r.number = b.enterprise WHERE b.file IN ({own}) AND (b.enterprise, b.month) NOT IN (SELECT (number, month) FROM staged "
            "WHERE number IS NOT NULL AND month IS NOT NULL)"
        ).fetchall()
        if count:
            self.done.findings.add(
                GONE_FROM_FILE.at(Place(file=rows.name), count=count, file=rows.name, example=example)
            )

    def _since(self, kept: str, rows: Rows) -> int | None:
        """The batch that first brought a file's content under its name; None where it is new or has changed."""
        before = self.known.get((kept, rows.name))
        return self.since[kept, rows.name] if before is not None and before.sha256 == rows.sha256 else None

    def _add_facts(self, pending: Pending, file: int, rows: Rows, source: FactSource) -> int:
        names = ", ".join(identifier(value.name) for value in source.values)
        months = self.con.execute(
            "SELECT DISTINCT month FROM staged WHERE fault IS NULL ORDER BY 1"
        ).fetchall()
        total = 0
        for (month,) in months:
            good = f"fault IS NULL AND month = DATE '{month}'"
            self._left_out(rows, source, month.year * 12 + month.month - 1, good)
            select = (
                f"SELECT number AS enterprise, month, {names}, {file}::INTEGER AS file, line::INTEGER AS line, "
                f"{pending.batch_id}::INTEGER AS batch FROM staged WHERE {good}"
            )
            total += pending.add_table(
                self.con, f"facts-{source.id}", select, month.year * 12 + month.month - 1
            )
        return total

    def _left_out(self, rows: Rows, source: FactSource, month: int, good: str) -> None:
        """Tell where a corrected report no longer gives what the earlier one gave."""
        before = source_sql(self.store.snapshot(), source, {month})
        if before is None:
            return
        counts = ", ".join(
            f"count(*) FILTER (b.{identifier(v.name)} IS NOT NULL AND s.{identifier(v.name)} IS NULL)"
            for v in source.values
        )
        found = self.con.execute(
            f"SELECT {counts} FROM (SELECT * FROM staged WHERE {good}) AS s JOIN ({before}) AS b ON b.enterprise = s.number"
        ).fetchall()[0]
        for value, count in zip(source.values, found, strict=True):
            if count:
                column = value.column or value.name
                self.done.findings.add(
                    LEFT_OUT_NOW.at(Place(file=rows.name), file=rows.name, count=count, column=column)
                )

    def _add_quotas(self, pending: Pending, file: int, _: Rows) -> int:
        select = (
            f"SELECT number AS enterprise, year, quantity, value, unit, {file}::INTEGER AS file, line::INTEGER AS line, "
            f"{pending.batch_id}::INTEGER AS batch FROM staged WHERE fault IS NULL"
        )
        return pending.add_table(self.con, "quotas", select)

    # -- what all share ----------------------------------------------------------------------------------------------

    def _is_known(self, kept: str, rows: Rows, mapping: str) -> bool:
        """Loaded before as it would be now; what named unknown enterprises is read anew when the registry changes."""
        before = self.known.get((kept, rows.name))
        if before is None or (before.sha256, before.mapping_digest.split(":")[0]) != (rows.sha256, mapping):
            return False
        waiting = before.mapping_digest.partition(":")[2]
        if waiting and waiting != self.registry_mark:
            return False
        self.done.files.append(
            LoadedTable(kept.removeprefix("facts-"), rows.name, "known", batch=before.batch)
        )
        return True

    def _commit(self, kept: str, rows: Rows, mapping: str, add: Callable[[Pending, int, Rows], int]) -> None:
        [(strangers, rejected)] = self.con.execute(
            "SELECT count(*) FILTER (fault = 'region.enterprise-unknown'), count(fault) FROM staged"
        ).fetchall()
        if strangers:
            mapping = f"{mapping}:{self.registry_mark}"
        with self.store.begin("load", rows.name) as pending:
            pending.set_plant(self.opened.text)
            file = pending.add_file(rows.name, rows.sha256, rows.bytes, kept, mapping)
            made = add(pending, file, rows)
            findings = self._rejected(pending, file, rows) if rejected else []
            pending.add_findings(findings)
            batch = pending.commit()
        self.done.findings.extend(findings)
        self.done.files.append(
            LoadedTable(kept.removeprefix("facts-"), rows.name, "loaded", made, rejected, batch.id)
        )
        self.con.execute("DROP TABLE staged")

    def _rejected(self, pending: Pending, file: int, rows: Rows) -> list[Finding]:
        pending.add_table(
            self.con, "rejected",
            f"SELECT {file}::INTEGER AS file, line::INTEGER AS line, enterprise, month_text AS month, fault AS code, "
            f"fault_column AS \"column\", example AS text, {pending.batch_id}::INTEGER AS batch FROM staged WHERE fault IS NOT NULL",
        )  # fmt: skip
        found = self.con.execute(
            f"SELECT fault, count(*), list_sort(min(line, {_LINES_TOLD})), arg_min(example, line), arg_min(fault_column, line) "
            "FROM staged WHERE fault IS NOT NULL GROUP BY 1 ORDER BY 1"
        ).fetchall()
        told = []
        for code, count, lines, example, column in found:
            shown = ", ".join(str(line) for line in lines) + (" …" if count > len(lines) else "")
            where = Place(file=rows.name, line=lines[0], column=column)
            told.append(
                KINDS[code].at(where, count=count, file=rows.name, lines=shown, example=example or "")
            )
        return told


def _settings(region: RegionFile, source: FactSource | None) -> list[object]:
    if source is None:
        return [region.quotas.columns if region.quotas else ()]
    values = [(item.column, item.name, item.unit, item.kept_unit) for item in source.values]
    return [source.enterprise, source.month, values, source.long]


def _digest(*settings: object) -> str:
    return hashlib.sha256(json.dumps(settings, ensure_ascii=False, default=str).encode()).hexdigest()
