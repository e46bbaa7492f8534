"""The rulebooks, for everybody: what each one is, how much of it is modelled and what vouches for it."""

from __future__ import annotations

from pydantic import BaseModel

from celadon.core.text import Text
from celadon.rules.coverage import coverage
from celadon.rules.rulebook import shipped_ids
from celadon.web.access import ANYONE
from celadon.web.asked import Asked
from celadon.web.page import Both, Page, Table, both

page = Page("/rulebooks", Text("Rulebooks", "规则册"), ANYONE, order=5)


class Head(BaseModel):
    """One rulebook; `recalled` is the share of its factor rows that nobody has checked (null: it has none)."""

    rulebook: str
    document: Both
    title: Both
    edition: str
    clauses: int
    not_modelled: int
    cases: dict[str, int]
    recalled: float | None


class Rulebooks(BaseModel):
    """Every rulebook that is shipped."""

    rulebooks: list[Head]


def view(asked: Asked) -> Rulebooks:
    """Every shipped rulebook with its coverage."""
    return Rulebooks(rulebooks=[head(asked, name) for name in shipped_ids()])


def table(model: Rulebooks) -> Table:
    """One row each."""
    columns = ("rulebook", "document", "title", "edition", "clauses", "not_modelled", "cases", "recalled")
    rows = [
        [
            item.rulebook,
            item.document.en,
            item.title.en,
            item.edition,
            item.clauses,
            item.not_modelled,
            sum(item.cases.values()),
            item.recalled,
        ]
        for item in model.rulebooks
    ]
    return Table(columns, rows)


def head(asked: Asked, name: str) -> Head:
    """One of them."""
    book = asked.workspace.library.book(name)
    found = asked.workspace.answers.get(("coverage", book.digest), lambda: coverage(book))
    return Head(
        rulebook=book.id,
        document=both(book.document.cited),
        title=both(book.document.title),
        edition=book.edition,
        clauses=len(found.clauses),
        not_modelled=found.not_modelled,
        cases=dict(found.cases),
        recalled=found.recalled,
    )
