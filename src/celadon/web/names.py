"""Names: what the places and items of a plant, and rulebooks, are called; the keys a value goes by in its rulebook; and what a
program's words in a finding or a formula are called."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from celadon.core.carriers import PURPOSES
from celadon.core.findings import Finding, FindingError
from celadon.core.items import item_names, word_name
from celadon.core.model import Plant as PlantModel
from celadon.core.text import Lang, Text
from celadon.engine.run import Row
from celadon.rules.names import quantity_names
from celadon.rules.rulebook import Rulebook, load_rulebook

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


_WORD = re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)*\b")
_NAMING = frozenset({"quantity", "item", "carrier", "fact", "factor", "total", "purpose", "of"})
"""Values of findings that name something; a word of a file under another value stays as the file has it."""


def worded(finding: Finding, **more: Text) -> Finding:
    """A finding whose words of a program (`fuel_purchased`) are said as people call them; `more`: other values to say otherwise."""
    changed: dict[str, object] = {
        name: said
        for name, word in finding.values.items()
        if name in _NAMING and isinstance(word, str) and (said := word_named(word)) is not None
    }
    return replace(finding, values={**finding.values, **changed, **more}) if changed or more else finding


def word_named(word: str) -> Text | None:
    """What a word of rulebooks is called, None where none of them knows it."""
    return (
        quantity_names().get(word)
        or PURPOSES.get(word)
        or (known if (known := word_name(word)).zh != word else None)
    )


def formula_named(formula: str, lang: Lang) -> str:
    """A formula in the names of what it is made of."""

    def named(found: re.Match[str]) -> str:
        known = quantity_names().get(found[0])
        return known.say(lang) if known is not None else found[0]

    return _WORD.sub(named, formula)
