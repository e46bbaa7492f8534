"""`compare`: two answers to one question, and which fact, factor, option or rule moved it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.engine.compare import Comparison, Scenario
from celadon.engine.compare import compare as compare_results
from celadon.engine.request import Request, fact_grain
from celadon.plant.account import Question
from celadon.plant.keeping import unique
from celadon.plant.opened import View
from celadon.plant.workspace import Workspace
from celadon.rules.rulebook import Rulebook


@dataclass(frozen=True)
class Side:
    """One side: what was known, the rulebook, and the question asked of it."""

    seen: View
    book: Rulebook
    question: Question


@dataclass(frozen=True)
class Known:
    """What a side saw: when its newest batch was recorded, the digest of its facts, whether it was committed."""

    as_of: datetime | None
    digest: str
    pending: bool


@dataclass(frozen=True)
class Difference:
    """A comparison with everything found on either side; `new` findings are on the second side only."""

    comparison: Comparison
    known: tuple[Known, Known]
    findings: tuple[Finding, ...]
    new: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Shape `comparison/1` without its findings."""
        body = self.comparison.to_json()
        body.pop("shape")
        for name, known in zip(("before", "after"), self.known, strict=True):
            body[name]["as_of"] = known.as_of.isoformat() if known.as_of else None
            body[name]["facts_digest"] = known.digest
            body[name]["pending"] = known.pending
        return body


def compare(work: Workspace, before: Side, after: Side) -> Difference:
    """Compare two sides cell by cell.

    Raises:
        FindingError: unknown quantity, option or period on either side.
    """
    requests = [side.question.request(side.book, side.seen.model) for side in (before, after)]
    requests = _same_quantities(before, after, requests)
    checked = [request.checked(side.book) for request, side in zip(requests, (before, after), strict=True)]
    grains = [fact_grain(side.book, request) for request, side in zip(checked, (before, after), strict=True)]
    # One grain for both, so that what differs is what is known and not how finely it was asked.
    space, grain = max(item[0] for item in grains), max(item[1] for item in grains)
    tables = [
        work.facts_for(side.seen, [side.book], request, (space, grain))
        for request, side in zip(checked, (before, after), strict=True)
    ]
    scenarios = [
        Scenario(side.book, side.seen.model, request, table.name)
        for side, request, table in zip((before, after), checked, tables, strict=True)
    ]
    found = compare_results(work.con, *scenarios)
    old = [*before.seen.findings, *tables[0].findings, *found.before.findings]
    every = unique([*old, *after.seen.findings, *tables[1].findings, *found.after.findings, *found.findings])
    known = {(item.code, str(item.where), item.says()) for item in old}
    new = tuple(item for item in every if (item.code, str(item.where), item.says()) not in known)
    return Difference(found, (_known(before), _known(after)), tuple(every), new)


def _known(side: Side) -> Known:
    snapshot = side.seen.snapshot
    return Known(snapshot.recorded_at, snapshot.digest(), snapshot.is_preview)


def _same_quantities(before: Side, after: Side, requests: list[Request]) -> list[Request]:
    """Without quantities named, two rulebooks are compared by the totals they share (each by its own if they share none)."""
    shared = tuple(name for name in before.book.totals if name in after.book.totals)
    if before.question.quantities or before.book.id == after.book.id or not shared:
        return requests
    return [replace(request, wanted=shared) for request in requests]
