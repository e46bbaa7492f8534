"""Which columns are linear in others: their text says it, in the forms that the compiler of formulas writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from celadon.engine.layers import Layers

_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?e[+-]?[0-9]+"
_SCALED = rf"\((?:c[0-9]+ [*/] {_NUMBER}|{_NUMBER} \* c[0-9]+)\)"
_THERE = rf"coalesce\((?:c[0-9]+|{_SCALED}), 0e0\)"
_ADDED = rf"{_THERE}(?: \+ {_THERE})*"
NAME = re.compile(r"\bc[0-9]+\b")
SCALED = re.compile(_SCALED)
THERE = re.compile(_THERE)
"""What a term adds to a sum of what is there: nothing where it has no value."""
PRODUCT = re.compile(r"\((c[0-9]+) \* (c[0-9]+)\)")
_SUM = re.compile(rf"\(({_ADDED})\)|({_ADDED})")
_SUM_THERE = re.compile(rf"CASE WHEN (.+?) THEN \(?({_ADDED})\)? END")
_SUM_UNLESS = re.compile(rf"CASE WHEN (.+?) THEN NULL ELSE ({_ADDED}) END")
_TEST = re.compile(r"(c[0-9]+)( IS NOT NULL)?")

Parts = frozenset[str]
"""Columns: what is linear in them has a value wherever one of them has."""


class Linear:
    """The forms of the columns of `layers`. `same`: whether a column is the same on all rows that will be added up."""

    def __init__(self, layers: Layers, same: Callable[[str], bool]) -> None:
        self.layers, self.same = layers, same
        self._forms: dict[str, tuple[Parts, bool] | None] = {}

    def parts(self, name: str) -> tuple[Parts, bool]:
        """What a column is linear in (itself, if its text is in none of the forms), and whether every row has a value."""
        return self.form(name) or (frozenset({name}), False)

    def form(self, name: str) -> tuple[Parts, bool] | None:
        """As `parts`; None where the text is in none of the forms."""
        if name not in self._forms:
            self._forms[name] = self._read(name, self.layers.text(name))
        return self._forms[name]

    def added(self, name: str) -> str | None:
        """Of a sum of what is there: the text of the sum, which is zero where nothing is."""
        if self.form(name) is None:
            return None
        for form in (_SUM, _SUM_THERE, _SUM_UNLESS):
            if found := form.fullmatch(self.layers.text(name)):
                return found[2] or found[1]
        return None

    def fixed(self, name: str) -> list[str]:
        """Of a product with a column that is the same on all rows that are added up: that column."""
        product = PRODUCT.fullmatch(self.layers.text(name))
        return [one for one in product.groups() if self.same(one)] if product else []

    def tested(self, text: str) -> Parts | None:
        """The columns one of which has a value where a test holds; None for a test of anything else."""
        found = Parts()
        for one in text.replace("(", "").replace(")", "").split(" OR "):
            test = _TEST.fullmatch(one)
            if test is None:
                return None
            if test[2]:
                parts, always = self.parts(test[1])
                inner = None if always else parts
            else:
                inner = self.tested(self.layers.text(test[1]))
            if inner is None:
                return None
            found |= inner
        return found

    def _read(self, name: str, text: str) -> tuple[Parts, bool] | None:
        if SCALED.fullmatch(text):
            return self.parts(NAME.findall(text)[0])
        if PRODUCT.fullmatch(text):
            return (frozenset({name}), False) if len(self.fixed(name)) == 1 else None
        if _SUM.fullmatch(text):
            return self._union(THERE.findall(text))[0], True
        if found := _SUM_THERE.fullmatch(text):
            parts, always = self._union(THERE.findall(found[2]))
            return (parts, False) if not always and self.tested(found[1]) == parts else None
        if found := _SUM_UNLESS.fullmatch(text):
            terms = [term[len("coalesce(") : -len(", 0e0)")] for term in THERE.findall(found[2])]
            unless = " AND ".join(f"{term} IS NULL" for term in terms)
            return self._union(terms) if found[1] == unless else None
        return None

    def _union(self, terms: Sequence[str]) -> tuple[Parts, bool]:
        """The parts of all terms, and whether one of them has a value on every row."""
        found = [self.parts(NAME.findall(term)[0]) for term in terms]
        return Parts().union(*(parts for parts, _ in found)), any(always for _, always in found)
