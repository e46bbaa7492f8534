"""Columns made from columns, written as few nested SELECTs: what depends on a column stands one SELECT further out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from celadon.engine.pieces import (
    NO,
    NULL,
    YES,
    literal,
)

_PLAIN = {NO, NULL, YES, "TRUE", "FALSE"}


class Layers:
    """Named columns over one source. A text that was named before keeps its name, so nothing is computed twice."""

    def __init__(self, letter: str) -> None:
        self.letter = letter
        self._names = re.compile(rf"\b{letter}[0-9]+\b")
        self._known: dict[str, str] = {}
        self._depth: dict[str, int] = {}
        self._text: dict[str, str] = {}
        self._levels: list[list[tuple[str, str]]] = [[]]

    def source(self, sql: str) -> str:
        """The name of a column that the source itself gives."""
        return self._name(sql, 0)

    def column(self, sql: str) -> str:
        """The name of a column computed from columns of these layers; a name, a number or NULL stays as it is."""
        if sql in _PLAIN or literal(sql) is not None or self._names.fullmatch(sql):
            return sql
        depth = max((self._depth[name] for name in self._names.findall(sql)), default=0)
        return self._name(sql, depth + 1)

    def text(self, name: str) -> str:
        """What a column is computed from; of a source column, nothing."""
        return self._text[name] if self._depth[name] else ""

    def needs(self, sql: str) -> dict[str, str]:
        """The source columns that `sql` is computed from, each with what the source gives."""
        return {name: self._text[name] for name in self._all(sql) if not self._depth[name]}

    def reads(self, prefix: str) -> bool:
        """Whether any source column comes from this relation."""
        return any(sql.startswith(prefix) for _, sql in self._levels[0])

    def _all(self, sql: str) -> dict[str, None]:
        """All columns that `sql` is computed from, directly or not."""
        found: dict[str, None] = {}
        waiting = self._names.findall(sql)
        while waiting:
            name = waiting.pop()
            if name not in found and name in self._depth:
                found[name] = None
                waiting += self._names.findall(self.text(name))
        return found

    def _name(self, sql: str, depth: int) -> str:
        mark = f"{depth == 0}:{sql}"
        if mark not in self._known:
            name = self._known[mark] = f"{self.letter}{len(self._known)}"
            self._depth[name], self._text[name] = depth, sql
            while len(self._levels) <= depth:
                self._levels.append([])
            self._levels[depth].append((name, sql))
        return self._known[mark]

    def select(
        self,
        source: str,
        wanted: Iterable[str],
        first: str = "",
        last: str = "",
        instead: Mapping[str, str] | None = None,
    ) -> str:
        """The columns that `wanted` is computed from, over `source` (`FROM …`); `first` and `last` go before and after the
        innermost columns. `instead`: of source columns, what this source gives."""
        given, needed = instead or {}, self._all(" ".join(wanted))
        levels = [
            [f"{given.get(name, sql)} AS {name}" for name, sql in level if name in needed]
            for level in self._levels
        ]
        inner = ", ".join([*([first] if first else []), *levels[0]])
        text = f"SELECT {inner or '1 AS one'}\n{source}{last}"
        for number, level in enumerate(levels[1:], start=1):
            if level:
                columns = ",\n  ".join(level)
                text = f"SELECT *,\n  {columns}\nFROM (\n{text}\n) AS {self.letter}_{number}"
        return text
