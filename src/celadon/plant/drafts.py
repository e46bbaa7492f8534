"""Drafts: a change to the plant's facts made ready, shown with its effect, then committed or forgotten.

    draft = drafts.of_record(plant.opened, entry, signed)
    effect = drafts.effect(plant, draft, questions)      # exactly which figures change, and by how much
    drafts.commit(plant.opened, draft, effect.state)     # refused where the plant has moved on since

A draft writes nothing. Committing gives new files their names, then the plant file, then loads; a kill in between leaves
whole files that the next load takes in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from celadon.adapters.plant_file import read_plant_text
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.items import item_names
from celadon.core.text import Text, same, text_of
from celadon.plant import editing
from celadon.plant.entry import Entry, Signed, entry_of, file_of, manual_source
from celadon.plant.loading import Loading, Progress, load
from celadon.plant.opened import Opened, Staged, View, open_file
from celadon.plant.quarantine import CORRECTION_UNKNOWN, Corrections, kept_rows
from celadon.plant.replaying import Replay, replay_corrections
from celadon.plant.workspace import Workspace
from celadon.rules.names import fact_names
from celadon.store.rows import RECORD_COLUMNS, RECORD_KEY

NAME_TAKEN = FindingKind(
    "draft.name-taken",
    Severity.ERROR,
    Text(en="File there already", zh="文件已存在"),
    Text(en="{file} is there already; nothing is overwritten.", zh="{file} 已存在；不会覆盖任何文件。"),
    Text(en="Give the file another name.", zh="请使用其他文件名。"),
)
NAME_CLAIMED = FindingKind(
    "draft.name-claimed",
    Severity.ERROR,
    Text(en="Another source reads files of this name", zh="其他数据源会读取此名称的文件"),
    Text(
        en="{file} would also be read by the source “{source}”, whose pattern is {pattern}.",
        zh="数据源“{source}”（模式 {pattern}）也会读取 {file}。",
    ),
    Text(
        en="Give the file a name that no other source's pattern fits.",
        zh="请使用不与其他数据源模式相符的名称。",
    ),
)
OUTDATED = FindingKind(
    "draft.outdated",
    Severity.ERROR,
    Text(en="The plant has moved on", zh="工厂数据已更新"),
    Text(
        en="The plant's facts or its file have changed since the effect was shown; nothing was committed.",
        zh="显示影响之后，工厂数据或工厂文件已有变化；未提交任何内容。",
    ),
    Text(en="Look at the effect again, then confirm it.", zh="请重新查看影响后再确认。"),
)
RECORD_UNKNOWN = FindingKind(
    "draft.no-such-record",
    Severity.ERROR,
    Text(en="No such record", zh="没有该条台账"),
    Text(en="No record in force stands in {file}, line {line}.", zh="{file} 第 {line} 行没有现行台账。"),
    Text(
        en="`celadon history PLANT` lists records with their places.",
        zh="用 `celadon history PLANT` 列出台账及其位置。",
    ),
)


@dataclass(frozen=True)
class NewFile:
    """A file that the change brings: its source, its name from the plant's folder, and its content or where it is staged."""

    source: str
    name: str
    data: bytes = b""
    staged: Path | None = None


@dataclass(frozen=True)
class Draft:
    """A change that is made ready. `what` says it in a line; `text` is the new plant file, None where it stays."""

    what: Text
    text: str | None = None
    files: tuple[NewFile, ...] = ()
    corrections: Corrections | None = None
    beside: tuple[NewFile, ...] = field(default=())
    """Files that are kept with the plant but hold no facts: evidence."""


# -- making a draft -----------------------------------------------------------------------------------------------------


def of_source(opened: Opened, block: Mapping[str, Any], name: str, staged: Path) -> Draft:
    """A new file and the source block that reads it (shape of `sources:` in the plant file).

    Raises:
        FindingError: the plant file cannot be added to, or the block is not sound.
    """
    claimed = claimed_by(opened, name, str(block["id"]))
    if claimed is not None:
        raise FindingError(
            NAME_CLAIMED.at(Place(file=name), file=name, source=claimed[0], pattern=claimed[1])
        )
    known = next((source for source in opened.model.sources if source.id == block["id"]), None)
    text = None
    if known is None:
        text = editing.added(editing.text_of_file(opened), opened.file, "sources", block)
    said = Text(f"file {name} through source “{block['id']}”", f"经数据源“{block['id']}”载入文件 {name}")
    return Draft(said, text, (NewFile(str(block["id"]), name, staged=staged),))


