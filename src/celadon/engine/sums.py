"""Sums over rows: what is linear in columns is put together from the sums of those columns, each of them added up once.

Σ(a·k) = k·Σa, and the sum of what is there of several columns is what is there of their sums: so thirty formulas that scale
and add the same dozen facts cost a dozen sums. What is not linear is added up as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from celadon.engine.layers import Layers
from celadon.engine.linear import NAME, Linear

_ASKED = re.compile(r"sum\((c[0-9]+)\)")


class Sums:
    """The aggregates of one grouped SELECT over rows, and what is put together from them: both are columns of `layers`.

    `asked`: the aggregates that are wanted."""

    def __init__(self, linear: Linear, asked: Iterable[str]) -> None:
        self.layers = Layers("s")
        self._linear = linear
        wanted = [found[1] for sql in asked if (found := _ASKED.fullmatch(sql))]
        several = {name: parts for name in wanted if len(parts := linear.parts(name)[0]) > 1}
        added = {part for name in wanted if name not in several for part in linear.parts(name)[0]}
        self._plain: set[str] = set()
        for name, parts in sorted(several.items(), key=lambda item: len(item[1])):
            if len(parts - added) > 1:  # added up row by row it is one sum, and costs less than several
                self._plain.add(name)
            added |= {name} if name in self._plain else parts

    def column(self, aggregate: str) -> str:
        """The column of `layers` that an aggregate over the rows is."""
        found = _ASKED.fullmatch(aggregate)
        if found is None or found[1] in self._plain:
            return self.layers.source(aggregate)
        return self._sum(found[1])

    def _sum(self, name: str) -> str:
        """The sum of a column, or whether one of a group's rows passes a test: the column's own text over sums."""
        text = self._linear.layers.text(name)
        if self._linear.form(name) is None and self._linear.tested(text) is None:
            return self.layers.source(f"sum({name})")
        fixed = self._linear.fixed(name)

        def added(found: re.Match[str]) -> str:
            return self.layers.source(f"max({found[0]})") if found[0] in fixed else self._sum(found[0])

        return self.layers.column(NAME.sub(added, text))
