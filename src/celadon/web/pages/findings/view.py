"""Findings: what the accounts of a period find, what was decided about it, and rows in quarantine to be corrected.

Accepting and reopening are noted at once, for good; a correction is shown with its effect first.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from pydantic import BaseModel, Field

from celadon.core.findings import SEVERITY_TEXT, Severity
from celadon.core.periods import parse_period
from celadon.core.text import Text
from celadon.plant.effects import rulebooks_of
from celadon.plant.quarantine import why_of
from celadon.plant.triage import Judged, decide, judged
from celadon.web import changes
from celadon.web.access import Action, on_plant
from celadon.web.asked import Asked
from celadon.web.changes import Shown
from celadon.web.names import worded
from celadon.web.page import Both, Cell, Done, Page, Table, both, write

page = Page("/plants/{plant}/findings", Text("Findings", "问题"), on_plant(Action.EXPLAIN), order=50)
Word = Annotated[str, Field(max_length=2000)]
_SHOWN = 300


class Decided(BaseModel):
    """What somebody decided: accept or reopen."""

    action: str
    by: str
    reason: str
    at: str


class Item(BaseModel):
    """A finding. `accepted`: the last word is that it may stay. `meter` and `start`, `end` say which readings it is about."""

    id: str
    code: str
    severity: str
    severity_text: Both
    title: Both
    where: str
    says: Both
    fix: Both
    clause: Both | None
    accepted: bool
    decisions: list[Decided]
    meter: str
    start: str
    end: str


class Waiting(BaseModel):
    """A row in quarantine: its texts by field."""

    id: int
    file: str
    line: int
    code: str
    title: Both
    says: Both
    cells: dict[str, str]


class Triage(BaseModel):
    """What the page shows: counts of what is open, findings (open ones first), rows that wait."""

    period: str
    rulebooks: list[str]
    open: int
    open_by_severity: dict[str, int]
    accepted: int
    findings: list[Item]
    more: int
    quarantine: list[Waiting]
    waiting: int


class Decision(BaseModel):
    """Accept a finding of a period with a reason, or open it again."""

    finding: Annotated[str, Field(max_length=40)]
    action: Annotated[str, Field(pattern="^(accept|reopen)$")]
    reason: Word = ""
    period: Annotated[str, Field(max_length=40)]


class Correction(BaseModel):
    """A row in quarantine: one field's right text, or `dismiss` to give the row up."""

    row: int
    field: Annotated[str, Field(max_length=400)] = ""
    text: Word = ""
    dismiss: bool = False


def view(asked: Asked, period: str | None = None, show: str = "all") -> Triage:
    """Findings of a period under the plant's rulebooks; `show`: all, open or accepted."""
    shown = parse_period(asked.period(period), asked.plant.model.zone).label
    books, found = _judged(asked, shown)
    wanted = [one for one in found if show == "all" or one.accepted == (show == "accepted")]
    waiting = Counter(str(one.finding.severity) for one in found if not one.accepted)
    with asked.plant.lent() as plant:
        rows = plant.quarantine()
    return Triage(
        period=shown, rulebooks=books, open=waiting.total(), open_by_severity={str(one): waiting[str(one)] for one in Severity}, accepted=sum(one.accepted for one in found),
        findings=[_item(one, asked) for one in wanted[:_SHOWN]], more=max(0, len(wanted) - _SHOWN),
        quarantine=[
            Waiting(
                id=kept.row.id, file=kept.file, line=kept.kept_out.line, code=kept.kept_out.code, title=both(why_of(kept)),
                says=Both(zh=kept.row.finding.says("zh"), en=kept.row.finding.says("en")), cells=dict(kept.kept_out.raw),
            )
            for kept in rows[:_SHOWN]
        ],
        waiting=len(rows),
    )  # fmt: skip


def table(model: Triage) -> Table:
    """The findings, with the last decision."""
    columns = ("id", "code", "severity", "where", "says_zh", "says_en", "accepted", "by", "reason", "at")
    rows: list[list[Cell]] = []
    for one in model.findings:
        last = one.decisions[-1] if one.decisions else Decided(action="", by="", reason="", at="")
        rows.append(
            [
                one.id,
                one.code,
                one.severity,
                one.where,
                one.says.zh,
                one.says.en,
                one.accepted,
                last.by,
                last.reason,
                last.at,
            ]
        )
    return Table(columns, rows)


@write(page, "decide", need=on_plant(Action.CHANGE))
def decide_on(asked: Asked, given: Decision) -> Done:
    """Accept a finding with a reason, or open it again; noted for good with who and when."""
    label = parse_period(given.period, asked.plant.model.zone).label
    _, known = _judged(asked, label)
    name = asked.who.name if asked.who else ""
    with asked.plant.lent() as plant:
        made = decide(plant.store, known, given.finding, given.action, name, given.reason, label)
    asked.record(
        f"finding.{made.action}", {"finding": made.finding, "code": made.code, "reason": made.reason}
    )
    zh, en = ("已接受。", "Accepted.") if made.action == "accept" else ("已重新打开。", "Opened again.")
    return Done(goto=asked.at("findings", period=label), zh=zh, en=en)


@write(page, "correct", need=on_plant(Action.CHANGE))
def correct(asked: Asked, given: Correction) -> Shown:
    """Make the correction of a row in quarantine ready, and say what it changes."""
    fields = {} if given.dismiss else {str(given.row): {given.field: given.text}}
    body = {"changes": fields, "dismissed": [given.row] if given.dismiss else []}
    return changes.show(asked, "quarantine", body, asked.at("findings"))


def _judged(asked: Asked, period: str) -> tuple[list[str], list[Judged]]:
    """The plant's rulebooks, and what their accounts find."""
    desk = asked.plant
    books = rulebooks_of(desk.model)
    found = [item for book in books for item in desk.account(book, period).findings]
    with desk.watched() as plant:
        return books, judged(plant.view(), found)


def _item(one: Judged, asked: Asked) -> Item:
    finding = worded(one.finding)
    subject = finding.where.subject or ""
    meter = subject.removeprefix("meter:") if subject.startswith("meter:") else ""
    start, _, end = (finding.where.period or "").partition("..")
    known = {item.id for item in asked.plant.model.meters}
    return Item(
        id=one.id, code=finding.code, severity=str(finding.severity), severity_text=both(SEVERITY_TEXT[finding.severity]),
        title=both(finding.kind.title), where=asked.where(finding), says=Both(zh=finding.says("zh"), en=finding.says("en")),
        fix=Both(zh=finding.fix("zh"), en=finding.fix("en")), clause=both(finding.clause) if finding.clause else None, accepted=one.accepted,
        decisions=[
            Decided(action=made.action, by=made.by, reason=made.reason, at=made.at.isoformat(timespec="seconds"))
            for made in one.decisions
        ],
        meter=meter if meter in known else "", start=start, end=end,
    )  # fmt: skip