def claimed_by(opened: Opened, name: str, but: str = "") -> tuple[str, str] | None:
    """The source (not `but`) that would read a file of that name, and its pattern."""
    for source in opened.model.sources:
        for pattern in source.files:
            if source.id != but and fnmatch(name, pattern):
                return source.id, pattern
    return None


def free_name(opened: Opened, name: str) -> str:
    """A name in the plant's folder for a new file, which is not taken and which no source reads yet."""
    plain = Path(name).name
    tries = (f"{folder}/{plain}" for folder in ("data", "uploads", *(f"uploads/{n}" for n in range(2, 1000))))
    return next(
        word for word in tries if not (opened.folder / word).exists() and claimed_by(opened, word) is None
    )


def of_records(opened: Opened, entries: Sequence[Entry], signed: Signed) -> Draft:
    """Records entered by hand."""
    source, block = manual_source(opened.model)
    text = editing.added(editing.text_of_file(opened), opened.file, "sources", block) if block else None
    name, data = file_of(entries, signed)
    beside = (NewFile("", signed.evidence_name, signed.evidence_bytes),) if signed.evidence else ()
    first = entries[0]
    words = _words(opened, first.quantity, first.item, first.start, first.note)
    amount = f"{first.value:g} {first.unit}"
    said = Text(f"record: {words.en} = {amount}", f"台账：{words.zh} = {amount}")
    return Draft(said, text, (NewFile(source, name, data),), None, beside)


def of_correction(
    opened: Opened,
    seen: View,
    work: Workspace,
    place: tuple[str, int],
    changes: Mapping[str, Any],
    signed: Signed,
) -> Draft:
    """Another value, unit or weight for the record in force at (file name, line).

    Rows with the same words add up, and a later entry replaces them all: so those beside it are entered again as they are.

    Raises:
        FindingError: there is no such record.
    """
    rows = records_in_force(seen, work)
    files = {file.id: file.name for file in seen.snapshot.files()}
    mine = next((row for row in rows if (files.get(row["file"]), row["line"]) == place), None)
    if mine is None:
        raise FindingError(RECORD_UNKNOWN.at(Place(place[0], line=place[1]), file=place[0], line=place[1]))
    same = [row for row in rows if all((row[name] or "") == (mine[name] or "") for name in RECORD_KEY)]
    corrected = replace(entry_of(mine, seen.model), **changes)
    others = [entry_of(row, seen.model) for row in same if row is not mine]
    return of_records(opened, [corrected, *others], signed)


def of_exclusion(opened: Opened, item: Mapping[str, Any]) -> Draft:
    """Readings or records that are not to count (keys of `excluded:` in the plant file)."""
    text = editing.added(editing.text_of_file(opened), opened.file, "excluded", item)
    words = _words(
        opened, *(str(item.get(name, "")) for name in ("meter", "quantity", "item", "start", "note"))
    )
    return Draft(Text(f"exclude {words.en}: {item['reason']}", f"不计入 {words.zh}：{item['reason']}"), text)


def _words(opened: Opened, *words: str) -> Text:
    """What a fact is called: its quantity and item by their names, the others as they are."""
    items, quantities = item_names(opened.model), fact_names()
    said = [quantities.get(word) or items.get(word) or same(word) for word in words if word]
    return Text(" ".join(one.en for one in said), " ".join(one.zh for one in said))


