"""One rulebook, clause by clause: text, formula, what it takes, its factor tables, its cases, and what is not modelled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from celadon.core.findings import FindingError
from celadon.core.findings import Place as Where
from celadon.core.text import Text
from celadon.rules.coverage import case_bodies, coverage
from celadon.rules.rulebook import Rulebook, shipped_ids
from celadon.web.access import ANYONE
from celadon.web.asked import Asked
from celadon.web.page import Both, Page, both
from celadon.web.problems import NOT_THERE

page = Page("/rulebooks/{rulebook}", Text("Rulebook", "规则册"), ANYONE)


class InForce(BaseModel):
    """A document and when it holds."""

    number: Both
    title: Both
    since: str
    until: str | None


class Formula(BaseModel):
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


class Section(BaseModel):
    """A clause with its rules; `cases` counts those that expect one of its quantities by name."""

    clause: Both
    text: Both
    formulas: list[Formula]
    cases: int


class Input(BaseModel):
    """A fact or factor that the book asks for; `table` is a factor's."""

    name: str
    label: Both
    unit: str
    clause: Both | None
    otherwise: str
    table: str | None = None


class Choice(BaseModel):
    """An option of the account and what can be chosen, the default first."""

    name: str
    label: Both
    choices: dict[str, Both]
    clause: Both | None


class FactorRows(BaseModel):
    """A factor table: how many rows, and how many of them nobody has checked."""

    name: str
    rows: int
    recalled: int


class Worked(BaseModel):
    """A case and who vouches for it."""

    name: str
    period: str
    by: str
    source: str


class Gap(BaseModel):
    """What is not modelled, and why."""

    clause: Both | None
    what: Both
    why: Both


class Book(BaseModel):
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
    options: list[Choice]
    tables: list[FactorRows]
    cases: list[Worked]
    not_modelled: list[Gap]
    doubts: list[Both]
    recalled: float | None


def shipped(asked: Asked, name: str) -> Rulebook:
    """A shipped rulebook (FindingError `access.not-there` for any other name: folders of plants are not public)."""
    if name not in shipped_ids():
        raise FindingError(NOT_THERE.at(Where(subject=asked.path), path=asked.path))
    return asked.workspace.library.book(name)


def view(asked: Asked, rulebook: str) -> Book:
    """A shipped rulebook, clause by clause in the document's order."""
    book = shipped(asked, rulebook)
    return Book(
        rulebook=book.id,
        digest=book.digest,
        title=both(book.document.title),
        scope=both(book.scope),
        edition=book.edition,
        documents=[
            InForce(
                number=both(item.cited),
                title=both(item.title),
                since=str(item.since),
                until=str(item.until) if item.until else None,
            )
            for item in book.documents
        ],
        builds_on=[base.id for base in book.builds_on],
        sections=_sections(book),
        facts=[_input(spec, spec.on_missing, None) for spec in book.facts.values()],
        factors=[_input(spec, spec.on_gap, spec.table) for spec in book.factors.values()],
        options=[
            Choice(
                name=item.name,
                label=both(item.label),
                clause=_cited(item.clause),
                choices={
                    name: both(item.choices[name])
                    for name in sorted(item.choices, key=lambda name: name != item.default)
                },
            )
            for item in book.options.values()
        ],
        tables=[
            FactorRows(
                name=item.name,
                rows=len(item.rows),
                recalled=sum(row.confidence == "recalled" for row in item.rows),
            )
            for item in book.tables.values()
        ],
        cases=list(_cases(book)),
        not_modelled=[
            Gap(clause=_cited(item.clause), what=both(item.what), why=both(item.why))
            for item in book.not_modelled
        ],
        doubts=[both(item) for item in book.doubts],
        recalled=coverage(book).recalled,
    )


def _sections(book: Rulebook) -> list[Section]:
    found = {
        item.clause: Section(clause=both(item.clause), text=both(item.text), formulas=[], cases=item.cases)
        for item in coverage(book).clauses
    }
    for rules in book.rules.values():
        for rule in rules:
            found[rule.clause.cited].formulas.append(
                Formula(
                    quantity=rule.name,
                    label=both(rule.label),
                    unit=str(rule.unit),
                    grain=str(rule.grain),
                    formula=rule.formula_text,
                    says=rule.doc,
                    inputs=list(rule.needs),
                    adds=rule.adds,
                    validity=str(rule.validity) if rule.validity.since or rule.validity.until else "",
                )
            )
    return list(found.values())


def _input(spec: Any, otherwise: str, table: str | None) -> Input:
    return Input(
        name=spec.name,
        label=both(spec.label),
        unit=str(spec.unit),
        clause=_cited(spec.clause),
        otherwise=otherwise,
        table=table,
    )


def _cited(clause: Text | None) -> Both | None:
    return both(clause) if clause else None


def _cases(book: Rulebook) -> Iterator[Worked]:
    for body in case_bodies(book):
        vouched = body.get("vouched") or {}
        yield Worked(
            name=str(body.get("name", "")),
            period=str(body.get("period", "")),
            by=str(vouched.get("by", "")),
            source=str(vouched.get("source", "")),
        )
