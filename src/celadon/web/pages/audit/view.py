"""Audit: the changes that were made, the newest first, each sealed by the digest of all before it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from celadon.core.text import Text
from celadon.web.access import on_console
from celadon.web.asked import Asked, with_query
from celadon.web.page import Cell, Page, Table

page = Page("/audit", Text("Audit log", "审计日志"), on_console(), order=85)


class AuditLine(BaseModel):
    """One change."""

    number: int
    at: str
    person: str
    action: str
    place: str
    detail: str
    digest: str


class Audit(BaseModel):
    """A part of the log. `digest`: of the newest entry; noted elsewhere, it shows later that nothing up to it was altered."""

    entries: int
    digest: str
    next: str | None
    lines: list[AuditLine]


def view(
    asked: Asked,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Audit:
    """Entries before a number (default: the newest)."""
    last = asked.state.row("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1")
    sql = "SELECT * FROM audit WHERE ?1 IS NULL OR number < ?1 ORDER BY number DESC LIMIT ?2"
    lines = [AuditLine(**dict(row)) for row in asked.state.rows(sql, before, limit)]
    more = bool(lines) and lines[-1].number > 1
    return Audit(
        entries=last["number"] if last else 0, digest=last["digest"] if last else "", lines=lines,
        next=with_query("/audit", {"before": lines[-1].number, "limit": limit}) if more else None,
    )  # fmt: skip


def table(model: Audit) -> Table:
    """A row for each entry."""
    names = ("number", "at", "person", "action", "place", "detail", "digest")
    rows: list[list[Cell]] = [[getattr(line, name) for name in names] for line in model.lines]
    return Table(names, rows)
