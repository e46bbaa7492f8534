"""Reconcile: two rulebooks on the same facts, and why their totals differ, line by line; the lines sum to the difference."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from celadon.charts.waterfall import Step, Waterfall, joined
from celadon.core.carriers import PURPOSES
from celadon.core.text import Text
from celadon.engine.reconcile import ReconcileLine, Reconciliation
from celadon.rules.rulebook import Rulebook, shipped_ids
from celadon.web.access import on_plant
from celadon.web.asked import Asked
from celadon.web.names import Names, rulebook_number
from celadon.web.page import Both, Cell, Page, Table, both
from celadon.web.units import InUnits

page = Page("/plants/{plant}/reconcile", Text("Reconcile", "对账"), on_plant(), order=50)
FIRST, SECOND = "cn_gbt_32150_2015", "ghg_protocol_corporate"
_WHOLE = {SECOND: "total_location_based"}
"""The total that is compared where a rulebook's first is only a part of it."""
_WHY = {
    "boundary": Text("boundary: one counts it", "边界：仅一方计入"),
    "factor": Text("factor", "因子"),
    "biogenic": Text("biogenic", "生物源"),
    "interaction": Text("belongs to no single fact", "不属于单一事实"),
}


class TotalOf(BaseModel):
    """One side: a rulebook's total, in the first side's unit."""

    rulebook: str
    quantity: str
    label: Both
    total: float
    own_unit: str
    """What its rulebook gives it in."""
    trace: str | None


class Reason(BaseModel):
    """A line of the difference. `before` and `after`: what the fact contributes to each total."""

    in_units: ClassVar[InUnits] = {"amount_unit": ("amount",)}

    kind: str
    why: Both
    fact: str
    label: Both
    site: str
    place: Both
    """What the site is called."""
    amount: float | None
    amount_unit: str
    before: float
    after: float
    difference: float
    before_factors: list[Both]
    after_factors: list[Both]


class Choice(BaseModel):
    """A total that can be compared."""

    quantity: str
    label: Both


class Reconciled(BaseModel):
    """The two totals and the lines between them."""

    in_units: ClassVar[InUnits] = {
        "unit": (
            "before.total",
            "after.total",
            "difference",
            "common",
            "lines.before",
            "lines.after",
            "lines.difference",
        )
    }

    period: str
    unit: str
    before: TotalOf
    after: TotalOf
    difference: float
    common: float
    """What both totals hold alike, so that no line tells of it: 0 where that is nothing."""
    lines: list[Reason]
    rulebooks: list[str]
    first_totals: list[Choice]
    second_totals: list[Choice]


def view(
    asked: Asked,
    period: str | None = None,
    first: str = FIRST,
    second: str = SECOND,
    first_quantity: str | None = None,
    second_quantity: str | None = None,
) -> Reconciled:
    """Why two totals differ (of each rulebook its whole, unless one of its totals is named)."""
    shown = asked.period(period)
    books = asked.workspace.library.book(first), asked.workspace.library.book(second)
    quantities = tuple(
        named if named in book.totals else _WHOLE.get(book.id, book.totals[0])
        for book, named in zip(books, (first_quantity, second_quantity), strict=True)
    )
    found = asked.plant.reconcile((first, second), shown, quantities=quantities).reconciliation
    names = Names(asked.plant.model)
    return Reconciled(
        period=shown, unit=found.unit, before=_side(asked, found, shown, first=True), after=_side(asked, found, shown, first=False),
        difference=found.difference, common=_common(found), lines=[_reason(names, books, line) for line in found.lines], rulebooks=shipped_ids(),
        first_totals=_totals(books[0]), second_totals=_totals(books[1]),
    )  # fmt: skip


def table(model: Reconciled) -> Table:
    """A row for each line."""
    names = ("kind", "fact", "site", "amount", "amount_unit", "before", "after", "difference")
    rows: list[list[Cell]] = [[*(getattr(line, name) for name in names), model.unit] for line in model.lines]
    return Table((*names, "unit"), rows)


def picture(model: Reconciled) -> Waterfall:
    """From one total to the other, the largest reasons one by one."""
    steps = [
        Step(
            Text(
                *(
                    f"{line.why.say(lang)}: {line.label.say(lang)} {line.place.say(lang)}".strip()
                    for lang in ("en", "zh")
                )
            ),
            line.difference,
        )
        for line in model.lines
    ]
    return Waterfall(
        title=Text("From one total to the other", "从一个总量到另一个总量"), unit=model.unit, steps=joined(steps),
        before=(rulebook_number(model.before.rulebook), model.before.total),
        after=(rulebook_number(model.after.rulebook), model.after.total),
    )  # fmt: skip


def _common(found: Reconciliation) -> float:
    """The first total less its lines; what rounding leaves of nothing is nothing."""
    rest = found.before_total - sum(line.before for line in found.lines)
    return rest if abs(rest) > 1e-9 * max(1.0, abs(found.before_total)) else 0.0


def _totals(book: Rulebook) -> list[Choice]:
    return [Choice(quantity=name, label=both(book.label(name))) for name in book.totals]


def _side(asked: Asked, found: Reconciliation, period: str, *, first: bool) -> TotalOf:
    side = found.before if first else found.after
    book: Rulebook = side.book
    return TotalOf(
        rulebook=book.id, quantity=side.quantity, label=both(book.label(side.quantity)),
        total=found.before_total if first else found.after_total, own_unit=str(book.rules[side.quantity][0].unit),
        trace=asked.trace(side.quantity, book.id, period, enterprise=asked.plant.model.enterprise),
    )  # fmt: skip


def _reason(names: Names, books: tuple[Rulebook, Rulebook], line: ReconcileLine) -> Reason:
    known = next((book for book in books if line.fact in book.facts), books[0])
    name = names.item(line.item) if line.item or not line.fact else known.label(line.fact)
    purpose = PURPOSES.get(line.purpose, Text(line.purpose, line.purpose))
    zh, en = (
        f"{name.say(lang)} ({purpose.say(lang)})" if line.purpose else name.say(lang) for lang in ("zh", "en")
    )
    return Reason(
        kind=line.kind, why=both(_WHY[line.kind]), fact=line.fact, label=Both(zh=zh, en=en), site=line.site, place=both(names.place(line.site)),
        amount=line.amount, amount_unit=line.amount_unit, before=line.before, after=line.after, difference=line.difference,
        before_factors=[_factor(books[0], word) for word in line.before_factors], after_factors=[_factor(books[1], word) for word in line.after_factors],
    )  # fmt: skip


def _factor(book: Rulebook, said: str) -> Both:
    """A factor as the ledger of differences says it (`name = value unit (source)`), by what its rulebook calls it."""
    name, mark, rest = said.partition(" = ")
    label = book.label(name)
    return Both(zh=f"{label.zh}{mark}{rest}", en=f"{label.en}{mark}{rest}")
