"""Changes of a plant's facts by its pages: shown with their effect, then committed by whoever looked at it.

What was shown waits as a row of the console's state under an id: what it asks for, and the state of the plant it was worked
out from. Committing makes the same draft again and is refused where the plant has moved on (`draft.outdated`).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from celadon.core.findings import Finding, FindingError, FindingKind, Severity
from celadon.core.findings import Place as Where
from celadon.core.text import Text
from celadon.plant.drafts import Draft, free_name
from celadon.plant.effects import Effect
from celadon.plant.entry import Entry, Signed
from celadon.plant.facade import Plant
from celadon.plant.limited import guess_limited
from celadon.web.asked import Asked
from celadon.web.names import worded
from celadon.web.page import Both, Done, both
from celadon.web.state import now, stamp
from celadon.web.units import InUnits
from celadon.web.uploads import Uploads

NOT_WAITING = FindingKind(
    "change.not-waiting",
    Severity.ERROR,
    Text("No such change", "没有该更改"),
    Text(
        "The change {id} does not wait any more: it was made, or it is older than a day.",
        "更改 {id} 已不在等待：已提交或超过一天。",
    ),
    Text("Make it ready again.", "请重新准备该更改。"),
)
NOT_USABLE = FindingKind(
    "change.source-not-usable",
    Severity.ERROR,
    Text("File would not be read", "文件无法读取"),
    Text(
        "Nothing of {name} would be loaded as it is mapped now.", "按当前对应关系，{name} 没有可载入的内容。"
    ),
    Text("Correct the mapping until rows are read.", "请更正对应关系，直到有行可读取。"),
)
SCHEMA = """
CREATE TABLE IF NOT EXISTS change (
    id TEXT PRIMARY KEY, plant TEXT NOT NULL, person TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
"""
_KEPT = timedelta(days=1)


class Changed(BaseModel):
    """One figure before and after; null where it is absent. `trace` leads to the figure as it is now."""

    in_units: ClassVar[InUnits] = {"unit": ("before", "after", "difference")}

    rulebook: str
    quantity: str
    label: Both
    where: list[str]
    """Site, item, purpose … that tell it apart."""
    period: str
    unit: str
    before: float | None
    after: float | None
    difference: float | None
    trace: str | None


class Said(BaseModel):
    """A finding as a page shows it."""

    code: str
    severity: str
    where: str
    says: Both
    fix: Both


class Under(BaseModel):
    """A rulebook and a period whose figures were looked at."""

    rulebook: str
    period: str


class Shown(BaseModel):
    """A change that is made ready: what it is, every figure it changes, what would be found anew and no more.

    `change` is the id to commit it by; nothing was changed."""

    change: str
    what: Both
    figures: int
    asked: list[Under]
    changes: list[Changed]
    found: list[Said]
    gone: list[Said]
    files: list[str]
    back: str


def said(asked: Asked, item: Finding) -> Said:
    """A finding for a model."""
    item = worded(item)
    return Said(
        code=item.code, severity=str(item.severity), where=asked.where(item), says=Both(zh=item.says("zh"), en=item.says("en")),
        fix=Both(zh=item.fix("zh"), en=item.fix("en")),
    )  # fmt: skip


def show(asked: Asked, kind: str, body: Mapping[str, Any], back: str) -> Shown:
    """Make a change ready and work out what it does; `body` must be plain values, for it is kept."""
    body = {"at": datetime.now(UTC).isoformat(), "by": asked.who.name if asked.who else "", **body}
    with asked.plant.lent() as plant:
        effect = plant.effect(_draft(asked, plant, kind, body))
    ident = secrets.token_hex(12)
    person = asked.who.person if asked.who else ""
    with asked.state.writing() as con:
        con.execute("DELETE FROM change WHERE at < ?", (stamp(datetime.now(UTC) - _KEPT),))
        row = (
            ident,
            asked.plant.key,
            person,
            kind,
            json.dumps(body, ensure_ascii=False),
            effect.state,
            now(),
        )
        con.execute("INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return _shown(asked, ident, effect, back)


def commit(asked: Asked, ident: str, goto: str) -> Done:
    """Make a change that was shown, and note it in the audit log."""
    person = asked.who.person if asked.who else ""
    row = asked.state.row(
        "SELECT * FROM change WHERE id = ? AND plant = ? AND person = ?", ident, asked.plant.key, person
    )
    if row is None or row["at"] < stamp(datetime.now(UTC) - _KEPT):
        raise FindingError(NOT_WAITING.at(Where(subject=ident), id=ident))
    body = json.loads(row["body"])
    with asked.plant.lent() as plant:
        draft = _draft(asked, plant, row["kind"], body)
        done = plant.commit(draft, row["state"])
    detail = {
        "kind": row["kind"],
        "what": draft.what.en,
        "readings": done.loading.readings,
        "records": done.loading.records,
    }
    with asked.recording("facts.change", detail) as con:
        con.execute("DELETE FROM change WHERE id = ?", (ident,))
    if "upload" in body:
        Uploads(asked.workspace.memory, asked.plant.key).drop(body["upload"])
    return Done(goto=goto, zh=f"已提交：{draft.what.zh}", en=f"Done: {draft.what.en}")


def _draft(asked: Asked, plant: Plant, kind: str, body: Mapping[str, Any]) -> Draft:
    """The draft that a kept body asks for; the same whenever it is made."""
    if kind == "waiting":
        return Draft(Text("load the files that wait", "载入等待中的文件"))
    if kind == "exclusion":
        return plant.draft_exclusion({**body["item"], "by": body["by"], "at": body["at"][:16] + "Z"})
    if kind == "quarantine":
        changes = {int(ident): fields for ident, fields in body["changes"].items()}
        return plant.draft_corrections(changes, body["dismissed"])
    if kind == "source":
        return _source(asked, plant, body)
    signed = _signed(asked, body)
    if kind == "correction":
        return plant.draft_correction(body["file"], body["line"], body["changes"], signed)
    return plant.draft_records([Entry(**body["entry"])], signed)


def _signed(asked: Asked, body: Mapping[str, Any]) -> Signed:
    name, data = "", b""
    if body.get("evidence"):
        shown = Uploads(asked.workspace.memory, asked.plant.key).get(body["evidence"], whole=True)
        name, data = shown.name, shown.path.read_bytes()
    return Signed(body["by"], datetime.fromisoformat(body["at"]), body.get("reason", ""), name, data)


def _source(asked: Asked, plant: Plant, body: Mapping[str, Any]) -> Draft:
    upload = Uploads(asked.workspace.memory, asked.plant.key).get(body["upload"], whole=True)
    name = free_name(plant.opened, upload.name)
    found = guess_limited(plant.file, upload.path, name, body["answers"])
    if not found["usable"]:
        raise FindingError(NOT_USABLE.at(Where(file=upload.name), name=upload.name))
    return plant.draft_source(found["block"], name, Path(upload.path))


def _shown(asked: Asked, ident: str, effect: Effect, back: str) -> Shown:
    return Shown(
        change=ident, what=both(effect.what), figures=effect.figures, asked=[Under(rulebook=book, period=period) for book, period in effect.asked],
        changes=[
            Changed(
                rulebook=one.rulebook, quantity=one.quantity, label=both(one.label), where=list(one.where.values()),
                period=one.period, unit=one.unit, before=one.before, after=one.after, difference=one.difference,
                trace=asked.trace(one.quantity, one.rulebook, one.period, **_places(one.where)) if one.before is not None else None,
            )
            for one in effect.changes
        ],
        found=[said(asked, one) for one in effect.findings], gone=[said(asked, one) for one in effect.gone],
        files=[item.name for item in effect.files if item.status != "known"], back=back,
    )  # fmt: skip


def _places(where: Mapping[str, str]) -> dict[str, str]:
    """What tells the figure apart in the address of its trace."""
    return {name: word for name, word in where.items() if name in ("site", "process")}
