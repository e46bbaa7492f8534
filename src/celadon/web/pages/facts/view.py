"""Facts: the plant's files and uploads, records entered or corrected by hand, and the history of each fact by both clocks.

A change is shown with its effect first (`enter`, `correct`, `exclude` answer with it); `commit` makes it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import UploadFile
from pydantic import BaseModel, Field

from celadon.adapters.plant_file.build_sources import source_files
from celadon.core.carriers import CARRIERS, PURPOSES
from celadon.core.findings import FindingError
from celadon.core.items import item_names
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import zone
from celadon.core.text import Text
from celadon.plant import sources
from celadon.plant.effects import rulebooks_of
from celadon.plant.history import Told
from celadon.rules.names import STOCKS, fact_names
from celadon.store import Snapshot
from celadon.web import changes
from celadon.web.access import Action, on_plant
from celadon.web.asked import Asked, nothing_yet
from celadon.web.changes import Shown
from celadon.web.page import Both, Done, Page, Table, both, write
from celadon.web.uploads import OUT_OF_STEP, Upload, Uploads

page = Page("/plants/{plant}/facts", Text("Facts", "数据"), on_plant(Action.EXPLAIN), order=60)
SCHEMA = changes.SCHEMA
PART = 1 << 20
"""Bytes that a part of an upload may have."""
_USUAL = (*STOCKS, "product_output", "net_calorific_value", "carbon_content", "carbon_content_by_mass")
_SHOWN = 60

Word = Annotated[str, Field(max_length=200)]
Note = Annotated[str, Field(max_length=2000)]


class File(BaseModel):
    """A file that was loaded, newest version. `url` of nothing: it lies in the plant's folder."""

    source: str
    name: str
    bytes: int
    batch: int
    recorded_at: datetime
    versions: int


class Sent(BaseModel):
    """An upload that waits: how much of it is there, and whether it is whole."""

    id: str
    name: str
    size: int
    offset: int
    whole: bool
    by: str
    at: str


class Version(BaseModel):
    """One thing said of a fact: `status` is in_force, replaced, excluded or withdrawn."""

    recorded_at: datetime
    file: str
    line: int
    value: float | None
    unit: str
    status: str
    by: str
    reason: str
    evidence: str


class Fact(BaseModel):
    """A reading or record and its versions, oldest first; when it applies is local time of the plant."""

    what: dict[str, str]
    name: Both
    start: datetime
    end: datetime
    versions: list[Version]


class Choice(BaseModel):
    """An id with its name, to choose from."""

    id: str
    name: Both


class Facts(BaseModel):
    """What the page shows. `facts` is the history asked for (records of a period, or readings of a meter)."""

    period: str
    meter: str
    quantity: str
    item: str
    files: list[File]
    waiting: list[str]
    """Files that the plant file names and that are not loaded yet."""
    uploads: list[Sent]
    facts: list[Fact]
    more: int
    meters: list[Choice]
    quantities: list[Choice]
    items: list[Choice]
    sites: list[Choice]
    processes: list[Choice]


class NewRecord(BaseModel):
    """A record entered by hand; days are `2024-03-05`, both included. `evidence`: id of an upload that is whole."""

    quantity: Word
    item: Word = ""
    value: float = Field(ge=-1e15, le=1e15)
    unit: Word
    start: Word
    end: Word = ""
    site: Word = ""
    process: Word = ""
    purpose: Word = ""
    note: Word = ""
    reason: Note = ""
    evidence: Word = ""


class Correction(BaseModel):
    """Another value (and unit) for the record in force at a line of a file."""

    file: Note
    line: int = Field(ge=0)
    value: float = Field(ge=-1e15, le=1e15)
    unit: Word = ""
    reason: Note = Field(min_length=1)
    evidence: Word = ""


class Exclusion(BaseModel):
    """Readings of a meter (`meter`, `start`, `end`) or a record (`quantity`, `start` …) that are not to count."""

    meter: Word = ""
    quantity: Word = ""
    item: Word = ""
    site: Word = ""
    process: Word = ""
    note: Word = ""
    start: Word
    end: Word = ""
    reason: Note = Field(min_length=1)


