"""Models that several pages use. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict


class Both(TypedDict):
    """A text in both languages, in a model."""

    zh: str
    en: str


class Done(TypedDict):
    """What a write says: where a browser goes next, and what was done (both languages, where there is something to say)."""

    goto: str
    zh: str
    en: str


class Filed(TypedDict):
    """An entry of the log; `key` is the verifier key it is signed with."""

    index: int
    id: str
    rulebook: str
    edition: str
    period: str
    filed_at: str
    as_of: str | None
    key: str
    package: str


class Group(TypedDict):
    """A group of enterprises. Where it is kept back, so that none can be made out, every number is null."""

    code: str
    name: Both
    kept_back: bool
    enterprises: int | None
    total: float | None
    mean: float | None
    median: float | None
    trace: str | None


class Head(TypedDict):
    """One rulebook; `recalled` is the share of its factor rows that nobody has checked (null: it has none)."""

    rulebook: str
    document: Both
    title: Both
    edition: str
    clauses: int
    not_modelled: int
    cases: dict[str, int]
    recalled: float | None


class KindLine(TypedDict):
    """A kind of quantity and what a person or place chose for it: a unit, `automatic`, `rulebook`, or '' for nothing of its own."""

    kind: str
    label: Both
    units: list[str]
    chosen: str


class Level(TypedDict):
    """Enterprises with one grade level; null where the count is kept back. `level` null: not graded."""

    level: int | None
    enterprises: int | None


class Shown(TypedDict):
    """A change that is made ready: what it is, every figure it changes, what would be found anew and no more."""

    change: str
    what: Both
    figures: int
    asked: list[Under]
    changes: list[WebChanged]
    found: list[WebSaid]
    gone: list[WebSaid]
    files: list[str]
    back: str


class Under(TypedDict):
    """A rulebook and a period whose figures were looked at."""

    rulebook: str
    period: str


class WebChanged(TypedDict):
    """One figure before and after; null where it is absent. `trace` leads to the figure as it is now."""

    rulebook: str
    quantity: str
    label: Both
    where: list[str]
    period: str
    unit: str
    before: float | None
    after: float | None
    difference: float | None
    trace: str | None


class WebSaid(TypedDict):
    """A finding as a page shows it."""

    code: str
    severity: str
    where: str
    says: Both
    fix: Both
