"""`account`: quantities under a rulebook, with what they rest on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import Grain, asked_period
from celadon.core.quantities import Space
from celadon.engine.backends import Backend
from celadon.engine.chain_rows import ChainRows
from celadon.engine.quality import DATA, FACTORS
from celadon.engine.request import Request, fact_grain
from celadon.engine.run import Result, Row, run
from celadon.engine.uncertainty import Propagation, Uncertainty, of_result
from celadon.plant.keeping import unique
from celadon.plant.opened import View
from celadon.plant.origins import PlantOrigins
from celadon.plant.workspace import Workspace
from celadon.rules.rulebook import Rulebook

_COLUMNS = (
    "quantity", "item", "purpose", "enterprise", "site", "process", "meter", "label", "start", "end",
    "value", "unit", "coverage", *DATA, *FACTORS,
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What is asked: `by` (space word), `per` (grain word or None for the whole period), options, quantities."""

    period: str
    by: Space = Space.SITE
    per: Grain | None = None
    quantities: tuple[str, ...] = ()
    options: Mapping[str, str] | None = None
    factors_as_of: date | None = None
    uncertainty: bool = False

    def request(self, book: Rulebook, model: PlantModel) -> Request:
        """The engine's request; options the plant file sets for this rulebook, or one it builds on, hold unless given here."""
        of = dict(model.options)
        chosen = {name: choice for id_ in reversed(book.ids) for name, choice in of.get(id_, ())}
        chosen.update(self.options or {})
        period = asked_period(self.period, model.zone)
        return Request(period, self.by, self.per, self.quantities, chosen, self.factors_as_of)


@dataclass(frozen=True)
class Account:
    """A result with everything found on the way to it."""

    result: Result
    model: PlantModel
    findings: tuple[Finding, ...]
    uncertainties: tuple[Uncertainty | None, ...] | None = None
    """Of each row where it was asked; None of an absent one."""
    calculated_by: tuple[Rulebook, ...] = ()
    """Rulebooks that calculated some of the facts."""

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.result.rows

    def value(self, quantity: str, **where: str) -> float | None:
        """The one value of `quantity` where the named columns match (KeyError when there is not exactly one)."""
        return self.result.value(quantity, **where)

    def to_json(self) -> dict[str, Any]:
        """Shape `account/1` without its findings. Shares and coverage run from 0 to 1; an absent value is null."""
        result, book = self.result, self.result.book
        request = result.request
        return {
            "rulebook": {
                "id": book.id,
                "document": book.document.number,
                "edition": book.edition,
                "digest": book.digest,
            },
            "options": dict(request.options),
            "period": request.period.label,
            "zone": request.period.zone,
            "by": request.space.word,
            "per": request.time.word if request.time else None,
            "as_of": result.as_of.isoformat() if result.as_of else None,
            "factors_as_of": request.factors_as_of.isoformat() if request.factors_as_of else None,
            "facts_digest": result.facts_digest,
            "calculated_by": [{"id": other.id, "digest": other.digest} for other in self.calculated_by],
            "rows": list(self._json_rows()),
            "not_applicable": list(result.query.not_applicable),
            "coverage": _coverage(result),
        }

    def _json_rows(self) -> Iterator[dict[str, Any]]:
        found = self.uncertainties or (None,) * len(self.result.rows)
        for row, one in zip(self.result.rows, found, strict=True):
            shape = _row(row, self.result.book)
            yield shape | ({"uncertainty": one.to_json()} if one is not None else {})

    def to_csv(self) -> str:
        """The rows as CSV with a header: times in UTC, shares from 0 to 1, absent as an empty cell."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        known = self.uncertainties
        more = ["half_width"] if known is not None else []
        writer.writerow([*({"label": "period"}.get(name, name) for name in _COLUMNS), *more])
        for number, row in enumerate(self.result.rows):
            times = {"start": row.start.isoformat(), "end": row.end.isoformat()}
            shown = {**row.quality.shares(), **times}
            cells = [shown[name] if name in shown else getattr(row, name) for name in _COLUMNS]
            one = known[number] if known is not None else None
            writer.writerow([*cells, *([one.half_width if one else None] if known is not None else [])])
        return out.getvalue()


def _coverage(result: Result) -> dict[str, Any]:
    told = result.query.told
    return {
        "computed": list(told.computed),
        "excluded": [{"quantity": name, "reason": reason} for name, reason in told.excluded],
        "no_data": list(told.uncovered),
    }


def _row(row: Row, book: Rulebook) -> dict[str, Any]:
    label = book.label(row.quantity)
    return {
        "quantity": row.quantity, "label": {"zh": label.zh, "en": label.en}, "item": row.item, "purpose": row.purpose,
        "enterprise": row.enterprise, "site": row.site, "process": row.process, "meter": row.meter, "period": row.label,
        "start": row.start.isoformat(), "end": row.end.isoformat(), "value": row.value, "unit": row.unit, "coverage": row.coverage,
        **row.quality.shares(),
    }  # fmt: skip


def account(
    work: Workspace, seen: View, book: Rulebook, question: Question, on: Backend | None = None
) -> Account:
    """Answer a question from what a view shows; `on`: the engine that goes from facts to answers (None = the embedded one).

    Raises:
        FindingError: unknown quantity, option or period.
    """
    request = question.request(book, seen.model).checked(book)
    if question.uncertainty:
        table = work.facts_for(seen, [book], request, fact_grain(book, request))
    else:
        table = work.pooled_for(seen, book, request)
    result = run(
        work.con,
        book,
        seen.model,
        request,
        facts=table.name,
        summary=work.summary(table),
        facts_digest=seen.snapshot.digest(),
        as_of=seen.snapshot.recorded_at,
        on=on,
        plans=work.plans,
    )
    known: tuple[Uncertainty | None, ...] | None = None
    said: list[Finding] = []
    if question.uncertainty:
        rows = ChainRows(work.con, result.query, seen.model)
        chain = Propagation(rows, book, request.options, PlantOrigins(work, seen, book, request), table.name)
        with work.using(table.name):
            known = tuple(of_result(chain, result))
        said = chain.findings()
    found = unique([*seen.findings, *table.findings, *book.findings, *result.findings, *said])
    return Account(replace(result, findings=tuple(found)), seen.model, tuple(found), known, table.books)
