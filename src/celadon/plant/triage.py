"""Triage: what people decided about findings, kept for good beside the facts, with who, when and why.

A finding that was accepted is shown as accepted as long as it says the same; once it says something else it is open again.
Accepting changes no figure: what should not count is excluded, what is wrong is corrected (see `drafts`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.plant.account import Question, account
from celadon.plant.keeping import unique
from celadon.plant.opened import View
from celadon.plant.workspace import Workspace
from celadon.store import Snapshot, Store
from celadon.store.rows import DECISION

FINDING_UNKNOWN = FindingKind(
    "triage.no-such-finding",
    Severity.ERROR,
    Text(en="No such finding", zh="没有该问题"),
    Text(en="No finding of {period} has the id {id}.", zh="{period} 没有编号为 {id} 的问题。"),
    Text(
        en="`celadon triage PLANT` lists findings with their ids; one that says something new has a new id.",
        zh="用 `celadon triage PLANT` 列出问题及编号；内容变化后编号也会变化。",
    ),
)
REASON_NEEDED = FindingKind(
    "triage.reason-needed",
    Severity.ERROR,
    Text(en="A reason is needed", zh="须写明理由"),
    Text(en="Accepting {id} needs a reason that others can read.", zh="接受 {id} 须写明他人可读的理由。"),
    Text(en="Say why it may stay as it is.", zh="请说明为何可以保持现状。"),
)
ACCEPT, REOPEN = "accept", "reopen"


@dataclass(frozen=True)
class Decision:
    """What somebody decided about a finding. `action`: accept or reopen."""

    finding: str
    action: str
    by: str
    reason: str
    code: str
    at: datetime
    """When it was recorded, UTC."""

    def to_json(self) -> dict[str, Any]:
        return {
            "finding": self.finding, "action": self.action, "by": self.by, "reason": self.reason, "code": self.code,
            "at": self.at.isoformat(),
        }  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """A finding with its id and everything that was decided about it, oldest first."""

    id: str
    finding: Finding
    decisions: tuple[Decision, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the last word is that it may stay."""
        return bool(self.decisions) and self.decisions[-1].action == ACCEPT

    def to_json(self) -> dict[str, Any]:
        shape = self.finding.to_json()
        shape.pop("message")
        return {
            "id": self.id, "accepted": self.accepted, "decisions": [one.to_json() for one in self.decisions], **shape,
        }  # fmt: skip


def id_of(finding: Finding, plant_file: str = "") -> str:
    """A finding's id: the same for the same words about the same place, wherever the plant's folder is."""
    where = finding.where.to_json()
    if where.get("file") == plant_file:
        where.pop("line", None)  # the plant file's lines move when it is added to
    if "file" in where and PurePath(where["file"]).is_absolute():
        where["file"] = PurePath(where["file"]).name
    shape = finding.to_json()
    text = json.dumps([finding.code, where, shape["values"]], sort_keys=True, ensure_ascii=False)
    if plant_file:
        text = text.replace(json.dumps(plant_file, ensure_ascii=False)[1:-1], PurePath(plant_file).name)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def decisions(snapshot: Snapshot) -> dict[str, list[Decision]]:
    """Everything decided by then, by finding id."""
    found: dict[str, list[Decision]] = {}
    for batch in snapshot.batches():
        if batch.kind == DECISION:
            said = json.loads(batch.note)
            one = Decision(
                said["finding"], said["action"], said["by"], said["reason"], said["code"], batch.recorded_at
            )
            found.setdefault(one.finding, []).append(one)
    return found


def judged(seen: View, findings: Sequence[Finding]) -> list[Judged]:
    """Findings with what was decided about them; those that wait come first, errors before warnings."""
    known, file = decisions(seen.snapshot), seen.model.file
    order = [Severity.ERROR, Severity.WARNING, Severity.NOTICE]
    made = [
        Judged(id_, item, tuple(known.get(id_, ())))
        for item in unique(findings)
        for id_ in [id_of(item, file)]
    ]
    return sorted(made, key=lambda one: (one.accepted, order.index(one.finding.severity)))


def triage(work: Workspace, seen: View, rulebooks: Sequence[str], period: str) -> list[Judged]:
    """What the accounts of a period under these rulebooks find, with what was decided about it."""
    found: list[Finding] = []
    for name in rulebooks:
        found += account(work, seen, work.book(name), Question(period)).findings
    return judged(seen, found)


def decide(
    store: Store, known: Sequence[Judged], ident: str, action: str, by: str, reason: str, period: str
) -> Decision:
    """Accept a finding, or open it again; kept with who, when and why.

    Raises:
        FindingError: there is no such finding among those known, or accepting gives no reason.
    """
    mine = next((one for one in known if one.id == ident), None)
    if mine is None:
        raise FindingError(FINDING_UNKNOWN.at(Place(subject=ident), id=ident, period=period))
    if action == ACCEPT and not reason.strip():
        raise FindingError(REASON_NEEDED.at(Place(subject=ident), id=ident))
    body = {"finding": ident, "action": action, "by": by, "reason": reason.strip(), "code": mine.finding.code}
    with store.lock(), store.begin(DECISION, json.dumps(body, ensure_ascii=False, sort_keys=True)) as pending:
        batch = pending.commit()
    return Decision(ident, action, by, reason.strip(), mine.finding.code, batch.recorded_at)
