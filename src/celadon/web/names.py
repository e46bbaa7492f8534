"""Names: what the places and items of a plant, and rulebooks, are called; and the keys a value goes by in its rulebook."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from celadon.core.carriers import PURPOSES
from celadon.core.findings import FindingError
from celadon.core.items import item_names
from celadon.core.model import Plant as PlantModel
from celadon.core.text import Text
from celadon.engine.run import Row
from celadon.rules.rulebook import Rulebook, load_rulebook, shipped_ids

REST = "~rest"
_NUMBER = re.compile(r"[A-Z][A-Z/]* ?[\d.:-]+")
"""A document's number that says the same in every language: GB/T 2589-2020."""
_UNATTRIBUTED = Text("not attributed", "未归属")


class Names:
    """What places (enterprise, sites, processes, meters) and items (carriers, products) are called; others by their id."""

    def __init__(self, model: PlantModel) -> None:
        self._places: dict[str, Text] = {model.enterprise: model.name}
        for site in model.sites:
            self._places |= {site.id: site.name} | {process.id: process.name for process in site.processes}
        for meter in model.meters:
            self._places[meter.id] = Text(f"{meter.id} {meter.name.en}", f"{meter.id} {meter.name.zh}")
        self._places |= {meter.id: meter.name for meter in model.virtual_meters}
        self._items = item_names(model)

    def place(self, name: str) -> Text:
        """A place; what is left over below a meter is named after it."""
        if not name:
            return _UNATTRIBUTED
        if name.endswith(REST):
            above = self._places.get(name.removesuffix(REST), Text(name, name))
            return Text(f"{above.en}: not metered below", f"{above.zh}：未计量余量")
        return self._places.get(name, Text(name, name))

    def item(self, name: str) -> Text:
        """A carrier, product or other item."""
        return self._items.get(name, Text(name, name))

    def word(self, word: str) -> Text:
        """Any word that tells a number apart: a place, an item or a purpose."""
        known = self._places.get(word) or self._items.get(word) or PURPOSES.get(word)
        return known or (self.place(word) if word.endswith(REST) else Text(word, word))


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


@lru_cache(maxsize=256)
def rulebook_name(rulebook: str) -> Text:
    """A shipped rulebook's document, with its number where that is no sentence; another one by its id."""
    try:
        document = load_rulebook(rulebook).document
    except FindingError:
        return Text(rulebook, rulebook)
    number = document.number if _NUMBER.fullmatch(document.number) else ""
    title = document.title
    return Text(f"{number} {title.en}".strip(), f"{number} {title.zh}".strip())


def rulebook_number(rulebook: str) -> Text:
    """The short form: the document's number where that is no sentence, else what it is called."""
    name = rulebook_name(rulebook)
    number = _NUMBER.match(name.en)
    return Text(number[0].strip(), number[0].strip()) if number and name.zh.startswith(number[0]) else name


def keys_of(book: Rulebook, row: Row) -> dict[str, str]:
    """The keys of a value besides its place, by the names of its rulebook: carrier, product, gas, purpose …"""
    rules = book.rules.get(row.quantity)
    keys = [key for key in (rules[0].grain.keys if rules else ()) if key != "purpose"]
    found = {keys[0]: row.item} if keys and row.item else {}
    return {**found, **({"purpose": row.purpose} if row.purpose else {})}
