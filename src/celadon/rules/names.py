"""What the facts and figures that shipped rulebooks speak of are called."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from celadon.core.text import Text
from celadon.rules.rulebook import load_rulebook, shipped_ids

STOCKS = {
    "fuel_purchased": Text("Fuel purchased", "购入燃料"),
    "fuel_opening_stock": Text("Opening stock", "期初库存"),
    "fuel_closing_stock": Text("Closing stock", "期末库存"),
    "fuel_resold": Text("Fuel resold", "转售燃料"),
    "fuel_consumed": Text("Fuel consumed", "消耗燃料"),
}
"""Records of a fuel ledger, from which what was used is worked out."""


@lru_cache(maxsize=16)
def fact_names(first: tuple[str, ...] = ()) -> Mapping[str, Text]:
    """What the records and facts that shipped rulebooks ask for are called: by the rulebooks `first` before the others."""
    shipped = shipped_ids()
    found: dict[str, Text] = {}
    for rulebook in dict.fromkeys([*(name for name in first if name in shipped), *shipped]):
        for spec in load_rulebook(rulebook).facts.values():
            found.setdefault(spec.name, spec.label)
    return found | STOCKS


@lru_cache(maxsize=1)
def quantity_names() -> Mapping[str, Text]:
    """The same of everything they speak of: facts, factors and what they calculate."""
    found: dict[str, Text] = dict(fact_names())
    for rulebook in shipped_ids():
        book = load_rulebook(rulebook)
        for name in book.known_names():
            found.setdefault(name, book.label(name))
    return found
