"""Explain: one number down to its clauses, factor rows and the lines of files. Its address is a link that another user can open."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from celadon.core.text import Text
from celadon.rules.rulebook import shipped_ids
from celadon.web.access import Action, on_plant
from celadon.web.asked import Asked
from celadon.web.page import Both, Page, both

page = Page("/plants/{plant}/explain", Text("Explain", "溯源"), on_plant(Action.EXPLAIN), order=40)
_NOT_A_KEY = frozenset({"quantity", "rulebook", "period", "as_of", "lang", "depth", "units"})


class Choice(BaseModel):
    """A quantity that a rulebook calculates."""

    quantity: str
    label: Both
    unit: str


class Explained(BaseModel):
    """A trace (shape `trace/1`), or what there is to choose from where no quantity is named."""

    rulebook: str
    period: str
    quantity: str | None
    where: dict[str, str]
    title: Both | None
    choices: list[Choice]
    rulebooks: list[str]
    nodes: int
    trace: dict[str, Any] | None


def view(
    asked: Asked,
    quantity: str | None = None,
    rulebook: str = "cn_gbt_2589_2020",
    period: str | None = None,
    as_of: str | None = None,
    site: str | None = None,
    process: str | None = None,
    meter: str | None = None,
    carrier: str | None = None,
    product: str | None = None,
) -> Explained:
    """The trace of one number. Any other query parameter is a key of the quantity, as in a rulebook's grain (`gas=R-410A`)."""
    book = asked.workspace.library.book(rulebook)
    named = {"site": site, "process": process, "meter": meter, "carrier": carrier, "product": product}
    others = {name: word for name, word in asked.query.items() if name not in _NOT_A_KEY}
    where = {name: word for name, word in {**others, **named}.items() if word}
    shown = asked.period(period)
    choices = [
        Choice(quantity=name, label=both(book.label(name)), unit=str(rules[0].unit))
        for name, rules in book.rules.items()
    ]
    trace = None
    if quantity:
        trace = asked.plant.explain(quantity, rulebook, shown, where=where, as_of=as_of, lang=asked.lang)
    return Explained(
        rulebook=book.id, period=shown, quantity=quantity, where=where, title=both(book.label(quantity)) if quantity else None,
        choices=choices, rulebooks=shipped_ids(), nodes=sum(1 for _ in trace.root.walk()) if trace else 0,
        trace=trace.to_json() if trace else None,
    )  # fmt: skip
