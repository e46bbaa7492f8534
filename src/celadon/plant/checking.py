"""`check`: everything `load`, `balance` and `account` would find, without changing anything.

It is a load into a throwaway store, so that what is checked is what would happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from celadon.adapters.plant_file import plant_summary
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, Findings
from celadon.core.periods import Grain, Period
from celadon.core.quantities import Space
from celadon.metering.balance import balance as balance_rows
from celadon.metering.tree import build_tree
from celadon.plant import loading
from celadon.plant.asked import period_of
from celadon.plant.keeping import unique
from celadon.plant.ledger import write_ledger
from celadon.plant.opened import Opened, View, view
from celadon.plant.workspace import QUARANTINE_OPEN, Workspace
from celadon.store.scratch import Scratch


@dataclass(frozen=True)
class Check:
    """What the plant holds, what its files hold, and everything found."""

    summary: dict[str, Any]
    files: tuple[loading.LoadedFile, ...]
    period: str | None
    """What the readings cover, in whole local months."""
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not Findings(list(self.findings)).errors

    def to_json(self) -> dict[str, Any]:
        """Shape `check/1` without its findings."""
        return {
            "ok": self.ok,
            "plant": self.summary,
            "period": self.period,
            "files": [
                item.to_json() | {"status": "readable" if item.status == "loaded" else item.status}
                for item in self.files
            ],
        }


def check(opened: Opened, progress: Callable[[float, str], None] | None = None) -> Check:
    """Read everything into a store that is thrown away."""
    summary = dict(plant_summary(opened.model))
    if opened.errors:
        # Half a plant would only produce findings that follow from these.
        return Check(summary, (), None, tuple(unique([*opened.findings, *build_tree(opened.model).findings])))
    with Scratch() as scratch:
        aside = replace(
            opened,
            catalogue=None,
            segments=None,
            model=replace(opened.model, store=str(scratch.path / "store"), catalogue="", segments=""),
        )
        with aside.open_or_create_store() as store, closing(Workspace.open()) as work:
            done = loading.load(aside, progress, store=store, con=work.con)
            seen = view(aside, store)
            period = period_of(None, work, seen) if seen.snapshot.span() or done.records else None
            found = [
                *done.findings,
                *build_tree(opened.model).findings,
                *(_later_findings(work, seen, period) if period else ()),
            ]
        files = tuple(replace(item, batch=None) for item in done.files)
    found = [item for item in unique(found) if item.kind is not QUARANTINE_OPEN]
    return Check(summary, files, period.label if period else None, tuple(found))


def _later_findings(work: Workspace, seen: View, period: Period) -> Iterator[Finding]:
    """What accounting and balancing would find."""
    yield from work.facts(seen, period, Space.METER, Grain.MONTH).findings
    write_ledger(work.con, seen, period, "check_ledger")
    for row in balance_rows(
        work.con, seen.model, "check_ledger", seen.snapshot.points(), period, Grain.MONTH
    ):
        yield from row.findings
