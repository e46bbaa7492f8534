"""Explain a number of a region: of an enterprise down to its reports' lines, of a group down to its enterprises."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from celadon.core.text import Text
from celadon.web import region_figures as figures
from celadon.web.access import Action, on_region
from celadon.web.asked import Asked
from celadon.web.page import Both, Page, both

page = Page("/regions/{region}/explain", Text("Explain", "溯源"), on_region(Action.OVERSEE))
_NOT_A_KEY = frozenset({"quantity", "rulebook", "period", "lang", "units"})


class Explained(BaseModel):
    """A trace (shape `trace/1`)."""

    rulebook: str
    period: str
    quantity: str
    title: Both
    nodes: int
    trace: dict[str, Any]


def view(
    asked: Asked,
    quantity: str = "comprehensive_energy",
    rulebook: str = figures.ENERGY,
    period: str | None = None,
) -> Explained:
    """The trace of one number; any other query parameter names its place (`enterprise=E1`, `province=370000`)."""
    book = asked.workspace.library.book(rulebook)
    shown = figures.period_of(asked, period)
    where = {name: word for name, word in asked.query.items() if name not in _NOT_A_KEY and word}
    words = ("explain", quantity, book.digest, shown, tuple(sorted(where.items())))
    trace = asked.region.answer(words, lambda region: region.explain(quantity, book, shown, where=where))
    return Explained(
        rulebook=book.id,
        period=trace.period,
        quantity=quantity,
        title=both(book.label(quantity)),
        nodes=sum(1 for _ in trace.root.walk()),
        trace=trace.to_json(),
    )