class Announced(BaseModel):
    """A file that is to be sent: its name, bytes and SHA-256 (hex)."""

    name: Note
    size: int = Field(ge=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Part(BaseModel):
    """A part of an upload: where it begins, and its bytes in base64 (up to 1 MiB of them)."""

    upload: Word
    offset: int = Field(ge=0)
    data: str = Field(max_length=2 * PART)


class Chosen(BaseModel):
    """An upload."""

    upload: Word


class Whole(BaseModel):
    """A file sent by a form."""

    file: UploadFile


class Confirmed(BaseModel):
    """A change that was shown, and where to go on."""

    change: Word
    back: Note = ""


def view(
    asked: Asked, period: str | None = None, meter: str = "", quantity: str = "", item: str = ""
) -> Facts:
    """Files, uploads that wait, and the history of a period's records (or, with `meter`, of its readings)."""
    desk = asked.plant
    words = {name: word for name, word in (("quantity", quantity), ("item", item)) if word}
    files: list[File] = []
    found: list[Told] = []
    try:
        shown = asked.period(period)
        with desk.lent() as plant:
            seen = plant.view()
            files, model = _files(seen.snapshot), seen.model
        asks = ("history", shown, meter, quantity, item)
        found = desk.answer(asks, lambda plant: plant.history(shown, meter=meter or None, **words))
    except FindingError as error:
        if not nothing_yet(error.findings):
            raise
        shown, model = period or "", desk.model
    books = tuple(rulebooks_of(model))
    names = _names(model, fact_names(books))
    due = {name for book in books for name in desk.library.book(book).facts}
    return Facts(
        period=shown, meter=meter, quantity=quantity, item=item, files=files, waiting=_waiting(asked, files),
        uploads=[_sent(one) for one in _uploads(asked).all()] if asked.may(Action.CHANGE) else [],
        facts=[_fact(one, model.zone, names) for one in found[:_SHOWN]], more=max(0, len(found) - _SHOWN),
        meters=[Choice(id=one.id, name=both(one.name)) for one in model.meters], quantities=[Choice(id=name, name=both(names.get(name, Text(name, name)))) for name in dict.fromkeys([*_USUAL, *sorted(due)])],
        items=_items(model),
        sites=[Choice(id=one.id, name=both(one.name)) for one in model.sites],
        processes=[Choice(id=one.id, name=both(one.name)) for site in model.sites for one in site.processes],
    )  # fmt: skip


def table(model: Facts) -> Table:
    """Every version of every fact shown."""
    columns = (
        "fact",
        "start",
        "end",
        "recorded_at",
        "value",
        "unit",
        "status",
        "file",
        "line",
        "by",
        "reason",
        "evidence",
    )
    rows = [
        [
            " ".join(fact.what.values()), fact.start.isoformat(), fact.end.isoformat(), one.recorded_at.isoformat(), one.value,
            one.unit, one.status, one.file, one.line, one.by, one.reason, one.evidence,
        ]
        for fact in model.facts
        for one in fact.versions
    ]  # fmt: skip
    return Table(columns, rows)


# -- changes, shown first ---------------------------------------------------------------------------------------------------


@write(page, "enter", need=on_plant(Action.CHANGE))
def enter(asked: Asked, given: NewRecord) -> Shown:
    """Make a record ready that was entered by hand, and say what it changes."""
    entry = given.model_dump(exclude={"reason", "evidence"})
    body = {"entry": entry, "reason": given.reason, "evidence": given.evidence}
    return changes.show(asked, "records", body, asked.at("facts"))


@write(page, "correct", need=on_plant(Action.CHANGE))
def correct(asked: Asked, given: Correction) -> Shown:
    """Make the correction of a record ready, and say what it changes."""
    new = {"value": given.value, **({"unit": given.unit} if given.unit else {})}
    body = {
        "file": given.file,
        "line": given.line,
        "changes": new,
        "reason": given.reason,
        "evidence": given.evidence,
    }
    return changes.show(asked, "correction", body, asked.at("facts"))


@write(page, "exclude", need=on_plant(Action.CHANGE))
def exclude(asked: Asked, given: Exclusion) -> Shown:
    """Make an exclusion ready, and say what it changes."""
    item = {name: word for name, word in given.model_dump().items() if word}
    return changes.show(asked, "exclusion", {"item": item}, asked.at("facts"))


@write(page, "load", need=on_plant(Action.CHANGE))
def load(asked: Asked) -> Shown:
    """Make loading the files that wait ready, and say what it changes."""
    return changes.show(asked, "waiting", {}, asked.at("facts"))


@write(page, "commit", need=on_plant(Action.CHANGE))
def commit(asked: Asked, given: Confirmed) -> Done:
    """Make a change that was shown."""
    back = given.back if given.back.startswith(asked.at("")) else asked.at("facts")
    return changes.commit(asked, given.change, back)


# -- uploads ------------------------------------------------------------------------------------------------------------------


@write(page, "begin", need=on_plant(Action.CHANGE))
def begin(asked: Asked, given: Announced) -> Sent:
    """Announce a file. One announced before goes on at its `offset`."""
    return _sent(_uploads(asked).begin(given.name, given.size, given.sha256, _name(asked)))


@write(page, "part", need=on_plant(Action.CHANGE), limit=2 * PART)
def part(asked: Asked, given: Part) -> Sent:
    """Send a part of a file; the last one makes it whole."""
    known = _uploads(asked).get(given.upload)
    try:
        data = base64.b64decode(given.data, validate=True)
    except binascii.Error:
        data = b""
    if not data or len(data) > PART:
        raise FindingError(OUT_OF_STEP.at(offset=known.offset, given=given.offset))
    return _sent(_uploads(asked).add(given.upload, given.offset, data))


@write(page, "send", need=on_plant(Action.CHANGE), limit=64 << 20, json=False)
def send(asked: Asked, given: Whole) -> Done:
    """Send a whole file by a form: for browsers without scripts."""
    data = given.file.file.read()
    uploads, name = _uploads(asked), given.file.filename or "file"
    if not data:
        return Done(goto=asked.at("facts"), zh="文件为空。", en="The file is empty.")
    known = uploads.begin(name, len(data), hashlib.sha256(data).hexdigest(), _name(asked))
    if not known.whole:
        known = uploads.add(known.id, known.offset, data[known.offset :])
    return Done(goto=asked.at("mapping", upload=known.id))


@write(page, "drop", need=on_plant(Action.CHANGE))
def drop(asked: Asked, given: Chosen) -> Done:
    """Drop an upload."""
    _uploads(asked).drop(given.upload)
    return Done(goto=asked.at("facts"), zh="上传已清除。", en="The upload was dropped.")


def _uploads(asked: Asked) -> Uploads:
    return Uploads(asked.workspace.memory, asked.plant.key)


def _name(asked: Asked) -> str:
    return asked.who.name if asked.who else ""


# -- what the page shows ----------------------------------------------------------------------------------------------------


def _waiting(asked: Asked, loaded: Sequence[File]) -> list[str]:
    """Files that the plant file names now and that nobody has loaded, in its order."""
    with asked.plant.watched() as plant:
        opened = plant.opened
    known = {one.name for one in loaded}
    paths = (path for source in opened.model.sources for path in source_files(opened.model, source)[0])
    return [name for path in paths if (name := sources.shown(opened, path)) not in known]


def _files(snapshot: Snapshot) -> list[File]:
    """The newest version of each file, by source and name."""
    recorded = {batch.id: batch.recorded_at for batch in snapshot.batches()}
    found: dict[tuple[str, str], File] = {}
    for file in snapshot.files():
        before = found.get((file.source_id, file.name))
        found[file.source_id, file.name] = File(
            source=file.source_id, name=file.name, bytes=file.bytes, batch=file.batch, recorded_at=recorded[file.batch],
            versions=before.versions + 1 if before else 1,
        )  # fmt: skip
    return sorted(found.values(), key=lambda one: one.recorded_at, reverse=True)


def _sent(one: Upload) -> Sent:
    return Sent(
        id=one.id, name=one.name, size=one.size, offset=one.offset, whole=one.whole, by=one.by, at=one.at
    )


def _names(model: PlantModel, quantities: Mapping[str, Text]) -> Mapping[str, Text]:
    """What the words of a fact are called: quantities, carriers, products, places and meters."""
    sites = {one.id: one.name for one in model.sites}
    processes = {one.id: one.name for site in model.sites for one in site.processes}
    meters = {one.id: one.name for one in model.meters}
    return {**quantities, **PURPOSES, **item_names(model), **meters, **processes, **sites}


def _fact(told: Told, zone_name: str, names: Mapping[str, Text]) -> Fact:
    tz = zone(zone_name)
    words = [names.get(word, Text(word, word)) for word in told.what.values() if word]
    return Fact(
        what=dict(told.what), name=Both(zh=" ".join(one.zh for one in words), en=" ".join(one.en for one in words)), start=told.start.astimezone(tz), end=told.end.astimezone(tz),
        versions=[
            Version(
                recorded_at=one.recorded_at, file=one.file, line=one.line, value=one.value, unit=one.unit, status=one.status,
                by=one.mark.by if one.mark else one.excluded.by if one.excluded else "",
                reason=one.mark.reason if one.mark else one.excluded.reason if one.excluded else "",
                evidence=one.mark.evidence if one.mark else "",
            )
            for one in told.versions
        ],
    )  # fmt: skip


def _items(model: PlantModel) -> list[Choice]:
    """Products and carriers: the plant's own first."""
    found = [Choice(id=one.id, name=both(one.name)) for one in model.products]
    found += [Choice(id=one.id, name=both(one.label)) for one in (*model.carriers, *CARRIERS.values())]
    return list({one.id: one for one in reversed(found)}.values())[::-1]
