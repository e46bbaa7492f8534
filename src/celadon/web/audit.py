"""The audit log: who changed what, append-only, each entry sealed by the digest of all before it.

An entry's digest is SHA-256 of the previous digest and the entry as canonical JSON. Whoever notes a digest (it is shown
on the page and by `celadon audit`) can later have it checked that nothing up to it was altered, dropped or put in between.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.web.state import now

AUDIT_BROKEN = FindingKind(
    "audit.broken",
    Severity.ERROR,
    Text("Audit log altered", "审计日志被改动"),
    Text(
        "Entry {number} of the audit log is not what was written: {why}.",
        "审计日志第 {number} 条与写入时不符：{why}。",
    ),
    Text(
        "Restore the console's folder from a backup, and find out who could write to it.",
        "请从备份恢复控制台文件夹，并查明何人可写入该文件夹。",
    ),
)
AUDIT_HEAD_MISSING = FindingKind(
    "audit.digest-missing",
    Severity.ERROR,
    Text("Digest not in the audit log", "审计日志中没有该摘要"),
    Text(
        "No entry has the digest {digest}: the log was cut short or replaced since it was noted.",
        "没有任何条目的摘要为 {digest}：自记录该摘要以来，日志被截短或替换。",
    ),
    Text(
        "Compare with a backup; a digest of another console's log is never in this one.",
        "请与备份比较；其他控制台日志的摘要不会出现在此处。",
    ),
)
AUDIT_ABSENT = FindingKind(
    "audit.absent",
    Severity.ERROR,
    Text("No console here", "没有控制台"),
    Text("No console was ever served from {folder}.", "{folder} 从未启动过控制台。"),
    Text("Name the folder given to `celadon serve`.", "请给出 `celadon serve` 所用的文件夹。"),
)
SCHEMA = """
CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, person TEXT NOT NULL, action TEXT NOT NULL, place TEXT NOT NULL,
    detail TEXT NOT NULL, digest TEXT NOT NULL UNIQUE
) STRICT;
CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS audit_keeps BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
"""
START = "0" * 64
_ENTRIES = "SELECT number, at, person, action, place, detail, digest FROM audit ORDER BY number"


@dataclass(frozen=True)
class Entry:
    """One change. `place`: `plant:mill`, `region:country` or `console`; `detail`: JSON of what was changed."""

    number: int
    at: str
    person: str
    action: str
    place: str
    detail: str
    digest: str

    def seal(self, previous: str) -> str:
        """The digest this entry must have after `previous`."""
        said = [previous, self.number, self.at, self.person, self.action, self.place, self.detail]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def append(
    con: sqlite3.Connection, person: str, action: str, place: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Add an entry in the transaction that makes the change: neither is ever there without the other."""
    last = con.execute("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    number, previous = (last[0] + 1, last[1]) if last else (1, START)
    text = json.dumps(dict(detail or {}), ensure_ascii=False, sort_keys=True, default=str)
    made = Entry(number, now(), person, action, place, text, "")
    con.execute(
        "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)",
        (number, made.at, person, action, place, text, made.seal(previous)),
    )


def entries(con: sqlite3.Connection) -> Iterator[Entry]:
    """All entries, the oldest first."""
    for row in con.execute(_ENTRIES):
        yield Entry(*row)


@dataclass(frozen=True)
class Verified:
    """How many entries were checked, the digest of the last, and what is wrong."""

    entries: int
    digest: str
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Shape `audit/1` without its findings."""
        return {"ok": not self.findings, "entries": self.entries, "digest": self.digest}


def verify(folder: str | Path, noted: str | None = None) -> Verified:
    """Compute every digest of the log in a served folder anew; `noted`: a digest (or its first 12 or more letters) that must be in it.

    Raises:
        FindingError: there is no log.
    """
    file = Path(folder) / ".celadon" / "console.sqlite"
    if not file.is_file():
        raise FindingError(AUDIT_ABSENT.at(Place(file=str(folder)), folder=str(folder)))
    con = sqlite3.connect(file)
    try:
        return _verified(con, noted)
    finally:
        con.close()


def _verified(con: sqlite3.Connection, noted: str | None) -> Verified:
    previous, count, seen, findings = START, 0, noted is None, []
    for entry in entries(con):
        count += 1
        why = None
        if entry.number != count:
            why = Text("the entry before it is missing", "其前的条目缺失")
        elif entry.seal(previous) != entry.digest:
            why = Text("its digest does not follow from what it says", "其摘要与内容不一致")
        if why is not None:
            findings.append(
                AUDIT_BROKEN.at(Place(subject=f"audit:{entry.number}"), number=entry.number, why=why)
            )
            break
        previous = entry.digest
        seen = seen or (noted is not None and len(noted) >= 12 and entry.digest.startswith(noted.lower()))
    if not seen and not findings:
        findings.append(AUDIT_HEAD_MISSING.at(Place(subject="audit"), digest=noted or ""))
    return Verified(count, previous, tuple(findings))
