"""What a value rests on: kinds of data and kinds of factors, each as shares that add to 1.

A share is a part of the sum of |value| over the terms of a sum; in a product the weaker operand counts, in a chosen branch the
branch. The query carries each kind together with all worse ones (`sql.QUALITIES`); here they are told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from itertools import pairwise

from celadon.core.dataclass import dataclass
from celadon.core.text import Text

DATA = ("measured", "calculated", "declared", "estimated", "defaulted")
"""Kinds of data, best to worst; a share each, together 1."""
FACTORS = ("factorless", "verified2", "verified1", "own", "recalled")
"""Kinds of factors, best to worst; a share each, together 1."""
LABELS: Mapping[str, Text] = {
    "measured": Text("measured", "实测"),
    "calculated": Text("calculated", "计算"),
    "declared": Text("declared", "申报"),
    "estimated": Text("estimated", "估算"),
    "defaulted": Text("default", "缺省"),
    "factorless": Text("no factor", "不涉及因子"),
    "verified2": Text("checked twice", "因子双源核实"),
    "verified1": Text("checked once", "因子单源核实"),
    "own": Text("own factor", "企业自有因子"),
    "recalled": Text("unchecked factor", "因子未核实"),
}


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares of one value, 0 to 1: those of DATA add to 1, and so do those of FACTORS; all 0 where the value is absent.

    `verified2`: factors that are official or verified by two sources; `verified1`: by one; `own`: declared by the plant;
    `recalled`: unchecked; `factorless`: no factor is used."""

    measured: float = 0.0
    calculated: float = 0.0
    declared: float = 0.0
    estimated: float = 0.0
    defaulted: float = 0.0
    factorless: float = 0.0
    verified2: float = 0.0
    verified1: float = 0.0
    own: float = 0.0
    recalled: float = 0.0

    def shares(self) -> dict[str, float]:
        """All shares by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


NO_QUALITY = Quality()
"""Of what has no value."""


def quality_of(at_least: Sequence[float | None]) -> Quality:
    """The shares apart, from those of sql.QUALITIES in order, each of which holds all worse ones."""
    return _quality(tuple(at_least))


@lru_cache(maxsize=4096)
def _quality(at_least: tuple[float | None, ...]) -> Quality:
    known = [share or 0.0 for share in at_least]
    return Quality(*_apart(known[: len(DATA) - 1]), *_apart(known[len(DATA) - 1 :]))


def _apart(nested: Sequence[float]) -> list[float]:
    edges = [1.0, *nested, 0.0]
    # Two means of the same sums may differ in their last digits.
    return [max(0.0, above - below) for above, below in pairwise(edges)]