def of_corrections(
    seen: View, changes: Mapping[int, Mapping[str, str]], dismissed: Sequence[int] = ()
) -> Draft:
    """Corrected texts of rows in quarantine, by row id and field; and rows to be given up.

    Raises:
        FindingError: such a row or field does not wait.
    """
    waiting = {kept.row.id: kept for kept in kept_rows(seen)}
    unknown = [(ident, "") for ident in (*changes, *dismissed) if ident not in waiting]
    unknown += [
        (ident, name)
        for ident, fields in changes.items()
        if ident in waiting
        for name in fields
        if name not in waiting[ident].kept_out.raw
    ]
    if unknown:
        raise FindingError([CORRECTION_UNKNOWN.at(Place(), id=ident, field=name) for ident, name in unknown])
    asked = Corrections({ident: dict(fields) for ident, fields in changes.items()}, list(dismissed))
    said = Text(
        f"{len(changes)} rows of the quarantine corrected, {len(dismissed)} given up",
        f"更正隔离区 {len(changes)} 行，放弃 {len(dismissed)} 行",
    )
    return Draft(said, corrections=asked)


def records_in_force(seen: View, work: Workspace) -> list[dict[str, Any]]:
    """Every record that a view shows, excluded ones too, as columns by name."""
    with seen.store.reading():
        rows = work.con.execute(
            f"SELECT * FROM ({seen.snapshot.records_sql()}) WHERE value IS NOT NULL"
        ).fetchall()
    return [dict(zip(RECORD_COLUMNS, row, strict=True)) for row in rows]


# -- committing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Committed:
    """What committing a draft did."""

    loading: Loading
    replay: Replay | None = None

    @property
    def findings(self) -> list[Finding]:
        return [*self.loading.findings, *(self.replay.findings if self.replay else ())]


def drafted(opened: Opened, draft: Draft, folder: Path) -> Opened:
    """The plant as the draft would have it, its files staged in `folder`.

    Raises:
        FindingError: the plant file would not be sound, or a name is taken.
    """
    changed = opened
    if draft.text is not None:
        model, said = read_plant_text(draft.text, opened.file.as_posix())
        if model is None or said.errors:
            raise FindingError(said.errors)
        changed = replace(opened, model=model, findings=tuple(said))
    staged = []
    for number, item in enumerate(draft.files):
        if (opened.folder / item.name).exists():
            raise FindingError(NAME_TAKEN.at(Place(file=item.name), file=item.name))
        path = item.staged
        if path is None:
            path = folder / f"{number}.csv"
            path.write_bytes(item.data)
        staged.append(Staged(item.source, item.name, path))
    return replace(changed, staged=tuple(staged))


def state_of(opened: Opened) -> str:
    """A mark of everything that the effect of a draft depends on: the plant file, the files beside it, the facts loaded."""
    with opened.open_or_create_store() as store:
        waiting = [row.id for row in store.quarantine("open")]
        parts = [editing.digest_of(editing.text_of_file(opened)), store.snapshot().digest(), str(waiting)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def commit(
    opened: Opened, draft: Draft, state: str, signed_by: str = "", progress: Progress | None = None
) -> Committed:
    """Make the change real, where the plant still is as it was when `state` was taken (`Effect.state`).

    Raises:
        FindingError: the plant has moved on, a name is taken, or something cannot be written; nothing is loaded then.
    """
    if state_of(opened) != state:
        raise FindingError(OUTDATED.at(Place(file=opened.file.name)))
    for item in draft.beside:
        if not (opened.folder / item.name).exists():  # its name is its digest: what is there is the same
            editing.write_whole(opened.folder / item.name, item.data)
    for item in draft.files:
        _put(opened.folder / item.name, item)
    if draft.text is not None:
        editing.write_whole(opened.file, draft.text.encode())
    fresh = replace(open_file(opened.file), catalogue=opened.catalogue, segments=opened.segments)
    done = load(fresh, progress)
    if draft.corrections is None:
        return Committed(done)
    return Committed(done, replay_corrections(fresh, draft.corrections, signed_by or "drafts"))


def _put(path: Path, item: NewFile) -> None:
    if path.exists():
        raise FindingError(NAME_TAKEN.at(Place(file=item.name), file=item.name))
    if item.staged is None:
        editing.write_whole(path, item.data, new=True)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        editing.place(item.staged, path, new=True)
    except OSError as error:
        found = editing.NOT_WRITTEN.at(Place(file=item.name), file=item.name, why=text_of(error))
        raise FindingError(found) from error
