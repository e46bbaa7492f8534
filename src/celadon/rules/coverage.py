"""What a rulebook models and what vouches for it: clauses, cases, and how sure its factors are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from celadon.core.cycles import no_cycles_sought
from celadon.core.dataclass import dataclass
from celadon.core.text import Text
from celadon.rules.factors import CONFIDENCES
from celadon.rules.reading import read_yaml
from celadon.rules.rulebook import Rulebook

VOUCHERS = ("published", "recomputed", "constructed")
"""Who vouches for a case: a document's own example or figure, an independent computation, or hand arithmetic."""


@dataclass(frozen=True, slots=True)
class ClauseCoverage:
    """One clause that rules hang on: its quantities, and how many cases expect one of them by name."""

    clause: Text
    text: Text
    quantities: tuple[str, ...]
    cases: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """One rulebook's clauses in its own order; cases by who vouches for them; factor rows by confidence."""

    clauses: tuple[ClauseCoverage, ...]
    not_modelled: int
    cases: Mapping[str, int]
    factor_rows: Mapping[str, int]

    @property
    def recalled(self) -> float | None:
        """The share of factor rows that nobody has checked against their source (None without any rows)."""
        rows = sum(self.factor_rows.values())
        return self.factor_rows["recalled"] / rows if rows else None

    def to_json(self) -> dict[str, Any]:
        """The counts, as in shapes `rulebooks/1` and `rulebook/1`."""
        return {
            "clauses": len(self.clauses),
            "not_modelled": self.not_modelled,
            "cases": dict(self.cases),
            "factor_rows": dict(self.factor_rows),
            "recalled": self.recalled,
        }

    def clauses_json(self) -> list[dict[str, Any]]:
        """Clause by clause, as in shape `rulebook/1`."""
        return [
            {
                "clause": item.clause.en,
                "clause_label": {"zh": item.clause.zh, "en": item.clause.en},
                "text": item.text.en,
                "says": {"zh": item.text.zh, "en": item.text.en},
                "quantities": list(item.quantities),
                "cases": item.cases,
            }
            for item in self.clauses
        ]


def coverage(book: Rulebook) -> Coverage:
    """Count what is there; a case is read for what it expects and who vouches for it, and is not run.

    Raises:
        FindingError: a file of cases cannot be read.
    """
    vouched: Counter[str] = Counter(dict.fromkeys(VOUCHERS, 0))
    expecting: Counter[str] = Counter()
    for case in case_bodies(book):
        voucher = case.get("vouched")
        by = str(voucher.get("by", "") if isinstance(voucher, dict) else "")
        vouched[by if by in VOUCHERS else "published"] += 1
        expect = case.get("expect")
        names = (
            {item.get("quantity") for item in expect or () if isinstance(item, dict)}
            if isinstance(expect, list)
            else ()
        )
        expecting.update(str(name) for name in names)
    rows: Counter[str] = Counter(dict.fromkeys(CONFIDENCES, 0))
    rows.update(row.confidence for table in book.tables.values() for row in table.rows)
    return Coverage(_clauses(book, expecting), len(book.not_modelled), dict(vouched), dict(rows))


def case_bodies(book: Rulebook) -> list[dict[str, Any]]:
    """Every case as written (FindingError: a file of them cannot be read)."""
    found = []
    with no_cycles_sought():
        for path in sorted((book.folder / "cases").glob("*.yaml")):
            bodies = read_yaml(path)
            found += [body for body in bodies if isinstance(body, dict)] if isinstance(bodies, list) else []
    return found


def _clauses(book: Rulebook, expecting: Mapping[str, int]) -> tuple[ClauseCoverage, ...]:
    named: dict[Text, tuple[Text, dict[str, None]]] = {}
    for rules in book.rules.values():
        for rule in rules:
            named.setdefault(rule.clause.cited, (rule.clause.text, {}))[1][rule.name] = None
    return tuple(
        ClauseCoverage(clause, text, tuple(names), sum(expecting.get(name, 0) for name in names))
        for clause, (text, names) in named.items()
    )
