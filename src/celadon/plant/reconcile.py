"""`reconcile`: why two rulebooks give different totals for one plant's facts."""

from __future__ import annotations

from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.engine.reconcile import Reconciliation, Side, reconcile
from celadon.engine.request import fact_grain
from celadon.plant.account import Question
from celadon.plant.keeping import unique
from celadon.plant.opened import View
from celadon.plant.workspace import Workspace
from celadon.rules.rulebook import Rulebook


@dataclass(frozen=True)
class Reconciled:
    """The lines, with everything found on the way to them."""

    reconciliation: Reconciliation
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Shape `reconciliation/1` without its findings."""
        return {name: value for name, value in self.reconciliation.to_json().items() if name != "shape"}


def reconcile_plant(
    work: Workspace, seen: View, books: tuple[Rulebook, Rulebook], period: str, quantities: tuple[str, ...]
) -> Reconciled:
    """Explain the difference of two totals over a period; without quantities, of each rulebook's first total.

    Raises:
        FindingError: unknown quantity or period; totals that measure different things.
    """
    names = quantities if len(quantities) == 2 else tuple(book.totals[0] for book in books)
    sides = [
        Side(book, Question(period, quantities=(name,)).request(book, seen.model).checked(book), name)
        for book, name in zip(books, names, strict=True)
    ]
    grains = [fact_grain(side.book, side.request) for side in sides]
    space, time = max(grain[0] for grain in grains), max(grain[1] for grain in grains)
    table = work.facts_for(seen, books, sides[0].request, (space, time))
    found = reconcile(work.con, seen.model, sides[0], sides[1], table.name)
    return Reconciled(found, tuple(unique([*seen.findings, *table.findings, *found.findings])))
