"""Calls of the page “rulebook”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class Book(TypedDict):
    """A rulebook as it is read."""

    rulebook: str
    digest: str
    title: Both
    scope: Both
    edition: str
    documents: list[InForce]
    builds_on: list[str]
    sections: list[Section]
    facts: list[Input]
    factors: list[Input]
    options: list[RulebookChoice]
    tables: list[RulebookFactorRows]
    cases: list[Worked]
    not_modelled: list[Gap]
    doubts: list[Both]
    recalled: float | None


class Formula(TypedDict):
    """One rule: a formula of a clause. `inputs` are names of this book's quantities, facts and factors."""

    quantity: str
    label: Both
    unit: str
    grain: str
    formula: str
    says: str
    inputs: list[str]
    validity: str
    adds: bool


class Gap(TypedDict):
    """What is not modelled, and why."""

    clause: Both | None
    what: Both
    why: Both


class InForce(TypedDict):
    """A document and when it holds."""

    number: Both
    title: Both
    since: str
    until: str | None


class Input(TypedDict):
    """A fact or factor that the book asks for; `table` is a factor's."""

    name: str
    label: Both
    unit: str
    clause: Both | None
    otherwise: str
    table: str | None


class Section(TypedDict):
    """A clause with its rules; `cases` counts those that expect one of its quantities by name."""

    clause: Both
    text: Both
    formulas: list[Formula]
    cases: int


class Worked(TypedDict):
    """A case and who vouches for it."""

    name: str
    period: str
    by: str
    source: str


class RulebookChoice(TypedDict):
    """An option of the account and what can be chosen, the default first."""

    name: str
    label: Both
    choices: dict[str, Both]
    clause: Both | None


class RulebookFactorRows(TypedDict):
    """A factor table: how many rows, and how many of them nobody has checked."""

    name: str
    rows: int
    recalled: int


class RulebookCalls(Transport):
    """The page “rulebook”."""

    def rulebooks_get(self, rulebook: str) -> Book:
        """Rulebook (GET /rulebooks/{rulebook}.json)"""
        return cast("Book", self._get(f"/rulebooks/{self._part(rulebook)}.json"))
