"""Facts that another rulebook calculates, in a filing: what they were calculated from is filed too, and calculated anew.

A plant's `derived` says which result of which rulebook is which fact. The way there is the workspace's own: when filing, the
facts it starts from are kept at every grain that it asks for; when checking, it is given those instead of a store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.facts import FACT_COLUMNS
from celadon.core.findings import Finding, FindingError, Place
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import Grain, Period
from celadon.core.quantities import Space
from celadon.engine.request import Request
from celadon.plant.deriving import SOURCE
from celadon.plant.opened import View
from celadon.plant.workspace import FactTable, Workspace
from celadon.proof import faults
from celadon.rules.rulebook import RULEBOOK_UNKNOWN, Rulebook
from celadon.store.scratch import Scratch, connect
from celadon.store.segments import literal

MEASURED = "data/facts/measured"
"""How the path of the facts before anything was calculated begins: `-<space>-<grain>.parquet` follows."""
_SAME = (
    "quantity",
    "item",
    "purpose",
    "enterprise",
    "site",
    "process",
    "meter",
    "time_start",
    "time_end",
    "unit",
    "source",
)
_AS_GOOD_AS = 1e-12


def measured_path(space: Space, grain: Grain) -> str:
    """Where a package has the facts of a grain."""
    return f"{MEASURED}-{space.word}-{grain.word}.parquet"


def write_facts(con: duckdb.DuckDBPyConnection, table: str, file: Path) -> bytes:
    """A table of facts as a Parquet file in one order, the same bytes for the same rows."""
    con.execute(
        f"COPY (SELECT {', '.join(FACT_COLUMNS)} FROM {table} ORDER BY ALL) TO {literal(str(file))} "
        "(FORMAT PARQUET, COMPRESSION ZSTD, PARQUET_VERSION V2)"
    )
    try:
        return file.read_bytes()
    finally:
        file.unlink()


@dataclass
class Keeping(Workspace):
    """A workspace that keeps the facts it builds, as a package has them."""

    kept: dict[str, bytes] = field(default_factory=dict)
    scratch: Path = Path()

    @classmethod
    def near(cls, store: Path) -> Keeping:
        """One that adds up in one order, so that the last digit is the same every time."""
        scratch = Scratch(store)
        made = cls(connect(scratch.path), scratch, scratch=scratch.path)
        made.con.execute("SET threads = 1")
        return made

    def facts(self, seen: View, period: Period, space: Space, grain: Grain) -> FactTable:
        table = super().facts(seen, period, space, grain)
        path = measured_path(space, grain)
        if path not in self.kept and seen.model.derived:
            self.kept[path] = write_facts(self.con, table.name, self.scratch / "measured.parquet")
        return table


@dataclass
class Packaged(Workspace):
    """A workspace that has a package's facts and rulebooks, and nothing else."""

    tables: Mapping[tuple[Space, Grain], str] = field(default_factory=dict)
    books: Mapping[str, Rulebook] = field(default_factory=dict)

    def facts(self, seen: View, period: Period, space: Space, grain: Grain) -> FactTable:  # noqa: ARG002
        return FactTable(self.tables[space, grain], ())

    def book(self, rulebook: str | Path | Rulebook) -> Rulebook:
        if isinstance(rulebook, Rulebook):
            return rulebook
        name = Path(rulebook).name
        if name not in self.books:  # it calculated nothing that was filed
            raise FindingError(RULEBOOK_UNKNOWN.at(Place(subject=name), id=name, hint=""))
        return self.books[name]


def calculated_anew(
    work: Packaged, model: PlantModel, book: Rulebook, asked: Request, grain: tuple[Space, Grain], file: str
) -> list[Finding]:
    """Where facts that other rulebooks calculated, or what they were calculated from, differ from the table `filed_facts`.

    Raises:
        KeyError: the package lacks facts that are needed.
    """
    seen = cast(View, SimpleNamespace(model=model, digest=""))
    made = work.facts_for(seen, [book], asked, grain)
    names = ", ".join(other.id for other in made.books)
    size = f"{_AS_GOOD_AS} * greatest(abs(f.value), abs(m.value))"
    rows = work.con.execute(
        f"SELECT quantity, item, f.value, m.value, unit, count(*) OVER () "
        f"FROM (SELECT * FROM filed_facts) f FULL JOIN (SELECT * FROM {made.name}) m USING ({', '.join(_SAME)}) "
        "WHERE f.status IS DISTINCT FROM m.status OR (f.value IS DISTINCT FROM m.value AND "
        f"coalesce(abs(f.value - m.value) > {size}, true)) ORDER BY ALL LIMIT 1"
    ).fetchone()
    if rows is None:
        return []
    quantity, item, filed, computed, unit, count = rows
    return [
        faults.CALCULATED.at(
            Place(file=file, subject=quantity), count=count, rulebooks=names, quantity=f"{quantity} {item}".strip(),
            filed="—" if filed is None else repr(filed), computed="—" if computed is None else repr(computed), unit=unit,
        )
    ]  # fmt: skip


def is_calculated(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether a table holds facts that another rulebook calculated."""
    found = con.execute(f"SELECT 1 FROM {table} WHERE starts_with(source, '{SOURCE}:') LIMIT 1").fetchone()
    return found is not None
