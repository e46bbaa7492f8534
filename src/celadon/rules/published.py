"""Published rows stay as they were published: a rulebook's lock holds a digest of each, and a row that differs is told.

A row counts as published once `celadon publish` has sealed it. What a number rests on is sealed (keys, values, units,
dates); where it stands and how sure it is (source, clause, confidence, uncertainty, note) may still be corrected.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Findings, Place, Severity
from celadon.core.text import Text
from celadon.rules.factors import FactorRow, FactorTable
from celadon.rules.reading import LOCK, RULEBOOK_UNREADABLE

PUBLISHED_CHANGED = FindingKind(
    "rulebook.published-row-changed",
    Severity.ERROR,
    Text(en="A published row was changed", zh="已发布的行被更改"),
    Text(
        en="Table {table}: a row that was published is no longer as it was; at its place stands “{row}”.",
        zh="因子表 {table}：已发布的一行与发布时不同；其位置现为“{row}”。",
    ),
    Text(
        en="Put the row back and add another with a later `published`: it takes the place of the first from that day on, "
        "and earlier answers stay as they were. `celadon publish` seals new rows.",
        zh="请恢复原行，另加一行并写较晚的 `published`：自该日起由新行取代，此前的结果保持不变。用 `celadon publish` 封存新行。",
    ),
)

_FREE = ("source", "clause", "confidence", "note")
_ROW = re.compile(r"[0-9a-f]+\Z")
_HEAD = "# Digests of published rows, written by `celadon publish`; see docs/adding-a-standard.md.\n"


@dataclass(slots=True)
class SealedTable:
    """What the lock says about one table: the file it was made from, and its rows in order."""

    content: str
    rows: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sealed:
    """Rows of a rulebook's own tables that are sealed, by table, and how many of them were not before."""

    rows: Mapping[str, int]
    added: Mapping[str, int]


def content_digest(content: bytes) -> str:
    """The digest of a table's file: where it is the lock's, no row needs to be looked at."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def row_digests(table: FactorTable) -> list[str]:
    """A digest per row over what a number rests on; blank cells and the order of columns do not matter."""
    columns = sorted(name for name in table.columns if _is_sealed(name))
    digests = []
    for row in table.rows:
        cells = row.cells
        text = "\x1f".join(f"{name}={cells[name]}" for name in columns if cells[name])
        digests.append(hashlib.blake2b(text.encode(), digest_size=8).hexdigest())
    return digests


def _is_sealed(column: str) -> bool:
    return column not in _FREE and not column.endswith("uncertainty")


def read_lock(content: bytes, file: str) -> dict[str, SealedTable]:
    """The lock by table (FindingError where it is no lock)."""
    sealed: dict[str, SealedTable] = {}
    latest: SealedTable | None = None
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        if latest is not None and _ROW.match(line):
            latest.rows.append(line)
            continue
        words = line.split()
        if line.startswith("#") or not words:
            continue
        if len(words) == 2:
            latest = sealed[words[0]] = SealedTable(words[1])
        elif len(words) == 1 and latest is not None:
            latest.rows.append(words[0])
        else:
            why = Text(
                "a line holds a table and its digest, or a row's digest", "每行应为表名与摘要，或一行的摘要"
            )
            raise FindingError(RULEBOOK_UNREADABLE.at(Place(file=file, line=number), why=why))
    return sealed


def check_published(
    folder: Path, contents: Mapping[str, bytes], tables: Mapping[str, FactorTable], findings: Findings
) -> None:
    """A Finding for every sealed row that the tables of a folder no longer hold as it was."""
    if LOCK not in contents:
        return
    for name, sealed in read_lock(contents[LOCK], str(folder / LOCK)).items():
        if content_digest(contents.get(f"tables/{name}.csv", b"")) == sealed.content:
            continue
        table = tables.get(name)
        if table is None:
            where = Place(file=str(folder / "tables" / f"{name}.csv"))
            findings.add(PUBLISHED_CHANGED.at(where, table=name, row="—"))
            continue
        for row in _changed(table, sealed.rows):
            line = row.line if row else 1
            findings.add(PUBLISHED_CHANGED.at(Place(file=table.file, line=line), table=name, row=_said(row)))


def _changed(table: FactorTable, sealed: list[str]) -> Iterator[FactorRow | None]:
    """For each sealed row that is gone, the row now standing where it stood (the nearest before it where none does)."""
    now = row_digests(table)
    missing = Counter(sealed) - Counter(now)
    known, place = set(sealed), -1
    for digest in sealed:
        if missing[digest] > 0:
            missing[digest] -= 1
            following = place + 1
            if following < len(now) and now[following] not in known:
                place = following
            yield table.rows[place] if place >= 0 else None
        else:
            place = now.index(digest, place + 1) if digest in now[place + 1 :] else now.index(digest)


def _said(row: FactorRow | None) -> str:
    if row is None:
        return "—"
    return ", ".join(value for name, value in row.cells.items() if value and _is_sealed(name))[:200]


def seal(folder: Path, contents: Mapping[str, bytes], tables: Mapping[str, FactorTable]) -> Sealed:
    """Write the lock of a folder: every row its own tables hold is published from now on.

    Raises:
        FindingError: a row that was sealed before is no longer as it was; nothing is written.
    """
    findings = Findings()
    check_published(folder, contents, tables, findings)
    if findings.errors:
        raise FindingError(findings.errors)
    before = read_lock(contents.get(LOCK, b""), str(folder / LOCK))
    lines, rows, added = [_HEAD], {}, {}
    for name, table in sorted(tables.items()):
        digests = row_digests(table)
        lines.append(f"{name} {content_digest(contents[f'tables/{name}.csv'])}\n")
        lines.extend(f"{digest}\n" for digest in digests)
        rows[name] = len(digests)
        added[name] = len(digests) - (len(before[name].rows) if name in before else 0)
    text = "".join(lines).encode()
    if tables and text != contents.get(LOCK):
        (folder / LOCK).write_bytes(text)
    return Sealed(rows, added)


def unsealed(
    folder: Path, contents: Mapping[str, bytes], tables: Mapping[str, FactorTable]
) -> dict[str, int]:
    """How many rows of each own table are not sealed yet."""
    sealed = read_lock(contents.get(LOCK, b""), str(folder / LOCK))
    open_rows = {}
    for name, table in tables.items():
        known = set(sealed[name].rows) if name in sealed else set()
        open_rows[name] = sum(1 for digest in row_digests(table) if digest not in known)
    return open_rows
